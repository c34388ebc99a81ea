// SPDX-License-Identifier: GPL-3.0-or-later
// The live protocol's bytes (docs/protocol.md, version 3). No sockets, no browser.

import type { Face, FaceFrame } from "../core/face.ts";
import { quaternionFromMatrix } from "../core/rotation.ts";

export const VERSION = 3;
export const KIND = {
  hello: 1, welcome: 2, refused: 3, frame: 4, status: 6, control: 7, recorded: 8, saved: 9,
  clock: 10, clockAnswer: 11, request: 12,
} as const;

const HAS_IDENTITY = 1;
const COMPACT = 4;
const FRAME_HEAD = 21;
const FACE_BYTES = 110; // compact, without what may be left out
const IDENTITY_BYTES = 80;
const WAITED_BYTES = 2;
const PIXEL_UNITS = 16384; // the picture's longer side
const LARGEST_WEIGHT = 4095; // 12 bits

export interface Message {
  kind: number;
  payload: DataView;
}

export interface Saved {
  take: number;
  stream: number;
  /** First and last sequence number of each run, both included. */
  ranges: [number, number][];
}

export function packMessage(kind: number, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const out = new Uint8Array(5 + payload.length);
  const view = new DataView(out.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint8(4, kind);
  out.set(payload, 5);
  return out;
}

export function packJson(kind: number, value: unknown): Uint8Array<ArrayBuffer> {
  return packMessage(kind, new TextEncoder().encode(JSON.stringify(value)));
}

export function readJson(payload: DataView): Record<string, unknown> {
  return JSON.parse(new TextDecoder().decode(payload));
}

/** All messages of a WebSocket message or an answer. Throws a RangeError where one is cut off. */
export function unpackMessages(bytes: ArrayBuffer): Message[] {
  const messages: Message[] = [];
  const view = new DataView(bytes);
  for (let at = 0; at < bytes.byteLength; ) {
    const length = view.getUint32(at, true);
    const kind = view.getUint8(at + 4);
    messages.push({ kind, payload: new DataView(bytes, at + 5, length) });
    at += 5 + length;
  }
  return messages;
}

/**
 * A FRAME's payload; `withIdentity`: also each face's identity weights; `sent`: when it leaves, in
 * seconds of the frame's clock.
 */
export function packFrame(
  frame: FaceFrame, sequence: number, withIdentity: boolean, sent: number,
): Uint8Array {
  const size = FACE_BYTES + (withIdentity ? IDENTITY_BYTES : 0);
  const end = FRAME_HEAD + frame.faces.length * size;
  const out = new Uint8Array(end + WAITED_BYTES);
  const view = new DataView(out.buffer);
  view.setUint32(0, sequence, true);
  view.setFloat64(4, frame.time, true);
  view.setUint32(12, frame.frame, true);
  view.setUint16(16, frame.width, true);
  view.setUint16(18, frame.height, true);
  view.setUint8(20, frame.faces.length);
  const unit = Math.max(frame.width, frame.height) / PIXEL_UNITS;
  frame.faces.forEach((face, n) => packFace(view, FRAME_HEAD + n * size, face, unit, withIdentity));
  // Never more than it was: the receiver takes it for a bound.
  view.setUint16(end, Math.min(Math.max(Math.floor((sent - frame.time) * 1e4), 0), 65535), true);
  return out;
}

function packFace(
  view: DataView, start: number, face: Face, unit: number, withIdentity: boolean,
): void {
  let at = start;
  const i16 = (value: number) => {
    view.setInt16(at, Math.min(Math.max(Math.round(value), -32768), 32767), true);
    at += 2;
  };
  const f32 = (value: number) => {
    view.setFloat32(at, value, true);
    at += 4;
  };
  i16(face.id);
  view.setUint8(at++, COMPACT | (withIdentity ? HAS_IDENTITY : 0));
  view.setUint8(at++, Math.round(face.score * 255));
  face.box.forEach((value) => i16(value / unit));
  quaternionFromMatrix(face.rotation).forEach((value) => i16(value * 32767));
  face.translation.forEach(f32);
  const { expression } = face;
  for (let n = 0; n < expression.length; n += 2, at += 3) {
    const first = twelveBits(expression[n]);
    const second = twelveBits(expression[n + 1]);
    view.setUint8(at, first & 255);
    view.setUint8(at + 1, (first >> 8) | ((second & 15) << 4));
    view.setUint8(at + 2, second >> 4);
  }
  if (withIdentity) face.identity.forEach((value) => i16(value * 4096));
}

const twelveBits = (weight: number) =>
  Math.round(Math.min(Math.max(weight, 0), 1) * LARGEST_WEIGHT);

export function packRecorded(take: number, stream: number, payload: Uint8Array) {
  const body = new Uint8Array(8 + payload.length);
  const view = new DataView(body.buffer);
  view.setUint32(0, take, true);
  view.setUint32(4, stream, true);
  body.set(payload, 8);
  return packMessage(KIND.recorded, body);
}

export function packClockAnswer(asked: number, received: number, sent: number) {
  return packMessage(KIND.clockAnswer, new Uint8Array(Float64Array.of(asked, received, sent).buffer));
}

export function readSaved(payload: DataView): Saved {
  const ranges: [number, number][] = [];
  const count = payload.getUint16(8, true);
  for (let n = 0, at = 10; n < count; n++, at += 8) {
    ranges.push([payload.getUint32(at, true), payload.getUint32(at + 4, true)]);
  }
  return { take: payload.getUint32(0, true), stream: payload.getUint32(4, true), ranges };
}
