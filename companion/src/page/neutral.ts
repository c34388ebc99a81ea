// SPDX-License-Identifier: GPL-3.0-or-later
// The neutral of each actor, for this page's meters alone: what is sent stays raw.

import { Calibration } from "../core/calibration.ts";
import type { Face, FaceFrame } from "../core/face.ts";

const HOLD = 1; // seconds of a resting face, as in Blender

export class Neutrals {
  private readonly calibrations = new Map<number, Calibration>();
  private resting: Map<number, Face[]> | null = null;
  private from: number | null = null;

  /** The faces of the next second are at rest. */
  begin(): void {
    this.resting = new Map();
    this.from = null;
  }

  /** Looks at a frame. Returns how many actors were at rest, once that second is over. */
  see(frame: FaceFrame, expressions: readonly string[]): number | undefined {
    if (!this.resting) return undefined;
    this.from ??= frame.time;
    for (const face of frame.faces) {
      this.resting.set(face.id, [...(this.resting.get(face.id) ?? []), face]);
    }
    if (frame.time - this.from < HOLD) return undefined;
    const { resting } = this;
    this.resting = null;
    for (const [id, seen] of resting) this.calibrations.set(id, new Calibration(seen, expressions));
    return resting.size;
  }

  /** The face relative to its actor's neutral, where that is known. */
  apply(face: Face): Face {
    return this.calibrations.get(face.id)?.apply(face) ?? face;
  }
}
