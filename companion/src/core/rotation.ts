// SPDX-License-Identifier: GPL-3.0-or-later
// Rotations as 3x3 matrices by rows and as unit quaternions (w, x, y, z):
// mfn_addon/track/rotation.py.

export type Quaternion = [number, number, number, number];

/** The product of two 3x3 matrices. */
export function multiply(a: ArrayLike<number>, b: ArrayLike<number>): number[] {
  const out = new Array<number>(9);
  for (let row = 0; row < 9; row += 3) {
    for (let column = 0; column < 3; column++) {
      out[row + column] =
        a[row] * b[column] + a[row + 1] * b[column + 3] + a[row + 2] * b[column + 6];
    }
  }
  return out;
}

/** Unit quaternion, w >= 0. */
export function quaternionFromMatrix(matrix: ArrayLike<number>): Quaternion {
  const [a, b, c, d, e, f, g, h, i] = Array.from(matrix);
  // Of the four components, the largest keeps the division far from zero.
  const rows: Quaternion[] = [
    [1 + a + e + i, h - f, c - g, d - b],
    [h - f, 1 + a - e - i, b + d, c + g],
    [c - g, b + d, 1 - a + e - i, f + h],
    [d - b, c + g, f + h, 1 - a - e + i],
  ];
  let best = 0;
  for (let n = 1; n < 4; n++) if (rows[n][n] > rows[best][best]) best = n;
  const row = rows[best];
  const length = row[0] >= 0 ? Math.hypot(...row) : -Math.hypot(...row);
  return row.map((value) => value / length) as Quaternion;
}

/** The rotation of a unit quaternion. */
export function quaternionToMatrix([w, x, y, z]: Quaternion): Float32Array {
  return Float32Array.of(
    1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y),
    2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x),
    2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y),
  );
}

/** The unit quaternion `share` (0..1) of the shortest way from `start` to `end`. */
export function slerp(start: Quaternion, end: Quaternion, share: number): Quaternion {
  let cosine = start.reduce((sum, value, n) => sum + value * end[n], 0);
  const sign = cosine < 0 ? -1 : 1;
  cosine *= sign;
  let from = 1 - share;
  let to = share * sign;
  if (cosine <= 0.9995) {
    const angle = Math.acos(cosine);
    from = Math.sin((1 - share) * angle);
    to = Math.sin(share * angle) * sign;
  } // else nearly equal: the arc is a line
  const mixed = start.map((value, n) => from * value + to * end[n]);
  const length = Math.hypot(...mixed);
  return mixed.map((value) => value / length) as Quaternion;
}

/** The rotation vector from one unit quaternion to another, radians. */
export function turnBetween(start: Quaternion, end: Quaternion): [number, number, number] {
  const [a, b, c, d] = start;
  const [e, f, g, h] = end;
  // The product of `end` and the conjugate of `start`.
  const w = a * e + b * f + c * g + d * h;
  const x = a * f - b * e - c * h + d * g;
  const y = a * g + b * h - c * e - d * f;
  const z = a * h - b * g + c * f - d * e;
  const sine = Math.hypot(x, y, z);
  const angle = 2 * Math.atan2(sine, Math.abs(w));
  const factor = (sine > 1e-9 ? angle / sine : 2) * (w < 0 ? -1 : 1);
  return [x * factor, y * factor, z * factor];
}

/** Radians between two rotations (3x3). */
export function angleBetween(first: ArrayLike<number>, second: ArrayLike<number>): number {
  let trace = 0; // of first^T second
  for (let n = 0; n < 9; n++) trace += first[n] * second[n];
  return Math.acos(Math.min(Math.max((trace - 1) / 2, -1), 1));
}
