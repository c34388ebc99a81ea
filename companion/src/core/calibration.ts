// SPDX-License-Identifier: GPL-3.0-or-later
// An actor's neutral, as in mfn_addon/track/calibration.py. The resting rotation is the mean of
// aligned quaternions, which for a head that hardly moves is the nearest rotation to the mean.

import type { Face } from "./face.ts";
import { type Quaternion, multiply, quaternionFromMatrix, quaternionToMatrix } from "./rotation.ts";

const LEAST_ROOM = 0.2;

export class Calibration {
  private readonly neutral: Float32Array;
  private readonly back: number[];

  /** `faces`: of one actor over about a second at rest, at least one. */
  constructor(faces: Face[]) {
    this.neutral = faces[0].expression.map((_, n) => median(faces.map((f) => f.expression[n])));
    const sum: Quaternion = [0, 0, 0, 0];
    for (const face of faces) {
      // A head in view is turned by less than half a turn: all have w >= 0 and lie together.
      quaternionFromMatrix(face.rotation).forEach((value, n) => (sum[n] += value));
    }
    const length = Math.hypot(...sum);
    const r = quaternionToMatrix(sum.map((value) => value / length) as Quaternion);
    this.back = [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]];
  }

  /** The face relative to its neutral: rest becomes 0, 1 stays 1. */
  apply(face: Face): Face {
    const expression = face.expression.map((value, n) => {
      const rest = this.neutral[n];
      return Math.min(Math.max((value - rest) / Math.max(1 - rest, LEAST_ROOM), 0), 1);
    });
    return { ...face, expression, rotation: Float32Array.from(multiply(face.rotation, this.back)) };
  }
}

function median(values: number[]): number {
  const sorted = values.sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
