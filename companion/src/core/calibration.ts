// SPDX-License-Identifier: GPL-3.0-or-later
// An actor's neutral, as in mfn_addon/track/calibration.py. The resting rotation is the mean of
// aligned quaternions, which for a head that hardly moves is the nearest rotation to the mean.

import type { Face } from "./face.ts";
import { quantile } from "./quantile.ts";
import { type Quaternion, multiply, quaternionFromMatrix, quaternionToMatrix } from "./rotation.ts";

const LEAST_ROOM = 0.2;

export class Calibration {
  private readonly neutral: Float32Array;
  private readonly isLid: boolean[];
  private readonly back: number[];

  /**
   * `faces`: of one actor over about a second at rest, at least one; `expressions`: the 52 names.
   * The lids' neutral is the lower quartile, so that a blink within the second does not count.
   */
  constructor(faces: Face[], expressions: readonly string[]) {
    this.isLid = expressions.map((name) => name.startsWith("eyeBlink"));
    this.neutral = faces[0].expression.map((_, n) =>
      quantile(faces.map((face) => face.expression[n]), this.isLid[n] ? 0.25 : 0.5),
    );
    const sum: Quaternion = [0, 0, 0, 0];
    for (const face of faces) {
      // A head in view is turned by less than half a turn: all have w >= 0 and lie together.
      quaternionFromMatrix(face.rotation).forEach((value, n) => (sum[n] += value));
    }
    const length = Math.hypot(...sum);
    const r = quaternionToMatrix(sum.map((value) => value / length) as Quaternion);
    this.back = [r[0], r[3], r[6], r[1], r[4], r[7], r[2], r[5], r[8]];
  }

  /**
   * The face relative to its neutral: rest becomes 0, 1 stays 1. Of lids, less and less of what
   * they read at rest is taken out as the eye closes, so that a closed eye is closed.
   */
  apply(face: Face): Face {
    const expression = face.expression.map((value, n) => {
      const rest = this.neutral[n];
      const plain = (value - rest) / Math.max(1 - rest, LEAST_ROOM);
      const lid = value - rest * clamp(1 - 2 * plain);
      return clamp(this.isLid[n] ? lid : plain);
    });
    return { ...face, expression, rotation: Float32Array.from(multiply(face.rotation, this.back)) };
  }
}

function clamp(value: number): number {
  return Math.min(Math.max(value, 0), 1);
}
