// SPDX-License-Identifier: GPL-3.0-or-later
// Closed eyes are closed, as in mfn_addon/network/lids.py, which says why and what each number is.

const PARTS: readonly [shape: string, share: number][] = [
  ["eyeBlink", 1.32],
  ["eyeSquint", 0.485],
  ["eyeLookDown", 0.5],
];
const MOST_LOOKING_DOWN = 0.3;
const OPEN = 0.5;
const SHUT = 1.05;

/** The weights with eyeBlink raised to 1 where the lids meet. `names`: the 52, in their order. */
export function shutLids(expression: Float32Array, names: readonly string[]): Float32Array {
  const shut = Float32Array.from(expression);
  for (const side of ["Left", "Right"]) {
    let closed = 0;
    for (const [shape, share] of PARTS) {
      const weight = expression[names.indexOf(shape + side)];
      closed += share * (shape === "eyeLookDown" ? Math.min(weight, MOST_LOOKING_DOWN) : weight);
    }
    const way = Math.min(Math.max((closed - OPEN) / (SHUT - OPEN), 0), 1);
    const blink = names.indexOf(`eyeBlink${side}`);
    shut[blink] += (1 - shut[blink]) * way * way * (3 - 2 * way);
  }
  return shut;
}
