// SPDX-License-Identifier: GPL-3.0-or-later
// Calibrates as the page does, in Node, for tests/companion. Standard input, JSON:
//   {"expressions": names, "resting": [{"expression", "rotation"}], "face": {the same}}
// Prints the face relative to the resting ones.

import { readFileSync } from "node:fs";
import { Calibration } from "../src/core/calibration.ts";
import type { Face } from "../src/core/face.ts";

type Given = Record<"expression" | "rotation", number[]>;
const face = ({ expression, rotation }: Given) =>
  ({ expression: Float32Array.from(expression), rotation: Float32Array.from(rotation) }) as Face;

const given = JSON.parse(readFileSync(0, "utf8"));
const calibration = new Calibration(given.resting.map(face), given.expressions);
const { expression, rotation } = calibration.apply(face(given.face));
console.log(JSON.stringify({ expression: [...expression], rotation: [...rotation] }));
