// SPDX-License-Identifier: GPL-3.0-or-later
// Boxes x0, y0, x1, y1, px.

type Box = ArrayLike<number>;

/** Intersection over union. */
export function overlap(first: Box, second: Box): number {
  const both = shared(first, second);
  const total = area(first) + area(second) - both;
  return total > 0 ? both / total : 0;
}

/** The part of the smaller box that lies in the other. */
export function contained(first: Box, second: Box): number {
  const smaller = Math.min(area(first), area(second));
  return smaller > 0 ? shared(first, second) / smaller : 0;
}

function shared(a: Box, b: Box): number {
  const width = Math.min(a[2], b[2]) - Math.max(a[0], b[0]);
  const height = Math.min(a[3], b[3]) - Math.max(a[1], b[1]);
  return Math.max(width, 0) * Math.max(height, 0);
}

function area(box: Box): number {
  return Math.max(box[2] - box[0], 0) * Math.max(box[3] - box[1], 0);
}
