// SPDX-License-Identifier: GPL-3.0-or-later
// Every English word of the page.

import type { LinkState } from "../link/link.ts";

export const STATES: Record<LinkState, string> = {
  connecting: "Connecting to Blender…",
  connected: "Connected to Blender",
  lost: "Connection lost",
  unpaired: "Not paired",
  stopped: "Disconnected by Blender",
};

const frames = (count: number) => (count === 1 ? "1 frame" : `${count} frames`);

export const TEXT = {
  insecure: "This page needs https. Open the address that Blender shows, with https:// in front.",
  noPermission: "The camera is not allowed. Allow it for this page in the browser's settings, then try again.",
  cameraTaken: "Another app is using the camera. Close it, then try again.",
  cameraGone: "The camera has stopped: another app has taken it, or it was unplugged.",
  noCamera: "No camera was found on this device.",
  cameraFailed: (reason: string) => `The camera could not be opened: ${reason}`,
  networkFailed: (reason: string) => `The face network could not be started: ${reason}`,
  background: "Paused: the page was in the background. Keep it in front while you perform.",
  hot: "Slower than it was: the phone is probably too hot. Try battery saver, or let it cool.",
  dark: (rate: number) => `The camera gives only ${rate} pictures a second. More light may help.`,
  quicker: ["", "Light", "Less detail", "Least detail"], // how a picture is read, from full on
  reduced:
    "This phone is a little slow, so faces are read in less detail to keep the motion smooth. " +
    "Come closer to the camera.",
  storeFailed: "This browser cannot keep recorded frames (private browsing?). Open a normal tab.",
  unknownTake: "Blender no longer has a take that this phone still holds a part of.",
  again: "Try again",
  keep: "Keep",
  delete: "Delete",
  videoFailed: "This phone has no room for more video. What it has kept is handed over.",
  videoRefused: (reason: string) => `The video waits: ${reason}`,
  video: (share: number) => `video ${Math.round(share * 100)} %`,
  noCanvas: "this browser cannot read pictures outside of the page",
  record: "Record",
  stop: "Stop",
  hold: "Look ahead and relax your face…",
  noFace: "No face in view",
  faces: (count: number) => (count === 1 ? "1 face" : `${count} faces`),
  named: (name: string) => `as ${name}`, // as Blender calls this phone
  elapsed: (seconds: number) =>
    `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`,
  rate: (rate: number) => `${Math.round(rate)} fps`,
  pending: (count: number) => `${frames(count)} still to deliver`,
  retrying: "Trying again…",
  held: (count: number) => `${frames(count)} kept`, // until there is a connection again
  pairing: "Pairing…",
};

/** What stands in index.html, by `data-text`. */
const LABELS: Record<string, string> = {
  title: "MFN Face Capture",
  starting: "Starting…",
  pairTitle: "Pair with Blender",
  pairHow: "Scan the code in Blender's sidebar, or type the six digits that stand beside it.",
  pair: "Pair",
  privacy:
    "Only face data goes to your computer, over the local network. Pictures stay on this phone, " +
    "unless you choose to keep a take's video.",
  camera: "Camera",
  settings: "Settings",
  front: "Front",
  back: "Back",
  frameRate: "Frame rate",
  fps30: TEXT.rate(30),
  fps60: TEXT.rate(60),
  resolution: "Picture",
  small: "Small, saves battery",
  medium: "Medium",
  large: "Large, for kept video",
  saver: "Battery saver",
  film: "Keep video too",
  neutral: "Neutral",
  record: TEXT.record,
  pin: "PIN",
  serverIs: "This computer's certificate, as Blender shows it:",
  trust: "End the certificate warning",
  trustWhy:
    "Install the certificate of the computer that runs Blender, in your own network. It is good " +
    "for addresses of local networks alone. You can remove it where you installed it.",
  trustGet: "Get the certificate",
  trustCompare: "Compare the fingerprint (SHA-256) that the phone shows with Blender's:",
  iphone: "iPhone, iPad",
  android: "Android",
};

/** How to install the certificate, by `data-steps`; docs/phone.md has the same. */
const STEPS: Record<string, string[]> = {
  iphone: [
    "In Safari: Get the certificate, then Allow.",
    "Settings, Profile Downloaded (or General, VPN & Device Management): Install.",
    "Settings, General, About, Certificate Trust Settings: switch it on.",
    "Close this page and open it again.",
  ],
  android: [
    "Get the certificate. Close the note that says it must be installed in Settings.",
    "Settings: search for “CA certificate”, choose it, then Install anyway.",
    "Choose certificate.crt among the downloads.",
    "Close this page and open it again.",
  ],
};

/** Writes the labels into the page: `data-text` and `data-steps` are shown, `data-label` is read
 * aloud. */
export function fillLabels(): void {
  for (const element of document.querySelectorAll<HTMLElement>("[data-text]")) {
    element.textContent = LABELS[element.dataset.text!];
  }
  for (const element of document.querySelectorAll<HTMLElement>("[data-label]")) {
    element.ariaLabel = LABELS[element.dataset.label!];
  }
  for (const list of document.querySelectorAll<HTMLElement>("[data-steps]")) {
    for (const step of STEPS[list.dataset.steps!]) {
      list.append(Object.assign(document.createElement("li"), { textContent: step }));
    }
  }
}

/** The meters: label, and the expressions whose largest weight they show. */
export const METERS: [string, string[]][] = [
  ["Jaw", ["jawOpen"]],
  ["Smile", ["mouthSmileLeft", "mouthSmileRight"]],
  ["Blink", ["eyeBlinkLeft", "eyeBlinkRight"]],
  ["Brows", ["browInnerUp"]],
];
