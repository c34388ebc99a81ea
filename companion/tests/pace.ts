// SPDX-License-Identifier: GPL-3.0-or-later
// Lets a simulated phone choose its picture size, for tests/companion. Standard input, JSON:
//   [[seconds, ms that a picture of 320 px takes], …]
// Prints for each of these stretches the sizes that were used in it, and whether it ended slowed.

import { readFileSync } from "node:fs";
import { Pace } from "../src/page/pace.ts";

const FIXED = 0.3; // of the time is spent whatever the size

const pace = new Pace();
let at = 0;
const told = [];
for (const [seconds, milliseconds] of JSON.parse(readFileSync(0, "utf8")) as [number, number][]) {
  const sides = [pace.side];
  for (const end = at + seconds * 1000; at < end; ) {
    const time = milliseconds * (FIXED + (1 - FIXED) * (pace.side / 320) ** 2);
    at += Math.max(time, 1000 / 30);
    pace.see(time, at);
    if (pace.side !== sides.at(-1)) sides.push(pace.side);
  }
  told.push({ sides, slowed: pace.slowed });
}
console.log(JSON.stringify(told));
