// SPDX-License-Identifier: GPL-3.0-or-later
// From a face as it looks to where it is, and back: mfn_addon/face/camera.py.

import { multiply } from "./rotation.ts";

const FOCAL_PER_LONG_SIDE = 1.2;
const VIEWING_DISTANCE = 0.8; // metres, of the perspective within a face

/** The rotation (3x3, by rows) that turns (0, 0, -1) onto the line of sight of pixel u, v. */
function sightRotation(u: number, v: number, width: number, height: number): number[] {
  const focal = FOCAL_PER_LONG_SIDE * Math.max(width, height);
  const ray = [(u - width / 2) / focal, (height / 2 - v) / focal, -1];
  const length = Math.hypot(...ray);
  const x = ray[1] / length;
  const y = -ray[0] / length;
  const c = -ray[2] / length;
  const cross = [0, 0, y, 0, 0, -x, -y, x, 0];
  const square = multiply(cross, cross);
  return [1, 0, 0, 0, 1, 0, 0, 0, 1].map((one, i) => one + cross[i] + square[i] / (1 + c));
}

/**
 * From a face's look (rotation relative to the line of sight, where the head's origin falls,
 * px a metre there) to its pose in the camera frame.
 */
export function place(
  rotation: ArrayLike<number>,
  centre: ArrayLike<number>,
  scale: number,
  width: number,
  height: number,
): { rotation: Float32Array; translation: Float32Array } {
  const focal = FOCAL_PER_LONG_SIDE * Math.max(width, height);
  const depth = focal / scale;
  const x = (centre[0] - width / 2) / focal;
  const y = (height / 2 - centre[1]) / focal;
  const turned = multiply(sightRotation(centre[0], centre[1], width, height), rotation);
  return {
    rotation: Float32Array.from(turned),
    translation: Float32Array.of(x * depth, y * depth, -depth),
  };
}

/** Head-frame points (x, y, z in turn, metres) -> px (x, y in turn), by a face's look. */
export function projectLocal(
  points: Float32Array,
  rotation: ArrayLike<number>,
  centre: ArrayLike<number>,
  scale: number,
): Float32Array {
  const out = new Float32Array((points.length / 3) * 2);
  const r = rotation;
  for (let i = 0, o = 0; i < points.length; i += 3, o += 2) {
    const x = points[i];
    const y = points[i + 1];
    const z = points[i + 2];
    const depth = Math.max(VIEWING_DISTANCE - (r[6] * x + r[7] * y + r[8] * z), 0.1);
    const size = (scale * VIEWING_DISTANCE) / depth;
    out[o] = centre[0] + (r[0] * x + r[1] * y + r[2] * z) * size;
    out[o + 1] = centre[1] - (r[3] * x + r[4] * y + r[5] * z) * size;
  }
  return out;
}

/** Head-frame points (x, y, z in turn, metres) -> px (x, y in turn), by a pose. */
export function project(
  points: Float32Array,
  rotation: ArrayLike<number>,
  translation: ArrayLike<number>,
  width: number,
  height: number,
): Float32Array {
  const focal = FOCAL_PER_LONG_SIDE * Math.max(width, height);
  const depth = Math.max(-translation[2], 1e-3);
  const u = width / 2 + (focal * translation[0]) / depth;
  const v = height / 2 - (focal * translation[1]) / depth;
  const s = sightRotation(u, v, width, height);
  const back = [s[0], s[3], s[6], s[1], s[4], s[7], s[2], s[5], s[8]];
  return projectLocal(points, multiply(back, rotation), [u, v], focal / depth);
}
