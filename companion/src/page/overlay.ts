// SPDX-License-Identifier: GPL-3.0-or-later
// Boxes and meshes over the live picture.

import type { FaceFrame } from "../core/face.ts";

const COLOURS = ["#4fd1a5", "#f6b24a", "#7ab8ff", "#f27fb2", "#c7a3ff", "#e6e06a", "#6ce0e8", "#ff8f70"];

export const colourOf = (id: number) => COLOURS[(id - 1 + COLOURS.length) % COLOURS.length];

export function drawOverlay(
  canvas: HTMLCanvasElement,
  frame: FaceFrame,
  meshes: Float32Array[],
  edges: number[],
): void {
  const context = canvas.getContext("2d");
  if (!context) return;
  // As large as it is seen: more is painted for nothing, thirty times a second.
  const shown = Math.min(canvas.clientWidth / frame.width, canvas.clientHeight / frame.height);
  const scale = Math.min(shown * devicePixelRatio, 1);
  const width = Math.round(frame.width * scale);
  const height = Math.round(frame.height * scale);
  if (canvas.width !== width) canvas.width = width;
  if (canvas.height !== height) canvas.height = height;
  context.setTransform(width / frame.width, 0, 0, height / frame.height, 0, 0);
  context.clearRect(0, 0, frame.width, frame.height);
  const unit = Math.max(frame.width, frame.height) / 640;
  frame.faces.forEach((face, n) => {
    context.strokeStyle = context.fillStyle = colourOf(face.id);
    context.globalAlpha = 0.55;
    context.lineWidth = unit * 0.7;
    context.beginPath();
    for (let e = 0; e < edges.length; e += 2) {
      context.moveTo(meshes[n][edges[e] * 2], meshes[n][edges[e] * 2 + 1]);
      context.lineTo(meshes[n][edges[e + 1] * 2], meshes[n][edges[e + 1] * 2 + 1]);
    }
    context.stroke();
    context.globalAlpha = 1;
    context.lineWidth = unit * 1.5;
    const [x0, y0, x1, y1] = face.box;
    context.beginPath();
    context.roundRect(x0, y0, x1 - x0, y1 - y0, unit * 6);
    context.stroke();
  });
}
