// SPDX-License-Identifier: GPL-3.0-or-later
// Recorded videos in IndexedDB, in the pieces in which they came, until Blender has them.

import { finished, settled } from "./database.ts";

const VIDEOS = "videos";
const PIECES = "pieces";

export interface Video {
  /** A random u32 that names it. */
  video: number;
  take: number;
  /** The run of the page by whose clock it began, and when, in seconds. */
  stream: number;
  start: number;
  type: "video/webm" | "video/mp4";
  /** Bytes so far. */
  size: number;
}

interface Piece {
  video: number;
  /** Where it lies in the video, bytes. */
  offset: number;
  bytes: ArrayBuffer;
}

export class VideoStore {
  private readonly database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.database = database;
  }

  static async open(): Promise<VideoStore> {
    const request = indexedDB.open("mfn-videos", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(VIDEOS, { keyPath: "video" });
      request.result.createObjectStore(PIECES, { keyPath: ["video", "offset"] });
    };
    return new VideoStore(await settled(request));
  }

  /** Appends to a video, which is new where its size is 0, and counts the bytes in its size. */
  async append(video: Video, bytes: ArrayBuffer): Promise<void> {
    const piece: Piece = { video: video.video, offset: video.size, bytes };
    const transaction = this.database.transaction([VIDEOS, PIECES], "readwrite");
    video.size += bytes.byteLength;
    transaction.objectStore(VIDEOS).put(video);
    transaction.objectStore(PIECES).put(piece);
    await finished(transaction);
  }

  async all(): Promise<Video[]> {
    return settled(this.database.transaction(VIDEOS).objectStore(VIDEOS).getAll());
  }

  /** What a video has from `offset` on: at least a byte, and at most `most`. */
  async read({ video }: Video, offset: number, most: number): Promise<ArrayBuffer> {
    const range = IDBKeyRange.bound([video, 0], [video, offset]);
    const pieces = this.database.transaction(PIECES).objectStore(PIECES);
    const cursor = await settled(pieces.openCursor(range, "prev"));
    if (!cursor) throw new Error("a piece of the video is gone");
    const piece: Piece = cursor.value;
    const from = offset - piece.offset;
    return piece.bytes.slice(from, from + most);
  }

  /** Deletes the videos of a take that nobody wants. */
  async deleteTake(take: number): Promise<void> {
    for (const video of await this.all()) if (video.take === take) await this.delete(video);
  }

  async delete({ video }: Video): Promise<void> {
    const transaction = this.database.transaction([VIDEOS, PIECES], "readwrite");
    transaction.objectStore(VIDEOS).delete(video);
    transaction.objectStore(PIECES).delete(IDBKeyRange.bound([video, 0], [video, Infinity]));
    await finished(transaction);
  }
}
