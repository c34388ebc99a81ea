// SPDX-License-Identifier: GPL-3.0-or-later
// Fits one picture into the network's inputs, for tests/companion:
//   node tests/letterbox.ts WIDTH HEIGHT SIDE < RGBA > RGB
// Both inputs' rows come one after another, padding included, the finer one last.

import { readFileSync, writeFileSync } from "node:fs";
import { Letterboxer } from "../src/core/letterbox.ts";

const [width, height, side] = process.argv.slice(2).map(Number);
// A copy: what a read gives may begin anywhere in its buffer.
const rgba = new Uint8Array(readFileSync(0));
const { image, finer } = new Letterboxer().fitted(rgba, width, height, side);
writeFileSync(1, Buffer.concat([image.pixels, finer.pixels]));
