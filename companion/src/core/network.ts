// SPDX-License-Identifier: GPL-3.0-or-later
// The network in a browser or in Node: a picture in, every face in it out, as
// mfn_addon/network/mfn.py. The graph itself suppresses overlapping faces.

import * as ort from "onnxruntime-web/wasm";
import { type Amplitude, asShown } from "./amplitude.ts";
import { place, projectLocal } from "./camera.ts";
import { type Face, NO_ID } from "./face.ts";
import type { SparseHead } from "./headModel.ts";
import { type Letterbox, LONG_SIDE, Letterboxer } from "./letterbox.ts";
import { shutLids } from "./lids.ts";

const LEAST_SCORE = 0.5;
const START_WITHIN = 20_000; // ms

export class FaceNetwork {
  private readonly session: ort.InferenceSession;
  private readonly head: SparseHead;
  private readonly amplitude: Amplitude;
  private readonly letterboxer = new Letterboxer();
  /** How long the last picture's network took by itself. */
  sessionMilliseconds = 0;

  private constructor(session: ort.InferenceSession, head: SparseHead, amplitude: Amplitude) {
    this.session = session;
    this.head = head;
    this.amplitude = amplitude;
  }

  /**
   * `path`: of the network on the server, by which the head file tells its rest and gain; throws a
   * RangeError where that file knows no such network. More than one thread needs a cross-origin
   * isolated page. ONNX Runtime keeps its first failed start: after one, only another worker can
   * open a network.
   */
  static async open(
    path: string,
    model: Uint8Array,
    head: SparseHead,
    threads: number,
  ): Promise<FaceNetwork> {
    const amplitude = head.header.amplitudes[path];
    if (!amplitude) throw new RangeError(`${path} is none of the networks that head.bin is for`);
    ort.env.logLevel = "error";
    ort.env.wasm.numThreads = threads;
    // A browser whose threads never start says nothing; one thread has nothing to wait for.
    ort.env.wasm.initTimeout = threads > 1 ? START_WITHIN : 0;
    const session = await ort.InferenceSession.create(model, {
      executionProviders: ["wasm"],
      // Weights of 8 bits are unpacked once, and not anew for every picture.
      extra: { session: { disable_quant_qdq: "1" } },
    });
    return new FaceNetwork(session, head, amplitude);
  }

  /**
   * All faces, at most 32, the surest first, without ids. `rgba`: width x height x 4 bytes;
   * `side`: the longer one of the network's input, px: a smaller one is faster and sees less.
   */
  async detect(
    rgba: Uint8Array | Uint8ClampedArray,
    width: number,
    height: number,
    side = LONG_SIDE,
  ): Promise<Face[]> {
    const { image, finer } = this.letterboxer.fitted(rgba, width, height, side);
    const { scale: inputScale } = image;
    const start = performance.now();
    const outputs = await this.session.run({ image: tensor(image), finer: tensor(finer) });
    this.sessionMilliseconds = performance.now() - start;
    const read = (name: string) => outputs[name].data as Float32Array;
    const score = read("score");
    const faces: Face[] = [];
    for (let i = 0; i < score.length; i++) {
      if (score[i] < LEAST_SCORE) continue;
      const look = read("rotation").slice(i * 9, i * 9 + 9);
      const centre = read("centre").slice(i * 2, i * 2 + 2).map((value) => value / inputScale);
      const scale = read("scale")[i] / inputScale;
      const identity = read("identity").slice(i * 40, i * 40 + 40);
      const expression = read("expression").slice(i * 52, i * 52 + 52);
      const points = this.head.points(identity, expression, this.head.header.landmarkCount);
      faces.push({
        id: NO_ID,
        score: score[i],
        box: read("box").slice(i * 4, i * 4 + 4).map((value) => value / inputScale),
        ...place(look, centre, scale, width, height),
        identity,
        expression: asShown(
          shutLids(expression, this.head.header.expressions),
          this.amplitude,
          this.head.header.belowRest,
        ),
        landmarks: projectLocal(points, look, centre, scale),
      });
    }
    for (const tensor of Object.values(outputs)) tensor.dispose();
    return faces;
  }
}

function tensor({ pixels, width, height }: Letterbox): ort.Tensor {
  return new ort.Tensor("uint8", pixels, [1, height, width, 3]);
}
