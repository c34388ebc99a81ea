// SPDX-License-Identifier: GPL-3.0-or-later
// What carries the messages: a secure WebSocket, or HTTPS POST batches where a browser refuses
// that WebSocket for its self-signed certificate.

const MOST_BUFFERED = 16 * 1024; // bytes; beyond, a frame for the eye is dropped
const BATCH_EVERY = 100; // ms
const OPEN_WITHIN = 5000; // ms

export interface Carrier {
  readonly name: "WebSocket" | "HTTPS";
  /** Whether what is sent now leaves at once. */
  isFree(): boolean;
  send(bytes: Uint8Array<ArrayBuffer>): void;
  close(): void;
  /** Of WELCOME: what later batches name. A WebSocket needs none. */
  useSession(session: string): void;
}

export interface Ends {
  received(bytes: ArrayBuffer): void;
  closed(): void;
}

/** Resolves once it is open; rejects where the browser refuses it. */
export function openWebSocket(ends: Ends): Promise<Carrier> {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(`wss://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    const timer = setTimeout(() => socket.close(), OPEN_WITHIN);
    let open = false;
    socket.onopen = () => {
      clearTimeout(timer);
      open = true;
      resolve({
        name: "WebSocket",
        isFree: () => socket.readyState === WebSocket.OPEN && socket.bufferedAmount < MOST_BUFFERED,
        send: (bytes) => {
          if (socket.readyState === WebSocket.OPEN) socket.send(bytes);
        },
        close: () => socket.close(),
        useSession: () => {},
      });
    };
    socket.onmessage = (event) => ends.received(event.data);
    socket.onclose = () => {
      clearTimeout(timer);
      if (open) ends.closed();
      else reject(new Error("the WebSocket was refused"));
    };
  });
}

/** One POST is under way at a time; what gathers meanwhile goes with the next. */
export function openBatches(ends: Ends): Carrier {
  let waiting: Uint8Array<ArrayBuffer>[] = [];
  let session = "";
  let ended = false;
  const end = () => {
    if (!ended) ends.closed();
    ended = true;
  };
  const turn = async () => {
    if (ended) return;
    const batch = waiting;
    waiting = [];
    try {
      const headers: HeadersInit = session ? { "MFN-Session": session } : {};
      const response = await fetch("/live", { method: "POST", headers, body: new Blob(batch) });
      if (response.status !== 429 && !response.ok) return end();
      const bytes = await response.arrayBuffer();
      if (response.ok) ends.received(bytes);
      else waiting = [...batch, ...waiting]; // too fast: the same again a little later
    } catch {
      return end();
    }
    setTimeout(turn, BATCH_EVERY);
  };
  setTimeout(turn);
  return {
    name: "HTTPS",
    isFree: () => waiting.length < 8,
    send: (bytes) => waiting.push(bytes),
    close: end,
    useSession: (value) => {
      session = value;
    },
  };
}
