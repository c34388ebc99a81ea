// SPDX-License-Identifier: GPL-3.0-or-later
// A few expressions of the first actor in view, as bars.

import type { Face } from "../core/face.ts";
import { METERS } from "./strings.ts";

export class Meters {
  private readonly bars: HTMLMeterElement[];

  constructor(parent: HTMLElement) {
    this.bars = METERS.map(([label]) => {
      const row = document.createElement("label");
      const bar = document.createElement("meter");
      row.append(label, bar);
      parent.append(row);
      return bar;
    });
  }

  show(face: Face | undefined, expressions: readonly string[]): void {
    METERS.forEach(([, names], n) => {
      const weights = names.map((name) => face?.expression[expressions.indexOf(name)] ?? 0);
      this.bars[n].value = Math.max(...weights);
    });
  }
}
