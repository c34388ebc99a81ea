// SPDX-License-Identifier: GPL-3.0-or-later
// Feeds the camera's pictures to the worker, one at a time.

import type { FromWorker } from "../worker.ts";
import { now } from "../link/link.ts";
import { Pace } from "./pace.ts";
import { type Picture, shownFrame } from "./picture.ts";

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
  /** Which network reads the pictures, and how large. */
  readonly pace = new Pace();
  /** How many the camera has given so far. */
  pictures = 0;
  /** As what they were taken last. */
  takes: "frames" | "bitmaps" = "frames";
  private worker: Worker;
  private readonly video: HTMLVideoElement;
  private readonly events: SolverEvents;
  private busy = true;
  private number = 0;
  private last = -Infinity; // when the last picture that was taken was presented, ms
  private begun = 0; // when its solving began
  private newest: { picture: Picture; time: number; frame: number } | null = null;

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
      const ended = performance.now();
      if (data.kind === "frame") this.pace.see(ended - this.begun, ended);
      this.busy = false;
      this.solveNewest(); // first: while this picture's faces are drawn, the next is read
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
    this.again();
  }

  /** Starts anew what could not be started. */
  again(): void {
    this.busy = true; // until the new worker is ready
    this.worker = this.startWorker();
  }

  private next(): void {
    this.video.requestVideoFrameCallback(async (at, facts) => {
      this.next();
      this.pictures += 1;
      const frame = this.number++;
      if (document.hidden || at - this.last < 1000 / this.limit - 4) return;
      this.last = at;
      // Where the browser tells no capture time, the picture's presentation is nearest to it.
      const captured = facts.captureTime && (performance.timeOrigin + facts.captureTime) / 1000;
      const time = captured ? Math.min(captured, now()) : now();
      try {
        // At once: a moment later the video may show another picture than that of `time`.
        const shown = shownFrame(this.video);
        this.takes = shown ? "frames" : "bitmaps";
        const picture = shown ?? (await createImageBitmap(this.video));
        this.newest?.picture.close();
        this.newest = { picture, time, frame };
        this.solveNewest();
      } catch {
        // the camera was changed just now
      }
    });
  }

  /** Nothing queues: of the pictures that come while one is solved, the last one is next. */
  private solveNewest(): void {
    const { newest } = this;
    if (!newest || this.busy) return;
    this.newest = null;
    this.busy = true;
    this.begun = performance.now();
    this.worker.postMessage({ ...newest, ...this.pace.reading }, [newest.picture]);
  }
}
