// SPDX-License-Identifier: GPL-3.0-or-later
// Recorded frames in IndexedDB until Blender has them on its disk: they outlive a lost network,
// a reload of the page and a restart of Blender.

import { finished, settled } from "./database.ts";

const FRAMES = "frames";

export interface StoredFrame {
  take: number;
  stream: number;
  sequence: number;
  /** The payload of its FRAME. */
  payload: Uint8Array;
}

/** A take that is being recorded; times in seconds of this page's clock. */
export interface Take {
  take: number;
  start: number;
  end: number;
  /** How many frames this page has recorded for it. */
  frames: number;
}

const TAKE = "mfn-take";

/** The take that was under way when the page was reloaded; gone when its tab is closed. */
export function rememberedTake(): Take | null {
  const text = sessionStorage.getItem(TAKE);
  return text ? { ...JSON.parse(text), end: Infinity } : null;
}

export function rememberTake(take: Take | null): void {
  // A finished take still counts late frames: only one without an end is under way.
  if (take?.end === Infinity) sessionStorage.setItem(TAKE, JSON.stringify(take));
  else sessionStorage.removeItem(TAKE);
}

export class FrameStore {
  private readonly database: IDBDatabase;

  private constructor(database: IDBDatabase) {
    this.database = database;
  }

  static async open(): Promise<FrameStore> {
    const request = indexedDB.open("mfn-recorded", 1);
    request.onupgradeneeded = () => {
      request.result.createObjectStore(FRAMES, { keyPath: ["take", "stream", "sequence"] });
    };
    return new FrameStore(await settled(request));
  }

  async add(frame: StoredFrame): Promise<void> {
    const transaction = this.database.transaction(FRAMES, "readwrite");
    transaction.objectStore(FRAMES).put(frame);
    await finished(transaction);
  }

  /** All that is kept, by take, stream and sequence. */
  async all(): Promise<StoredFrame[]> {
    return settled(this.database.transaction(FRAMES).objectStore(FRAMES).getAll());
  }

  /** Deletes the frames of a take that nobody wants. */
  async deleteTake(take: number): Promise<void> {
    const transaction = this.database.transaction(FRAMES, "readwrite");
    transaction.objectStore(FRAMES).delete(IDBKeyRange.bound([take], [take, []]));
    await finished(transaction);
  }

  /** Forget the frames that the receiver has on its disk. */
  async saved(take: number, stream: number, ranges: [number, number][]): Promise<void> {
    const transaction = this.database.transaction(FRAMES, "readwrite");
    for (const [first, last] of ranges) {
      const range = IDBKeyRange.bound([take, stream, first], [take, stream, last]);
      transaction.objectStore(FRAMES).delete(range);
    }
    await finished(transaction);
  }
}
