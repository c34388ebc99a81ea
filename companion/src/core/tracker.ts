// SPDX-License-Identifier: GPL-3.0-or-later
// Who is who: faces of successive pictures become actors with ids that stay, smoothed. The same
// as mfn_addon/track/tracker.py with its default options, which explains each step and number.

import { assign } from "./assignment.ts";
import { contained, overlap } from "./boxes.ts";
import type { Face, FaceFrame } from "./face.ts";
import { FaceFilter, IdentityAverage, boxSize } from "./filters.ts";
import { angleBetween } from "./rotation.ts";

const OCCLUSION = 1.0;
const REMEMBER = 60.0;
const FORGET_UNNAMED = 0.25;
const REACH = 0.7;
const REACH_PER_SECOND = 1.5;
const IDENTITY_WEIGHT = 0.3;
const RECOGNISE = 2.0;
const NEW_SCORE = 0.7;
const UNSURE = 0.7;
const SURE_SCORE = 0.8;
const CONFIRM_FRAMES = 3;
const DUPLICATE_OVERLAP = 0.55;
const IMPOSSIBLE = 1e6;
const WORST_MATCH = 3.0;
const IDENTITY_CEILING = 6.0;
const PRIOR_SAMPLES = 2;
const COAST = 0.3;

/** One actor, or a face that may become one. */
class Track {
  id: number | null = null;
  time: number;
  sureTime: number;
  frames = 1;
  face: Face;
  centre: number[];
  size: number;
  velocity = [0, 0];
  readonly identity = new IdentityAverage(20);
  readonly filter: FaceFilter;

  constructor(face: Face, time: number, filter: FaceFilter) {
    this.time = this.sureTime = time;
    this.face = face;
    this.centre = centreOf(face.box);
    this.size = boxSize(face.box);
    this.identity.add(face.identity, 0);
    this.filter = filter;
  }

  predictedCentre(time: number): number[] {
    const ahead = Math.min(Math.max(time - this.time, 0), COAST);
    return this.centre.map((value, n) => value + this.velocity[n] * ahead);
  }

  /** Take a matched face; `alone`: no other face overlaps it, so its identity is clean. */
  follow(face: Face, time: number, alone: boolean): void {
    const dt = Math.max(time - this.time, 1e-3);
    const centre = centreOf(face.box);
    if (dt > COAST) {
      this.velocity = [0, 0];
    } else {
      const share = 1 - Math.exp(-dt / 0.08); // averages detector noise over about 0.1 s
      this.velocity = this.velocity.map(
        (value, n) => value + share * ((centre[n] - this.centre[n]) / dt - value),
      );
    }
    const sure = face.score >= NEW_SCORE;
    if (sure) this.sureTime = time;
    if (sure && alone) this.identity.add(face.identity, dt);
    this.centre = centre;
    this.size = boxSize(face.box);
    this.face = face;
    this.time = time;
    this.frames += 1;
  }
}

type Cost = (track: Track, face: Face, time: number) => number;

export class Tracker {
  private readonly expressions: readonly string[];
  private readonly landmarks: number;
  private tracks: Track[] = [];
  private nextId = 1;
  private time: number | null = null;
  private identityNoise = 0.25;
  private noiseSamples = 0;

  /** `expressions`: the 52 names; `landmarks`: how many points a face has. */
  constructor(expressions: readonly string[], landmarks: number) {
    this.expressions = expressions;
    this.landmarks = landmarks;
  }

  /** The frame with ids and smoothed faces, by id. Frames come in the order of their times. */
  update(frame: FaceFrame): FaceFrame {
    const { time } = frame;
    const first = this.time === null;
    if (this.time !== null && time < this.time) this.startOver(time);
    this.time = time;
    const faces = withoutDuplicates(frame.faces);
    const overlapped = overlappedFaces(faces);
    const matched = new Map<number, Track>();
    this.match(faces, matched, time, this.costInView);
    this.match(faces, matched, time, this.costReturning);
    this.match(faces, matched, time, this.costByPlace);
    const steps = new Map<number, number>();
    for (const [n, track] of matched) {
      if (!overlapped[n] && track.frames >= 3) this.learnNoise(track, faces[n]);
    }
    for (const [n, track] of matched) {
      steps.set(n, Math.max(time - track.time, 0));
      track.follow(faces[n], time, !overlapped[n]);
    }
    faces.forEach((face, n) => {
      if (matched.has(n) || face.score < NEW_SCORE || shadows(face, faces, matched)) return;
      const track = new Track(face, time, new FaceFilter(this.expressions, this.landmarks));
      matched.set(n, track);
      this.tracks.push(track);
    });
    // Actors who come together are numbered from the picture's left to its right.
    const fromLeft = [...matched.entries()].sort(
      ([a], [b]) => centreOf(faces[a].box)[0] - centreOf(faces[b].box)[0],
    );
    const out: Face[] = [];
    for (const [n, track] of fromLeft) {
      const id = this.actorId(track, first);
      if (id !== null) out.push({ ...track.filter.apply(faces[n], steps.get(n) ?? 0), id });
    }
    this.tracks = this.tracks.filter(
      (track) => time - track.time <= (track.id === null ? FORGET_UNNAMED : REMEMBER),
    );
    return { ...frame, faces: out.sort((a, b) => a.id - b.id) };
  }

  private match(faces: Face[], matched: Map<number, Track>, time: number, cost: Cost): void {
    const freeFaces = faces.map((_, n) => n).filter((n) => !matched.has(n));
    const taken = new Set(matched.values());
    const freeTracks = this.tracks.filter((track) => !taken.has(track));
    const costs = freeTracks.map((track) => freeFaces.map((n) => cost(track, faces[n], time)));
    for (const [row, column] of assign(costs)) matched.set(freeFaces[column], freeTracks[row]);
  }

  private costInView: Cost = (track, face, time) => {
    let cost = this.costByPlace(track, face, time);
    if (cost < WORST_MATCH) {
      const foreign = Math.min(this.deviation(track, face), IDENTITY_CEILING) - 1;
      cost += IDENTITY_WEIGHT * (1 + 3 * (time - track.time)) * foreign;
    }
    return cost < WORST_MATCH ? cost : IMPOSSIBLE;
  };

  private costByPlace: Cost = (track, face, time) => {
    const gap = time - track.time;
    const mayBeUnsure = track.id !== null && time - track.sureTime <= UNSURE;
    if (gap > OCCLUSION || !(face.score >= NEW_SCORE || mayBeUnsure)) return IMPOSSIBLE;
    const size = boxSize(face.box);
    const away = distance(centreOf(face.box), track.predictedCentre(time));
    const place = away / ((REACH + REACH_PER_SECOND * gap) * Math.sqrt(size * track.size));
    if (place > 1) return IMPOSSIBLE;
    const growth = Math.log(size / track.size) / (0.35 + 0.5 * gap);
    const turn = angleBetween(face.rotation, track.face.rotation) / (0.6 + 2 * gap);
    const cost = place ** 2 + 0.5 * growth ** 2 + 0.1 * Math.min(turn, 3) ** 2;
    return cost < WORST_MATCH ? cost : IMPOSSIBLE;
  };

  private costReturning: Cost = (track, face, time) => {
    if (track.id === null || face.score < NEW_SCORE) return IMPOSSIBLE;
    const deviation = this.deviation(track, face);
    if (deviation > RECOGNISE) return IMPOSSIBLE;
    const gap = Math.max(time - track.time, 0);
    const away = distance(centreOf(face.box), track.centre) / track.size;
    return deviation + 0.3 * Math.min(away / (2 + gap), 2);
  };

  private deviation(track: Track, face: Face): number {
    return meanSquare(face.identity, track.identity.mean) / this.identityNoise;
  }

  private learnNoise(track: Track, face: Face): void {
    const seen = Math.min(meanSquare(face.identity, track.identity.mean), 4 * this.identityNoise);
    this.noiseSamples += 1;
    const share = Math.max(1 / (PRIOR_SAMPLES + this.noiseSamples), 0.02);
    const noise = this.identityNoise + share * (seen - this.identityNoise);
    this.identityNoise = Math.min(Math.max(noise, 0.001), 2);
  }

  private actorId(track: Track, first: boolean): number | null {
    if (track.id === null) {
      const sure = first || track.face.score >= SURE_SCORE;
      if (sure || track.frames >= CONFIRM_FRAMES) track.id = this.nextId++;
    }
    return track.id;
  }

  private startOver(time: number): void {
    for (const track of this.tracks) {
      track.time = track.sureTime = time - OCCLUSION / 2;
      track.velocity = [0, 0];
      track.filter.reset();
    }
  }
}

function centreOf(box: ArrayLike<number>): number[] {
  return [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
}

function distance(a: number[], b: number[]): number {
  return Math.hypot(a[0] - b[0], a[1] - b[1]);
}

function meanSquare(a: Float32Array, b: Float64Array): number {
  return a.reduce((sum, value, i) => sum + (value - b[i]) ** 2, 0) / a.length;
}

function withoutDuplicates(faces: Face[]): Face[] {
  const kept: Face[] = [];
  for (const face of [...faces].sort((a, b) => b.score - a.score)) {
    if (kept.every((other) => overlap(face.box, other.box) < DUPLICATE_OVERLAP)) kept.push(face);
  }
  return kept;
}

/** Which faces another one covers in part, so that their identity may be mixed with its. */
function overlappedFaces(faces: Face[]): boolean[] {
  const others = faces.filter((face) => face.score >= NEW_SCORE);
  return faces.map((face) =>
    others.some((other) => other !== face && overlap(face.box, other.box) > 0.05),
  );
}

/** Whether an unknown face is but a second box around a known one. */
function shadows(face: Face, faces: Face[], matched: Map<number, Track>): boolean {
  return [...matched.keys()].some(
    (n) =>
      overlap(face.box, faces[n].box) > 0.5 * DUPLICATE_OVERLAP ||
      contained(face.box, faces[n].box) > 0.7,
  );
}
