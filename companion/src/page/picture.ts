// SPDX-License-Identifier: GPL-3.0-or-later
// The camera's pictures: taken from the video on the page, read as pixels in the worker.

import { TEXT } from "./strings.ts";

/** Passed on, it belongs to who gets it; whoever has it closes it, as a camera has few of them. */
export type Picture = VideoFrame | ImageBitmap;

export interface Pixels {
  rgba: Uint8Array | Uint8ClampedArray;
  width: number;
  height: number;
}

/**
 * The frame that the video shows, which costs no copy; null where its pixels may lie otherwise than
 * they are shown (a phone's camera that is turned or mirrored, pixels that are not square), or where
 * the browser has no such frames.
 */
export function shownFrame(video: HTMLVideoElement): VideoFrame | null {
  let frame: VideoFrame;
  try {
    frame = new VideoFrame(video);
  } catch {
    return null;
  }
  if (liesAsShown(frame, video)) return frame;
  frame.close();
  return null;
}

function liesAsShown(frame: VideoFrame, video: HTMLVideoElement): boolean {
  // Not in TypeScript's library yet; a browser that does not tell is not trusted.
  const { rotation, flip } = frame as VideoFrame & { rotation?: number; flip?: boolean };
  const { visibleRect, displayWidth, displayHeight } = frame;
  return (
    rotation === 0 && !flip &&
    displayWidth === video.videoWidth && displayHeight === video.videoHeight &&
    displayWidth === visibleRect?.width && displayHeight === visibleRect.height
  );
}

/** Reads pictures; reuses its buffers. */
export class PixelReader {
  private readonly context: OffscreenCanvasRenderingContext2D;
  private rgba = new Uint8Array(0);
  private copies = true; // until the browser has shown that it cannot

  constructor() {
    const context = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error(TEXT.noCanvas);
    this.context = context;
  }

  /** RGBA, row by row, good until the next call. Closes the picture. */
  async read(picture: Picture): Promise<Pixels> {
    try {
      const copied = picture instanceof ImageBitmap ? null : await this.copy(picture);
      return copied ?? this.draw(picture);
    } finally {
      picture.close();
    }
  }

  /** An eighth of the time that drawing takes, to the bit alike; null where it cannot be done. */
  private async copy(frame: VideoFrame): Promise<Pixels | null> {
    const { displayWidth: width, displayHeight: height } = frame;
    const bytes = width * height * 4;
    const layout = { format: "RGBA" as const };
    try {
      // Browsers that do not know the format pass it over, and would copy the camera's own.
      this.copies &&= frame.allocationSize(layout) === bytes;
      if (!this.copies) return null;
      if (this.rgba.length !== bytes) this.rgba = new Uint8Array(bytes);
      await frame.copyTo(this.rgba, layout);
      return { rgba: this.rgba, width, height };
    } catch {
      this.copies = false;
      return null;
    }
  }

  private draw(picture: Picture): Pixels {
    const [width, height] =
      picture instanceof ImageBitmap
        ? [picture.width, picture.height]
        : [picture.displayWidth, picture.displayHeight];
    const { canvas } = this.context;
    if (canvas.width !== width) canvas.width = width;
    if (canvas.height !== height) canvas.height = height;
    this.context.drawImage(picture, 0, 0);
    return { rgba: this.context.getImageData(0, 0, width, height).data, width, height };
  }
}
