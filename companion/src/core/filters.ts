// SPDX-License-Identifier: GPL-3.0-or-later
// The One Euro filter (Casiez, Roussel and Vogel, CHI 2012) on a face's values, as in
// mfn_addon/track/one_euro.py, smoothing.py and options.py, which say what each number does.

import type { Face } from "./face.ts";
import {
  type Quaternion,
  quaternionFromMatrix,
  quaternionToMatrix,
  slerp,
  turnBetween,
} from "./rotation.ts";

/** Hz at rest, Hz gained for one unit a second, Hz of the low pass on the speed, and how many
 * standard deviations of the noise's own speed count as standing still. */
type Knobs = readonly [cutoff: number, speed: number, derivative: number, gate: number];

/** The noise of a rotation, in radians, from which on its cutoff at rest falls in proportion. */
const LOUD = 0.012;
const LOUD_GATE = 4 / 3; // how much wider the gate of a loud rotation is at most
const DRIFT = 0.5; // Hz of a slower low pass, which notices slow turns under the noise
const DRIFT_GATE = 4; // standard deviations of the noise's own drift that count as standing still

const ROTATION: Knobs = [0.15, 28, 4, 3.5];
const TRANSLATION: Knobs = [1.2, 30, 1, 0];
const BOX: Knobs = [2, 10, 1, 0];
const LANDMARKS: Knobs = [2, 14, 1, 0];
const LIDS: Knobs = [0.5, 24, 4, 3];
const MOUTH: Knobs = [0.75, 24, 4, 3];
const OTHERS: Knobs = [0.5, 24, 4, 3];
const IDENTITY_SPAN = 5;
const RESTART_AFTER = 0.4; // seconds unseen: an old pose says nothing about a new one

const LANDMARKS_AT = 4 + 3 + 52; // box, translation, expression come before

/** The share of the new sample in a first-order low pass of `cutoff` Hz after `dt` s. */
function smoothing(cutoff: number, dt: number): number {
  const turn = 2 * Math.PI * Math.max(dt, 1e-6) * cutoff;
  return turn / (turn + 1);
}

/** How much each of some signals shakes by itself, as in mfn_addon/track/one_euro.py. */
class Noise {
  readonly variance: Float64Array;
  private readonly step: Float64Array;
  private seen = 0;

  constructor(count: number) {
    this.variance = new Float64Array(count);
    this.step = new Float64Array(count);
  }

  /** Learn from a step from the last sample to this one, `dt` s long. */
  add(step: ArrayLike<number>, dt: number): void {
    this.seen += 1;
    const share = Math.max(1 / this.seen, dt / (dt + 1));
    for (let i = 0; i < step.length; i++) {
      const jerk = step[i] - this.step[i];
      this.step[i] = step[i];
      let seen = (jerk * jerk) / 6;
      if (this.seen > 10) seen = Math.min(seen, 4 * this.variance[i] + 1e-7);
      this.variance[i] += share * (seen - this.variance[i]);
    }
  }
}

/** The standard deviation that a signal's noise gives its speed, low-passed at `cutoff` Hz. */
function noiseSpeed(cutoff: number, variance: number, dt: number): number {
  const share = smoothing(cutoff, dt);
  return Math.sqrt((variance * share) / (2 - share)) / Math.max(dt, 1e-6);
}

/** The speed up to which a signal with such noise is taken to stand still. */
function quietSpeed(knobs: Knobs, variance: number, dt: number): number {
  return knobs[3] * noiseSpeed(knobs[2], variance, dt);
}

/** The least share of a new sample, after one with `share`: 1, 1/2, 1/3, ... as in a mean. */
function settling(share: number): number {
  return share / (1 + share);
}

/** The mean of the identity weights seen: of all at first, later of the last `span` s. */
export class IdentityAverage {
  mean: Float64Array = new Float64Array(0);
  private readonly span: number;
  private seen = 0;

  constructor(span: number) {
    this.span = span;
  }

  add(identity: Float32Array, dt: number): Float32Array {
    this.seen += 1;
    if (this.seen === 1) this.mean = Float64Array.from(identity);
    const share = Math.max(1 / this.seen, Math.min(dt / this.span, 1));
    this.mean = this.mean.map((value, i) => value + share * (identity[i] - value));
    return Float32Array.from(this.mean);
  }
}

/** Smooths one actor's faces over time. */
export class FaceFilter {
  private readonly knobs: Knobs[];
  private readonly identity = new IdentityAverage(IDENTITY_SPAN);
  private values: Float64Array | null = null;
  private last: Float64Array = new Float64Array(0);
  private rates: Float64Array;
  private shares: Float64Array;
  private noise = new Noise(0);
  private turn: Quaternion | null = null;
  private lastTurn: Quaternion | null = null;
  private turnRate = [0, 0, 0];
  private turnDrift = [0, 0, 0];
  private turnShare = 1;
  private turnNoise = new Noise(3);

  constructor(expressions: readonly string[], landmarks: number) {
    this.knobs = [
      ...Array<Knobs>(4).fill(BOX),
      ...Array<Knobs>(3).fill(TRANSLATION),
      ...expressions.map(expressionKnobs),
      ...Array<Knobs>(landmarks * 2).fill(LANDMARKS),
    ];
    this.rates = new Float64Array(this.knobs.length);
    this.shares = new Float64Array(this.knobs.length);
  }

  /** The smoothed face, `dt` seconds after the last one. */
  apply(face: Face, dt: number): Face {
    if (dt > RESTART_AFTER) this.reset();
    const { box, translation, expression, landmarks } = face;
    const new_ = Float64Array.of(...box, ...translation, ...expression, ...landmarks);
    const smooth = Float32Array.from(this.filterValues(new_, dt, boxSize(box)));
    return {
      ...face,
      rotation: this.filterRotation(face.rotation, dt),
      box: smooth.slice(0, 4),
      translation: smooth.slice(4, 7),
      expression: smooth.slice(7, LANDMARKS_AT).map((value) => Math.min(Math.max(value, 0), 1)),
      landmarks: smooth.slice(LANDMARKS_AT),
      identity: this.identity.add(face.identity, dt),
    };
  }

  /** Let the next face through as it is; the identity stays. */
  reset(): void {
    this.values = null;
    this.turn = null;
  }

  private filterValues(value: Float64Array, dt: number, size: number): Float64Array {
    if (this.values === null) {
      this.rates.fill(0);
      this.shares.fill(1);
      this.noise = new Noise(value.length);
      this.last = value;
      return (this.values = Float64Array.from(value));
    }
    const { values, rates, shares, knobs, last } = this;
    this.noise.add(value.map((now, i) => now - last[i]), dt);
    this.last = value;
    for (let i = 0; i < value.length; i++) {
      const rate = (value[i] - values[i]) / Math.max(dt, 1e-6);
      rates[i] += smoothing(knobs[i][2], dt) * (rate - rates[i]);
    }
    for (let i = 0; i < value.length; i++) {
      let speed = Math.abs(rates[i]);
      if (i >= LANDMARKS_AT) {
        // The x and y of a point share its speed, so that both lag alike.
        const x = LANDMARKS_AT + ((i - LANDMARKS_AT) & ~1);
        speed = Math.hypot(rates[x], rates[x + 1]);
      }
      speed = Math.max(speed - quietSpeed(knobs[i], this.noise.variance[i], dt), 0);
      const unit = i < 4 || i >= LANDMARKS_AT ? size : 1;
      const share = smoothing(knobs[i][0] + (knobs[i][1] * speed) / unit, dt);
      shares[i] = Math.max(share, settling(shares[i]));
      values[i] += shares[i] * (value[i] - values[i]);
    }
    return values;
  }

  private filterRotation(rotation: Float32Array, dt: number): Float32Array {
    const now = quaternionFromMatrix(rotation);
    if (this.turn === null || this.lastTurn === null) {
      this.turnRate = [0, 0, 0];
      this.turnDrift = [0, 0, 0];
      this.turnShare = 1;
      this.turnNoise = new Noise(3);
      this.turn = now;
    } else {
      this.turnNoise.add(turnBetween(this.lastTurn, now), dt);
      const turn = turnBetween(this.turn, now).map((part) => part / Math.max(dt, 1e-6));
      const [quick, slow] = [smoothing(ROTATION[2], dt), smoothing(DRIFT, dt)];
      this.turnRate = this.turnRate.map((rate, n) => rate + quick * (turn[n] - rate));
      this.turnDrift = this.turnDrift.map((rate, n) => rate + slow * (turn[n] - rate));
      const variance = this.turnNoise.variance.reduce((sum, part) => sum + part, 0);
      const loudness = Math.max(Math.sqrt(variance) / LOUD, 1);
      const quiet = quietSpeed(ROTATION, variance, dt) * Math.min(loudness, LOUD_GATE);
      const quietDrift = DRIFT_GATE * noiseSpeed(DRIFT, variance, dt);
      const [rate, drift] = [Math.hypot(...this.turnRate), Math.hypot(...this.turnDrift)];
      const speed = Math.max(rate - quiet, drift - quietDrift, 0);
      const cutoff = ROTATION[0] / loudness + ROTATION[1] * speed;
      this.turnShare = Math.max(smoothing(cutoff, dt), settling(this.turnShare));
      this.turn = slerp(this.turn, now, this.turnShare);
    }
    this.lastTurn = now;
    return quaternionToMatrix(this.turn);
  }
}

/** px: the side of a square as large as the box, at least 1. */
export function boxSize(box: ArrayLike<number>): number {
  return Math.sqrt(Math.max(box[2] - box[0], 1) * Math.max(box[3] - box[1], 1));
}

function expressionKnobs(name: string): Knobs {
  if (/^eye(Blink|Wide|Look)/.test(name)) return LIDS;
  return /^(jaw|mouth|tongue)/.test(name) ? MOUTH : OTHERS;
}
