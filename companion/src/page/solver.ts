// SPDX-License-Identifier: GPL-3.0-or-later
// Feeds the camera's pictures to the worker, one at a time: a picture that comes while one is
// being solved is left out, so nothing queues.

import type { FromWorker } from "../worker.ts";
import { now } from "../link/link.ts";

export type Ready = Extract<FromWorker, { kind: "ready" }>;
export type Solved = Extract<FromWorker, { kind: "frame" }>;

const MOST_THREADS = 2; // more heat a phone without being faster for a network this small

export interface SolverEvents {
  ready(facts: Ready): void;
  solved(result: Solved): void;
  failed(reason: string): void;
}

export class Solver {
  /** Pictures a second at most. */
  limit = Infinity;
  /** Of the network. */
  threads = crossOriginIsolated ? Math.min(navigator.hardwareConcurrency, MOST_THREADS) : 1;
  private worker: Worker;
  private readonly video: HTMLVideoElement;
  private readonly events: SolverEvents;
  private busy = true;
  private number = 0;
  private last = -Infinity;

  constructor(video: HTMLVideoElement, events: SolverEvents) {
    this.video = video;
    this.events = events;
    this.worker = this.startWorker();
    this.next();
  }

  private startWorker(): Worker {
    const name = String(this.threads);
    const worker = new Worker(new URL("../worker.ts", import.meta.url), { type: "module", name });
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => {
      if (data.kind === "failed") return this.startFailed(data.reason);
      this.busy = false;
      if (data.kind === "ready") this.events.ready(data);
      else this.events.solved(data);
    };
    worker.onerror = (event) => this.startFailed(event.message);
    return worker;
  }

  /** Where threads fail, once more with one, in a new worker: a failed start stays in the old. */
  private startFailed(reason: string): void {
    this.worker.terminate();
    if (this.threads === 1) return this.events.failed(reason);
    this.threads = 1;
    this.worker = this.startWorker();
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
