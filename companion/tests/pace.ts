// SPDX-License-Identifier: GPL-3.0-or-later
// Lets a simulated phone choose its picture size, for tests/companion. Standard input, JSON:
//   [[seconds, ms that the full reading of a picture takes], …]
// Prints for each of these stretches how pictures were read in it, and whether it ended slowed.

import { readFileSync } from "node:fs";
import { Pace, type Reading } from "../src/page/pace.ts";

const FIXED = 0.3; // of the time is spent whatever the size
const LIGHT = 0.55; // of the time is what the light network takes

const isLight = ({ network }: Reading) => network.includes("light");
const nameOf = (reading: Reading) => `${isLight(reading) ? "light " : ""}${reading.side}`;

const pace = new Pace();
let at = 0;
const told = [];
for (const [seconds, milliseconds] of JSON.parse(readFileSync(0, "utf8")) as [number, number][]) {
  const readings = [nameOf(pace.reading)];
  for (const end = at + seconds * 1000; at < end; ) {
    const size = FIXED + (1 - FIXED) * (pace.reading.side / 320) ** 2;
    const time = milliseconds * size * (isLight(pace.reading) ? LIGHT : 1);
    at += Math.max(time, 1000 / 30);
    pace.see(time, at);
    if (nameOf(pace.reading) !== readings.at(-1)) readings.push(nameOf(pace.reading));
  }
  told.push({ readings, slowed: pace.slowed });
}
console.log(JSON.stringify(told));
