// SPDX-License-Identifier: GPL-3.0-or-later
// Faces at rest stay at rest, and what they show is shown as strongly: as
// mfn_addon/network/amplitude.py, whose table comes with the head model.

/** The weights as a face shows them, from those that were read; both 0..1. */
export function asShown(
  expression: Float32Array,
  table: { rest: readonly number[]; gain: readonly number[]; belowRest: number },
): Float32Array {
  return expression.map((weight, i) => {
    const low = Math.min(weight, table.rest[i]) * table.belowRest;
    const shown = low + Math.max(weight - table.rest[i], 0) * table.gain[i];
    return Math.min(Math.max(shown, 0), 1);
  });
}
