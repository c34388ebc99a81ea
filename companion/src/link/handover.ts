// SPDX-License-Identifier: GPL-3.0-or-later
// Hands recorded videos over to Blender, a piece at a time: after a cut it goes on where Blender's
// file ends (docs/protocol.md, "Videos").

import type { Video, VideoStore } from "./videoStore.ts";

const PIECE = 512 * 1024; // bytes
const LOOK_EVERY = 2000; // ms

export interface HandoverEvents {
  /** 0..1 of what is under way; null where nothing is. */
  progress(share: number | null): void;
  /** Why a video cannot be taken now; it is tried again. */
  refused(reason: string): void;
  /** Blender no longer has a take whose video is kept here. */
  unknownTake(take: number): void;
}

export class Handover {
  private readonly store: VideoStore;
  private readonly events: HandoverEvents;
  private readonly unwanted = new Set<number>();

  /**
   * `key`: this phone's, while Blender is there; `growing`: the video that is still recorded.
   */
  constructor(
    store: VideoStore,
    key: () => string | null,
    growing: () => number | null,
    events: HandoverEvents,
  ) {
    this.store = store;
    this.events = events;
    const look = async () => {
      const token = key();
      if (token) await this.handOver(token, growing()).catch(() => {}); // cut: later more
      setTimeout(look, LOOK_EVERY);
    };
    void look();
  }

  private async handOver(key: string, growing: number | null): Promise<void> {
    try {
      for (const video of await this.store.all()) {
        const finished = video.video !== growing && !this.unwanted.has(video.video);
        if (finished) await this.send(video, key);
      }
    } finally {
      this.events.progress(null);
    }
  }

  /** Throws where the connection is cut. */
  private async send(video: Video, key: string): Promise<void> {
    let have = 0;
    let piece = new ArrayBuffer(0); // an empty one asks how much is there
    while (have < video.size) {
      const response = await this.post(video, have, piece, key);
      const answer = await response.json();
      if (response.status === 404) {
        this.unwanted.add(video.video);
        return this.events.unknownTake(video.take);
      }
      const goesOn = response.ok || (response.status === 409 && answer.have <= video.size);
      if (!goesOn) return this.events.refused(answer.reason);
      have = answer.have;
      this.events.progress(have / video.size);
      if (have < video.size) piece = await this.store.read(video, have, PIECE);
    }
    await this.store.delete(video);
  }

  private post(video: Video, offset: number, body: ArrayBuffer, key: string): Promise<Response> {
    const header = JSON.stringify({ ...video, offset });
    const headers = { Authorization: `Bearer ${key}`, "MFN-Video": header };
    return fetch("/video", { method: "POST", headers, body });
  }
}
