// SPDX-License-Identifier: GPL-3.0-or-later
// Feeds the camera's pictures to the worker, one at a time: a picture that comes while one is
// being solved is left out, so nothing queues.

import type { FromWorker } from "../worker.ts";
import { now } from "../link/link.ts";

export type Ready = Extract<FromWorker, { kind: "ready" }>;
export type Solved = Extract<FromWorker, { kind: "frame" }>;

export class Solver {
  /** Pictures a second at most. */
  limit = Infinity;
  private readonly worker = new Worker(new URL("../worker.ts", import.meta.url), { type: "module" });
  private readonly video: HTMLVideoElement;
  private busy = true;
  private number = 0;
  private last = -Infinity;

  constructor(
    video: HTMLVideoElement,
    on: { ready(facts: Ready): void; solved(result: Solved): void; failed(reason: string): void },
  ) {
    this.video = video;
    this.worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "failed") return on.failed(data.reason);
      this.busy = false;
      if (data.kind === "ready") on.ready(data);
      else on.solved(data);
    };
    this.worker.onerror = (event) => on.failed(event.message);
    this.next();
  }

  private next(): void {
    this.video.requestVideoFrameCallback(async (at, facts) => {
      this.next();
      const frame = this.number++;
      if (this.busy || document.hidden || at - this.last < 1000 / this.limit - 4) return;
      this.busy = true;
      this.last = at;
      // Where the browser tells no capture time, the picture's presentation is nearest to it.
      const time = facts.captureTime ? (performance.timeOrigin + facts.captureTime) / 1000 : now();
      try {
        const bitmap = await createImageBitmap(this.video);
        this.worker.postMessage({ bitmap, time, frame }, [bitmap]);
      } catch {
        this.busy = false; // the camera was changed just now
      }
    });
  }
}
