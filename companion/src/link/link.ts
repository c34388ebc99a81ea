// SPDX-License-Identifier: GPL-3.0-or-later
// The page's end of the live protocol: connects and connects again, answers the clock, sends the
// latest frame for the eye, and every recorded frame until Blender has it on its disk.

import type { FaceFrame } from "../core/face.ts";
import { BatteryState } from "./battery.ts";
import { type Carrier, openBatches, openWebSocket } from "./carrier.ts";
import * as codec from "./codec.ts";
import { type FrameStore, type StoredFrame, type Take, rememberTake, rememberedTake } from "./store.ts";

const { KIND } = codec;
const RECONNECT_EVERY = 1500; // ms
const STATUS_EVERY = 5000; // ms
const RESEND_AFTER = 5000; // ms without SAVED
const MOST_UNSAVED_BYTES = 256 * 1024;
const RECORD_WITHIN = 5000; // ms after WELCOME, of a take that still lasts
const IDENTITY_EVERY = 30; // frames
const RECENT = 120; // frames kept for a recording that began a moment ago

export type LinkState = "connecting" | "connected" | "lost" | "unpaired" | "stopped";

export interface LinkEvents {
  changed(): void;
  /** `code`: docs/protocol.md, "HELLO". */
  refused(code: string, reason: string): void;
  notice(reason: string): void;
  /** Frames of a take could not be written to this device's disk, or read back. */
  storeFailed(): void;
  /** Blender no longer has a take whose frames are kept here. */
  unknownTake(take: number): void;
}

/** Seconds of this page's clock, near the Unix time. */
export const now = () => (performance.timeOrigin + performance.now()) / 1000;

export class Link {
  state: LinkState = "connecting";
  name = "";
  carrierName = "";
  /** The take that is being recorded or counted in, also one that began before a reload. */
  take: Take | null = rememberedTake();
  /** This run of the page; sequence numbers and the clock belong to it. */
  readonly stream = crypto.getRandomValues(new Uint32Array(1))[0];
  private readonly hello: Record<string, unknown>;
  private readonly store: FrameStore;
  private readonly events: LinkEvents;
  private readonly unsaved = new Map<string, { frame: StoredFrame; sent: number }>();
  private readonly battery = new BatteryState();
  private carrier: Carrier | null = null;
  private webSocketRefused: boolean;
  private sequence = 0;
  private identityIn = 0;
  private known = "";
  private readonly unknown = new Set<number>();
  private message = "";
  private readonly recent: { time: number; sequence: number; payload: Uint8Array }[] = [];

  constructor(
    key: string,
    device: string,
    expressions: readonly string[],
    store: FrameStore,
    events: LinkEvents,
    webSocket: boolean,
  ) {
    this.webSocketRefused = !webSocket;
    this.store = store;
    this.events = events;
    this.hello = {
      version: codec.VERSION, token: key, source: device, expressions,
      identity_count: 40, landmark_count: 68, stream: this.stream,
    };
  }

  /** Recorded frames that Blender has not acknowledged. */
  get pending(): number {
    return this.unsaved.size;
  }

  async start(): Promise<void> {
    const kept = await this.stored(this.store.all());
    for (const frame of kept ?? []) this.keep(frame);
    setInterval(() => this.sendStatus(), STATUS_EVERY);
    setInterval(() => this.resend(), 1000);
    await this.connect();
  }

  request(request: string, more: Record<string, unknown> = {}): void {
    this.carrier?.send(codec.packJson(KIND.request, { request, ...more }));
  }

  /** Shows a line in Blender, beside this phone's name; "" for none. */
  tell(message: string): void {
    if (message === this.message) return;
    this.message = message;
    this.sendStatus();
  }

  /** A new frame: to the eye at once or never, and to a take for certain. */
  send(frame: FaceFrame): void {
    const ids = frame.faces.map((face) => face.id).join();
    const withIdentity = ids !== this.known || this.identityIn <= 0;
    this.identityIn = withIdentity ? IDENTITY_EVERY : this.identityIn - 1;
    this.known = ids;
    const sequence = this.sequence++;
    const payload = codec.packFrame(frame, sequence, withIdentity, now());
    const { take } = this;
    if (take && frame.time >= take.start && frame.time <= take.end) {
      this.addToTake(take, sequence, payload);
      return;
    }
    this.recent.push({ time: frame.time, sequence, payload });
    if (this.recent.length > RECENT) this.recent.shift();
    if (this.state === "connected" && this.carrier?.isFree()) {
      this.carrier.send(codec.packMessage(KIND.frame, payload));
    }
  }

  private addToTake(take: Take, sequence: number, payload: Uint8Array): void {
    const kept = { take: take.take, stream: this.stream, sequence, payload };
    this.keep(kept);
    void this.stored(this.store.add(kept));
    take.frames += 1;
    rememberTake(take);
    this.sendRecorded(kept);
  }

  private async connect(): Promise<void> {
    this.setState("connecting");
    const ends = {
      received: (bytes: ArrayBuffer) => codec.unpackMessages(bytes).forEach((m) => this.handle(m)),
      closed: () => this.lost(),
    };
    try {
      this.carrier = this.webSocketRefused ? openBatches(ends) : await openWebSocket(ends);
    } catch {
      // Refused, or nobody there: only where the server answers otherwise is it the WebSocket.
      this.webSocketRefused = await fetch("/about").then((answer) => answer.ok, () => false);
      return this.lost();
    }
    this.carrierName = this.carrier.name;
    this.carrier.send(codec.packJson(KIND.hello, this.hello));
  }

  private lost(): void {
    this.carrier = null;
    if (this.state === "stopped" || this.state === "unpaired") return;
    this.setState("lost");
    setTimeout(() => this.connect(), RECONNECT_EVERY);
  }

  private handle({ kind, payload }: codec.Message): void {
    const received = now();
    if (kind === KIND.clock) {
      const asked = payload.getFloat64(0, true);
      this.carrier?.send(codec.packClockAnswer(asked, received, now()));
    } else if (kind === KIND.saved) {
      this.forget(codec.readSaved(payload));
    } else if (kind === KIND.welcome) {
      this.welcome(codec.readJson(payload));
    } else if (kind === KIND.refused) {
      const { code, reason } = codec.readJson(payload);
      this.setState(code === "token" ? "unpaired" : "stopped");
      this.events.refused(String(code), String(reason));
    } else if (kind === KIND.control) {
      this.obey(codec.readJson(payload));
    }
  }

  private welcome(facts: Record<string, unknown>): void {
    this.name = String(facts.name ?? "");
    if (typeof facts.session === "string") this.carrier?.useSession(facts.session);
    this.identityIn = 0;
    this.setState("connected");
    this.sendStatus();
    for (const entry of this.unsaved.values()) entry.sent = 0;
    this.resend();
    const before = this.take;
    setTimeout(() => {
      // Blender names a take that lasts once more: of this one, the end was not heard.
      if (before && this.take === before && this.state === "connected") this.finish(now());
    }, RECORD_WITHIN);
  }

  private record(take: number, start: number): void {
    const frames = this.take?.take === take ? this.take.frames : 0;
    this.take = { take, start, end: Infinity, frames };
    rememberTake(this.take);
    // Frames captured before this was heard belong to the take as well.
    for (const { time, sequence, payload } of this.recent) {
      if (time >= start) this.addToTake(this.take, sequence, payload);
    }
    this.recent.length = 0;
  }

  private finish(end: number): void {
    if (!this.take) return;
    this.take.end = Math.min(this.take.end, end);
    rememberTake(null);
    this.events.changed();
  }

  /** What the store answers; where it fails, the page says so and the frames stay in memory. */
  private async stored<T>(answer: Promise<T>): Promise<T | undefined> {
    try {
      return await answer;
    } catch {
      this.events.storeFailed();
      return undefined;
    }
  }

  private obey(control: Record<string, unknown>): void {
    const take = Number(control.take);
    switch (control.command) {
      case "record":
        this.record(take, Number(control.start));
        break;
      case "finish":
        if (this.take?.take === take) this.finish(Number(control.end));
        break;
      case "rename":
        this.name = String(control.name);
        break;
      case "stop":
        this.setState("stopped");
        this.carrier?.close();
        this.events.notice(String(control.reason ?? ""));
        break;
      case "unknown_take":
        this.giveUp(take);
        break;
      case "notice":
        this.events.notice(String(control.reason ?? ""));
        break;
    }
    this.events.changed();
  }

  /** Stops a take that Blender no longer has. Its frames stay on the disk: their user decides. */
  private giveUp(take: number): void {
    for (const [key, { frame }] of this.unsaved) if (frame.take === take) this.unsaved.delete(key);
    if (this.take?.take === take) this.finish(now());
    if (!this.unknown.has(take)) this.events.unknownTake(take);
    this.unknown.add(take);
  }

  private keep(frame: StoredFrame): void {
    this.unsaved.set(keyOf(frame.take, frame.stream, frame.sequence), { frame, sent: 0 });
  }

  private forget({ take, stream, ranges }: codec.Saved): void {
    for (const [first, last] of ranges) {
      for (let n = first; n <= last; n++) this.unsaved.delete(keyOf(take, stream, n));
    }
    void this.stored(this.store.saved(take, stream, ranges));
  }

  private sendRecorded(frame: StoredFrame): void {
    if (this.state !== "connected" || !this.carrier) return;
    this.carrier.send(codec.packRecorded(frame.take, frame.stream, frame.payload));
    const entry = this.unsaved.get(keyOf(frame.take, frame.stream, frame.sequence));
    if (entry) entry.sent = performance.now();
  }

  /** What no SAVED has covered, oldest first, as far as the window allows. */
  private resend(): void {
    if (this.state !== "connected") return;
    const stale = performance.now() - RESEND_AFTER;
    let bytes = 0;
    for (const { frame, sent } of this.unsaved.values()) {
      bytes += frame.payload.length;
      if (bytes > MOST_UNSAVED_BYTES) return;
      if (sent === 0 || sent < stale) this.sendRecorded(frame);
    }
  }

  private sendStatus(): void {
    if (this.state !== "connected") return;
    const takes = [...new Set([...this.unsaved.values()].map((entry) => entry.frame.take))];
    const { message, pending } = this;
    const status = { state: "running", message, pending, takes, ...this.battery.facts };
    this.carrier?.send(codec.packJson(KIND.status, status));
  }

  private setState(state: LinkState): void {
    this.state = state;
    this.events.changed();
  }
}

const keyOf = (take: number, stream: number, sequence: number) => `${take}/${stream}/${sequence}`;
