// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps 30 pictures a second: where solving one takes longer than that, a light network reads them,
// then smaller ones; and the other way again when there is time. The number of faces changes nothing.

import { quantile } from "../core/quantile.ts";

export interface Reading {
  /** Where the network lies. */
  network: string;
  /** The longer side of its input, px. */
  side: number;
}

/** How a picture can be read: each one is quicker than the one before, and sees less. */
export const READINGS: readonly Reading[] = [
  { network: "/mfn.onnx", side: 320 },
  { network: "/mfn_light.onnx", side: 320 },
  { network: "/mfn_light.onnx", side: 256 },
  { network: "/mfn_light.onnx", side: 192 },
];
const LIGHTER = 3; // times quicker than the full network, at most
const BUDGET = 1000 / 30; // ms
const ROOM = 0.8; // of the budget that a slower reading may be expected to take
const WINDOW = 20; // pictures whose median decides
const FIRST_WAIT = 5000; // ms at a reading before a slower one is tried
const LONGEST_WAIT = 160_000;
const SLOWER = 1.6; // times the best so far: too hot

export class Pace {
  /** Whether the same work has come to take much longer than it did: a phone that is too hot. */
  slowed = false;
  /** ms that the last picture took. */
  latest = 0;
  /** Of `READINGS`. */
  level = 0;
  private times: number[] = [];
  private best = Infinity; // ms, at the fullest reading
  private readonly gains: number[] = []; // from each reading to the next quicker one
  private before = 0; // ms that a picture took at the slower reading, just now
  private changed = -Infinity; // when the reading was, ms
  private raised = false; // whether that was to a slower one
  private wait = FIRST_WAIT;

  get reading(): Reading {
    return READINGS[this.level];
  }

  /** Other circumstances: another camera, or a page that was in the background. */
  startOver(): void {
    this.times = [];
    this.best = Infinity;
    this.slowed = false;
  }

  /** Takes note of how long the present reading of a picture took; both in ms. */
  see(milliseconds: number, at: number): void {
    this.latest = milliseconds;
    this.times.push(milliseconds);
    if (this.times.length < WINDOW) return;
    const median = quantile(this.times, 0.5);
    this.times = [];
    if (this.before) this.learn(this.before / median);
    this.before = 0;
    const full = this.gains.slice(0, this.level).reduce((time, gain) => time * gain, median);
    this.slowed = full > SLOWER * this.best;
    this.best = Math.min(this.best, full);
    if (median > BUDGET && this.level < READINGS.length - 1) {
      this.before = median;
      this.change(1, at);
    } else if (this.level > 0 && at - this.changed > this.wait) {
      if (median * this.gains[this.level - 1] < ROOM * BUDGET) this.change(-1, at);
    }
  }

  /** How many times faster the quicker reading is, which differs: not all work is on pixels. */
  private learn(gain: number): void {
    const slower = READINGS[this.level - 1];
    const lighter = slower.network !== this.reading.network;
    const most = lighter ? LIGHTER : (slower.side / this.reading.side) ** 2;
    this.gains[this.level - 1] = Math.min(Math.max(gain, 1), most);
  }

  /** A slower reading that did not last is tried again only after twice the time. */
  private change(step: 1 | -1, at: number): void {
    if (at - this.changed > 2 * LONGEST_WAIT) this.wait = FIRST_WAIT;
    else if (step === 1 && this.raised) this.wait = Math.min(this.wait * 2, LONGEST_WAIT);
    this.level += step;
    this.changed = at;
    this.raised = step === -1;
  }
}
