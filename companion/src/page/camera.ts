// SPDX-License-Identifier: GPL-3.0-or-later
// The camera, and clear words where there is none.

import { TEXT } from "./strings.ts";

export interface CameraChoice {
  facing: "user" | "environment";
  rate: number;
  /** The picture's longer side, px. */
  width: number;
}

/**
 * Starts the camera in `video`, after ending the one before. Throws an Error for people.
 *
 * `gone` is called if the camera ends by itself: unplugged, or taken by another app.
 */
export async function openCamera(
  video: HTMLVideoElement,
  choice: CameraChoice,
  gone: () => void,
): Promise<void> {
  if (!isSecureContext || !navigator.mediaDevices) throw new Error(TEXT.insecure);
  for (const track of (video.srcObject as MediaStream | null)?.getTracks() ?? []) track.stop();
  try {
    video.srcObject = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: {
        facingMode: choice.facing,
        frameRate: { ideal: choice.rate },
        width: { ideal: choice.width },
        height: { ideal: Math.round((choice.width * 9) / 16) },
      },
    });
  } catch (error) {
    const { name, message } = error as DOMException;
    if (name === "NotAllowedError") throw new Error(TEXT.noPermission);
    if (name === "NotReadableError" || name === "AbortError") throw new Error(TEXT.cameraTaken);
    if (name === "NotFoundError") throw new Error(TEXT.noCamera);
    throw new Error(TEXT.cameraFailed(message));
  }
  (video.srcObject as MediaStream).getVideoTracks()[0].addEventListener("ended", gone);
  await video.play();
}

/** Keeps the screen on while the page is in front. */
export function keepAwake(): void {
  const ask = () => {
    // Refused in low-power mode: the page works without.
    if (!document.hidden) navigator.wakeLock?.request("screen").catch(() => {});
  };
  document.addEventListener("visibilitychange", ask);
  ask();
}
