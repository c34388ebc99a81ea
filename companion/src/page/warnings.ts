// SPDX-License-Identifier: GPL-3.0-or-later
// Says once why the picture rate is low, or what is done about it: a phone that is too hot or too
// slow, or a camera in poor light.

import { READINGS } from "./pace.ts";
import type { Solver } from "./solver.ts";
import { TEXT } from "./strings.ts";

const TOO_DARK = 0.7; // of the camera's rate: what it still gives in poor light
const SECONDS = 4; // in a row
const BUSY = 700; // ms of a second that the pictures took

export class Warnings {
  private readonly solver: Solver;
  private readonly say: (text: string) => void;
  private pictures = 0;
  private dark = 0; // seconds in a row
  private slowed = false;
  private side = READINGS[0].side;

  constructor(solver: Solver, say: (text: string) => void) {
    this.solver = solver;
    this.say = say;
  }

  /** To be called once a second; `rate`: pictures a second that the camera has promised. */
  look(rate: number): void {
    const { pace, pictures } = this.solver;
    const { side } = pace.reading;
    const given = pictures - this.pictures;
    this.pictures = pictures;
    if (pace.slowed && !this.slowed) this.say(TEXT.hot);
    else if (side < this.side && this.side === READINGS[0].side) this.say(TEXT.reduced);
    this.side = side;
    this.slowed = pace.slowed;
    // A phone that is busy shows fewer pictures as well: that is none of the light's doing.
    const busy = given * pace.latest > BUSY || pace.level > 0;
    const poor = given > 0 && given < rate * TOO_DARK && !busy && !document.hidden;
    this.dark = poor ? this.dark + 1 : 0;
    if (this.dark === SECONDS) this.say(TEXT.dark(given));
  }
}
