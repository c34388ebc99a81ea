// SPDX-License-Identifier: GPL-3.0-or-later
// Solves raw frames as the page does, in Node, for tests/companion and benchmarks/phone.py:
//   node tests/solve.ts MODEL.onnx HEAD.bin FRAMES.json THREADS [REPEATS]
// FRAMES.json: [{"file", "time", "width", "height"}], each file RGBA. Prints one JSON object:
// {"frames": [faces of each frame], "milliseconds": [of each frame, the fastest of REPEATS]}.

import { readFileSync } from "node:fs";
import type { Face } from "../src/core/face.ts";
import { SparseHead } from "../src/core/headModel.ts";
import { FaceNetwork } from "../src/core/network.ts";
import { Tracker } from "../src/core/tracker.ts";

const [model, headFile, list, threads, repeats = "1"] = process.argv.slice(2);
const bytes = readFileSync(headFile);
const head = new SparseHead(
  bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength) as ArrayBuffer,
);
const network = await FaceNetwork.open(readFileSync(model), head, Number(threads));
const tracker = new Tracker(head.header.expressions, head.header.landmarkCount);
const frames = [];
const milliseconds = [];
for (const [n, entry] of JSON.parse(readFileSync(list, "utf8")).entries()) {
  const rgba = readFileSync(entry.file);
  let fastest = Infinity;
  let faces: Face[] = [];
  for (let time = 0; time < Number(repeats); time++) {
    const start = performance.now();
    faces = await network.detect(rgba, entry.width, entry.height);
    fastest = Math.min(fastest, performance.now() - start);
  }
  const start = performance.now();
  const { time, width, height } = entry;
  faces = tracker.update({ time, frame: n, width, height, faces }).faces;
  milliseconds.push(fastest + performance.now() - start);
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
process.stdout.write(JSON.stringify({ frames, milliseconds }), () => process.exit(0));
