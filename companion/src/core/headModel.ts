// SPDX-License-Identifier: GPL-3.0-or-later
// A sparse head: the 68 landmarks and the points of the drawn mesh, out of the head model.
// The file is made by tools/companion_head.py, which says how it is laid out.

import type { Amplitude } from "./amplitude.ts";

interface Header {
  /** The head model's digest; the network names the one that it was trained with. */
  digest: string;
  expressions: string[];
  identityCount: number;
  landmarkCount: number;
  pointCount: number;
  /** Metres a count of the stored offsets. */
  unit: number;
  /** Point numbers in pairs, the mesh's edges. */
  edges: number[];
  /** How each network's readings become what faces show, by its path on the server. */
  amplitudes: Record<string, Amplitude>;
  /** The share that stays of what is read below rest. */
  belowRest: number;
}

export class SparseHead {
  readonly header: Header;
  private readonly neutral: Float32Array;
  private readonly modes: Int16Array;

  /** Throws a RangeError or SyntaxError where the file is not one. */
  constructor(file: ArrayBuffer) {
    const length = new DataView(file).getUint32(0, true);
    this.header = JSON.parse(new TextDecoder().decode(new Uint8Array(file, 4, length)));
    const size = this.header.pointCount * 3;
    const modes = this.header.identityCount + this.header.expressions.length;
    this.neutral = new Float32Array(file, 4 + length, size);
    this.modes = new Int16Array(file, 4 + length + size * 4, modes * size);
  }

  /** The first `count` points in the head frame, x, y, z in turn, metres. */
  points(identity: Float32Array, expression: Float32Array, count: number): Float32Array {
    const { unit, identityCount } = this.header;
    const stride = this.neutral.length;
    const out = Float64Array.from(this.neutral.subarray(0, count * 3));
    const weights = [...identity, ...expression];
    for (let mode = 0; mode < identityCount + expression.length; mode++) {
      const weight = weights[mode] * unit;
      if (weight === 0) continue;
      const from = mode * stride;
      for (let i = 0; i < out.length; i++) out[i] += weight * this.modes[from + i];
    }
    return Float32Array.from(out);
  }
}
