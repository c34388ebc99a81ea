// SPDX-License-Identifier: GPL-3.0-or-later
// Fits one picture into the network's input, for tests/companion:
//   node tests/letterbox.ts WIDTH HEIGHT SIDE < RGBA > RGB
// The input's rows come one after another, padding included.

import { readFileSync, writeFileSync } from "node:fs";
import { Letterboxer } from "../src/core/letterbox.ts";

const [width, height, side] = process.argv.slice(2).map(Number);
// A copy: what a read gives may begin anywhere in its buffer.
const rgba = new Uint8Array(readFileSync(0));
writeFileSync(1, new Letterboxer().fit(rgba, width, height, side).pixels);
