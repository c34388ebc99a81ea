// SPDX-License-Identifier: GPL-3.0-or-later
// Solves raw frames as the page does, in Node, for tests/companion and benchmarks/phone.py:
//   node tests/solve.ts MODEL.onnx HEAD.bin FRAMES.json THREADS [REPEATS [SIDE]]
// FRAMES.json: [{"file", "time", "width", "height"}], each file RGBA. Prints one JSON object:
// {"frames": [faces of each frame], "milliseconds": [of each frame, picture to tracked faces],
// "sessionMilliseconds": [of each frame, the network alone]}, times as medians of REPEATS.

import { readFileSync } from "node:fs";
import { basename } from "node:path";
import type { Face } from "../src/core/face.ts";
import { SparseHead } from "../src/core/headModel.ts";
import { FaceNetwork } from "../src/core/network.ts";
import { quantile } from "../src/core/quantile.ts";
import { Tracker } from "../src/core/tracker.ts";

const [model, headFile, list, threads, repeats = "1", side = "320"] = process.argv.slice(2);
const bytes = readFileSync(headFile);
const head = new SparseHead(
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
);
const network = await FaceNetwork.open(`/${basename(model)}`, readFileSync(model), head, Number(threads));
const tracker = new Tracker(head.header.expressions, head.header.landmarkCount);
const frames = [];
const milliseconds = [];
const sessionMilliseconds = [];
for (const [n, entry] of JSON.parse(readFileSync(list, "utf8")).entries()) {
  const { file, time, width, height } = entry;
  const rgba = readFileSync(file);
  const whole = [];
  const session = [];
  let faces: Face[] = [];
  for (let repeat = 0; repeat < Number(repeats); repeat++) {
    const start = performance.now();
    faces = await network.detect(rgba, width, height, Number(side));
    faces = tracker.update({ time, frame: n, width, height, faces }).faces;
    whole.push(performance.now() - start);
    session.push(network.sessionMilliseconds);
  }
  milliseconds.push(quantile(whole, 0.5));
  sessionMilliseconds.push(quantile(session, 0.5));
  frames.push(
    faces.map((face) =>
      Object.fromEntries(
        Object.entries(face).map(([key, value]) => [
          key,
          value instanceof Float32Array ? [...value] : value,
        ]),
      ),
    ),
  );
}
const printed = JSON.stringify({ frames, milliseconds, sessionMilliseconds });
process.stdout.write(printed, () => process.exit(0));
