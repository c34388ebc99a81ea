// SPDX-License-Identifier: GPL-3.0-or-later
// What a picture yields, as in mfn_addon/face/frame.py; frames and units are the same.

export const NO_ID = -1;

export interface Face {
  /** The actor's number, constant over a source's frames; NO_ID before tracking. */
  id: number;
  /** How sure the network is that this is a face, 0..1. */
  score: number;
  /** x0, y0, x1, y1 in px of the picture, y down. */
  box: Float32Array;
  /** Head axes as columns in the camera frame, row by row (3x3). */
  rotation: Float32Array;
  /** The head's origin in the camera frame, metres; z is negative. */
  translation: Float32Array;
  /** 40 weights of the head model's identity modes. */
  identity: Float32Array;
  /** 52 weights 0..1, in the order of the head model's expression names. */
  expression: Float32Array;
  /** x and y of 68 landmarks in turn, px of the picture, iBUG order. */
  landmarks: Float32Array;
}

export interface FaceFrame {
  /** Seconds of the source's clock when the picture was captured. */
  time: number;
  /** The picture's number. */
  frame: number;
  width: number;
  height: number;
  faces: Face[];
}
