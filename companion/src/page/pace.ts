// SPDX-License-Identifier: GPL-3.0-or-later
// Keeps 30 pictures a second: where solving one takes longer than that, the network gets a smaller
// one, and a larger one again when there is time. The number of faces changes nothing.

import { quantile } from "../core/quantile.ts";

/** The longer side of the network's input, px. Time goes with its square. */
export const SIDES = [320, 256, 192] as const;
const BUDGET = 1000 / 30; // ms
const ROOM = 0.8; // of the budget that a larger picture may be expected to take
const WINDOW = 20; // pictures whose median decides
const FIRST_WAIT = 5000; // ms at a size before a larger one is tried
const LONGEST_WAIT = 160_000;
const SLOWER = 1.6; // times the best so far: too hot

export class Pace {
  /** Whether the same work has come to take much longer than it did: a phone that is too hot. */
  slowed = false;
  private level = 0;
  private times: number[] = [];
  private best = Infinity; // ms a million px
  private changed = -Infinity; // when the size was, ms
  private raised = false; // whether that was to a larger one
  private wait = FIRST_WAIT;

  get side(): number {
    return SIDES[this.level];
  }

  /** Other circumstances: another camera, or a page that was in the background. */
  startOver(): void {
    this.times = [];
    this.best = Infinity;
    this.slowed = false;
  }

  /** Takes note of how long a picture of the present size took; both in ms. */
  see(milliseconds: number, at: number): void {
    this.times.push(milliseconds);
    if (this.times.length < WINDOW) return;
    const median = quantile(this.times, 0.5);
    this.times = [];
    const rate = median / this.side ** 2;
    this.slowed = rate > SLOWER * this.best;
    this.best = Math.min(this.best, rate);
    if (median > BUDGET && this.level < SIDES.length - 1) this.change(1, at);
    else if (this.level > 0 && at - this.changed > this.wait) {
      if (rate * SIDES[this.level - 1] ** 2 < ROOM * BUDGET) this.change(-1, at);
    }
  }

  /** A larger size that did not last is tried again only after twice the time. */
  private change(step: 1 | -1, at: number): void {
    const inVain = step === 1 && this.raised && at - this.changed < LONGEST_WAIT;
    if (step === 1) this.wait = inVain ? Math.min(this.wait * 2, LONGEST_WAIT) : FIRST_WAIT;
    this.level += step;
    this.changed = at;
    this.raised = step === -1;
  }
}
