// SPDX-License-Identifier: GPL-3.0-or-later
// Faces at rest stay at rest, and what they show is shown as strongly: as
// mfn_addon/network/amplitude.py. Each network has a table of its own, which comes with the head model.

/** Of each expression: what a resting face is read with, and how much stronger it is than read. */
export interface Amplitude {
  rest: readonly number[];
  gain: readonly number[];
}

/**
 * The weights as a face shows them, from those that were read; both 0..1. `belowRest`: the share
 * that stays of what is read below rest.
 */
export function asShown(
  expression: Float32Array,
  table: Amplitude,
  belowRest: number,
): Float32Array {
  return expression.map((weight, i) => {
    const low = Math.min(weight, table.rest[i]) * belowRest;
    const shown = low + Math.max(weight - table.rest[i], 0) * table.gain[i];
    return Math.min(Math.max(shown, 0), 1);
  });
}
