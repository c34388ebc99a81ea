// SPDX-License-Identifier: GPL-3.0-or-later
// From the code's address or a typed PIN to a key of this phone's own.

const KEY = "mfn-key";

/**
 * What stands behind the # of the address, which is at once removed from the address bar: the
 * code's one-time secret, and whether a WebSocket may be tried (`carrier=https` forbids it).
 */
export function takeFragment(): { secret: string | null; webSocket: boolean } {
  const words = new URLSearchParams(location.hash.slice(1));
  if (location.hash) history.replaceState(null, "", location.pathname);
  return { secret: words.get("s"), webSocket: words.get("carrier") !== "https" };
}

export const storedKey = () => localStorage.getItem(KEY);
export const forgetKey = () => localStorage.removeItem(KEY);

/** The key, which is kept. Throws an Error with a line for people. */
export async function pair(proof: { secret: string } | { pin: string }, name: string) {
  const response = await fetch("/pair", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ ...proof, name }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.reason);
  localStorage.setItem(KEY, answer.key);
  return answer.key as string;
}

/** What people call this device. */
export function deviceName(): string {
  const agent = navigator.userAgent;
  const android = /Android [^;]+; ([^;)]+)/.exec(agent)?.[1];
  if (android && android !== "K") return android.slice(0, 64);
  return /iPhone|iPad|Android/.exec(agent)?.[0] ?? "Browser";
}
