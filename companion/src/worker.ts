// SPDX-License-Identifier: GPL-3.0-or-later
// The network and the tracker, off the page's own thread, so that the page never stutters.

import { env } from "onnxruntime-web/wasm";
import loaderUrl from "onnxruntime-web/ort-wasm-simd-threaded.mjs?url";
import wasmUrl from "onnxruntime-web/ort-wasm-simd-threaded.wasm?url";
import { project } from "./core/camera.ts";
import type { FaceFrame } from "./core/face.ts";
import { SparseHead } from "./core/headModel.ts";
import { FaceNetwork } from "./core/network.ts";
import { Tracker } from "./core/tracker.ts";
import { READINGS, type Reading } from "./page/pace.ts";
import { type Picture, PixelReader } from "./page/picture.ts";

export type ToWorker = { picture: Picture; time: number; frame: number } & Reading;
export type FromWorker =
  | { kind: "ready"; expressions: string[]; edges: number[] }
  | { kind: "frame"; frame: FaceFrame; meshes: Float32Array[] }
  | { kind: "failed"; reason: string };

const answer = (message: FromWorker) => postMessage(message);

async function load(path: string): Promise<ArrayBuffer> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path}: ${response.status} ${response.statusText}`);
  return response.arrayBuffer();
}

/** Opens each network when it is first asked for. */
async function opener(head: SparseHead, threads: number): Promise<(path: string) => Promise<FaceNetwork>> {
  const open = async (path: string) =>
    FaceNetwork.open(path, new Uint8Array(await load(path)), head, threads);
  const first = READINGS[0].network;
  const networks = new Map([[first, await open(first)]]);
  return async (path) => {
    // One that cannot be loaded now, as without a connection, is done without from then on.
    if (!networks.has(path)) networks.set(path, await open(path).catch(() => networks.get(first)!));
    return networks.get(path)!;
  };
}

async function prepare(threads: number): Promise<void> {
  env.wasm.wasmPaths = { mjs: loaderUrl, wasm: wasmUrl };
  const head = new SparseHead(await load("/head.bin"));
  const networkAt = await opener(head, threads);
  const { expressions, landmarkCount, pointCount, edges } = head.header;
  const tracker = new Tracker(expressions, landmarkCount);
  const reader = new PixelReader();
  onmessage = async ({ data }: MessageEvent<ToWorker>) => {
    const { picture, time, frame, side } = data;
    const { rgba, width, height } = await reader.read(picture);
    const network = await networkAt(data.network);
    const faces = await network.detect(rgba, width, height, side);
    const tracked = tracker.update({ time, frame, width, height, faces });
    const meshes = tracked.faces.map((face) => {
      const points = head.points(face.identity, face.expression, pointCount);
      return project(points, face.rotation, face.translation, width, height);
    });
    answer({ kind: "frame", frame: tracked, meshes });
  };
  answer({ kind: "ready", expressions, edges });
}

// The worker's name says how many threads the network is to use.
prepare(Number(self.name)).catch((error) => answer({ kind: "failed", reason: String(error) }));
