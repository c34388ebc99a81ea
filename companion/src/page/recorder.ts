// SPDX-License-Identifier: GPL-3.0-or-later
// The camera's video of a take, recorded beside its faces where the user wants it.

import { now } from "../link/link.ts";
import type { Take } from "../link/store.ts";
import type { Video, VideoStore } from "../link/videoStore.ts";

const PIECE_EVERY = 1000; // ms
const BITS_PER_SECOND = 6_000_000;
// The phone's encoder first; software costs the network its time.
const TYPES = [
  "video/mp4;codecs=avc1.42E01E", "video/webm;codecs=h264", "video/webm;codecs=vp8", "video/webm",
];

/** Whether this browser can. */
export const canRecord = () =>
  "MediaRecorder" in self && TYPES.some((type) => MediaRecorder.isTypeSupported(type));

/**
 * When the first picture from `asked` on was captured, by a later one and the time between two.
 *
 * A busy phone shows few of the pictures that the recorder gets: the first that is shown may be
 * several after the first in the video.
 */
export const firstFrom = (asked: number, later: number, period: number) =>
  later - Math.floor((later - asked) / period) * period;

export class VideoRecorder {
  private readonly camera: HTMLVideoElement;
  private readonly store: VideoStore;
  private readonly failed: () => void;
  private recorder: MediaRecorder | null = null;
  /** The video under way, or the last one. */
  private video: Video | null = null;
  private written: Promise<void> = Promise.resolve();

  /** `failed`: the browser could not keep a piece; what it has kept stays. */
  constructor(camera: HTMLVideoElement, store: VideoStore, failed: () => void) {
    this.camera = camera;
    this.store = store;
    this.failed = failed;
  }

  /** The video that still grows; null while none does. */
  get growing(): number | null {
    return this.recorder && this.video && this.video.video;
  }

  /** Bytes that are kept of the video under way, or of the last one. */
  get size(): number {
    return this.video?.size ?? 0;
  }

  /** Begins or ends, as the take has it at `time`; both in seconds of the page's clock. */
  follow(take: Take | null, time: number, stream: number, wanted: boolean): void {
    const due = take !== null && time <= take.end; // also in the count-in
    const other = this.video?.take !== take?.take;
    if (this.recorder && (!due || other)) this.stop();
    if (!this.recorder && due && wanted) this.start(take.take, stream);
  }

  private start(take: number, stream: number): void {
    const source = this.camera.srcObject as MediaStream;
    if (!source?.active) return; // the camera is just being changed
    const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
    const recorder = new MediaRecorder(source, { mimeType, videoBitsPerSecond: BITS_PER_SECOND });
    const type = recorder.mimeType.split(";")[0] as Video["type"];
    const [id] = crypto.getRandomValues(new Uint32Array(1));
    const video: Video = { video: id, take, stream, start: 0, type, size: 0 };
    recorder.ondataavailable = ({ data }) => this.keep(recorder, video, data);
    recorder.onstop = () => void this.written.then(() => this.ended(recorder));
    this.recorder = recorder;
    this.video = video;
    const asked = now();
    const rate = source.getVideoTracks()[0].getSettings().frameRate;
    const note = () => {
      this.camera.requestVideoFrameCallback((_, { captureTime }) => {
        const captured = captureTime ? (performance.timeOrigin + captureTime) / 1000 : now();
        // A picture that was under way when it began is not in the video.
        if (captured < asked) note();
        else video.start = firstFrom(asked, captured, 1 / (rate || 30));
      });
    };
    note();
    recorder.start(PIECE_EVERY);
  }

  private stop(): void {
    if (this.recorder?.state === "recording") this.recorder.stop();
  }

  /** Pieces are written one after another: each has its place in the file. */
  private keep(recorder: MediaRecorder, video: Video, data: Blob): void {
    if (!data.size) return;
    this.written = this.written.then(async () => {
      try {
        await this.store.append(video, await data.arrayBuffer());
      } catch {
        if (recorder.state === "recording") recorder.stop();
        this.failed();
      }
    });
  }

  private ended(recorder: MediaRecorder): void {
    if (this.recorder === recorder) this.recorder = null;
  }
}
