// SPDX-License-Identifier: GPL-3.0-or-later

/** The value below which `share` (0..1) of the values lie, between two of them as numpy does. */
export function quantile(values: number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = share * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.ceil(at);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
}
