// SPDX-License-Identifier: GPL-3.0-or-later
// The page: wires the camera, the solver, the link and what is shown.

import { Handover } from "./link/handover.ts";
import { Link, now } from "./link/link.ts";
import { deviceName, forgetKey, pair, storedKey, takeFragment } from "./link/pairing.ts";
import { FrameStore } from "./link/store.ts";
import { VideoStore } from "./link/videoStore.ts";
import { openCamera, keepAwake } from "./page/camera.ts";
import { Meters } from "./page/meters.ts";
import { Neutrals } from "./page/neutral.ts";
import { Notice } from "./page/notice.ts";
import { drawOverlay } from "./page/overlay.ts";
import { VideoRecorder, canRecord } from "./page/recorder.ts";
import { type Ready, type Solved, Solver } from "./page/solver.ts";
import { Warnings } from "./page/warnings.ts";
import { STATES, TEXT, fillLabels } from "./page/strings.ts";

const COUNT_IN = 3; // seconds
const FILM = "mfn-film"; // where the choice is remembered
const RELOADED = "mfn-reloaded"; // where it is remembered that this was tried
const SAVER_RATE = 15;

const fragment = takeFragment();
const get = <T extends HTMLElement>(id: string) => document.getElementById(id) as T;
const video = get<HTMLVideoElement>("video");
const overlay = get<HTMLCanvasElement>("overlay");
const recordButton = get<HTMLButtonElement>("record");
const calibrateButton = get<HTMLButtonElement>("calibrate");
const meters = new Meters(get("meters"));
const neutrals = new Neutrals();
const notice = new Notice(get("notice"));

let link: Link | null = null;
let facts: Ready | null = null;
let videoStore: VideoStore | null = null;
let recorder: VideoRecorder | null = null;
let handedOver = ""; // how far a video is, in words
let solvedCount = 0;

/** Writes only what is new: each writing has the browser lay the page out, for every picture. */
function show(id: string, text: string): void {
  const element = get(id);
  if (element.textContent !== text) element.textContent = text;
}

function showLink(): void {
  if (!link) return;
  document.body.dataset.link = link.state;
  document.body.dataset.pending = String(link.pending);
  document.body.dataset.recorded = String(link.take?.frames ?? 0);
  const recording = link.take !== null && link.take.end === Infinity;
  const lost = link.state === "lost";
  const pending = link.pending && (lost ? TEXT.held : TEXT.pending)(link.pending);
  show("state", STATES[link.state]);
  const details = [lost && TEXT.retrying, (lost || !recording) && pending, handedOver].filter(Boolean);
  const known = link.state === "connected" && link.name && TEXT.named(link.name);
  show("detail", details.join(" · ") || known || "");
  show("carrier", lost ? "" : link.carrierName);
  document.body.classList.toggle("recording", recording);
  document.body.dataset.filming = String(recorder?.growing != null);
  document.body.dataset.filmed = String(recorder?.size ?? 0);
  show("record-label", recording ? TEXT.stop : TEXT.record);
  recordButton.disabled = calibrateButton.disabled = link.state !== "connected";
  if (link.state === "unpaired") {
    forgetKey();
    get("pairing").hidden = false;
  }
}

async function connect(key: string): Promise<void> {
  if (!facts) return;
  get("pairing").hidden = true;
  const store = await FrameStore.open().catch(() => null);
  if (!store) return notice.say(TEXT.storeFailed, true);
  link = new Link(key, deviceName(), facts.expressions, store, {
    changed: showLink,
    refused: (code, reason) => {
      if (code !== "version" || !reloadOnce()) notice.say(reason, true);
    },
    notice: (reason) => notice.say(reason),
    storeFailed: () => notice.say(TEXT.storeFailed, true),
    unknownTake: (take) => askToDelete(take, store),
  }, fragment.webSocket);
  await link.start();
  if (!recorder) await keepVideos(store);
}

/** Fetches the page that belongs to Blender's version: once, as it may not have helped. */
function reloadOnce(): boolean {
  if (sessionStorage.getItem(RELOADED)) return false;
  sessionStorage.setItem(RELOADED, "yes");
  location.reload();
  return true;
}

/** Only the user may decide that what the phone still holds of a lost take is not wanted. */
function askToDelete(take: number, frames: FrameStore): void {
  const remove = () => void Promise.all([frames.deleteTake(take), videoStore?.deleteTake(take)]);
  notice.ask(TEXT.unknownTake, [[TEXT.keep, () => {}], [TEXT.delete, remove]]);
}

async function keepVideos(frames: FrameStore): Promise<void> {
  const failed = () => notice.say(TEXT.videoFailed, true);
  const store = await VideoStore.open().catch(() => null);
  if (!store || !canRecord()) return;
  videoStore = store;
  recorder = new VideoRecorder(video, store, failed);
  const key = () => (link?.state === "connected" ? storedKey() : null);
  new Handover(store, key, () => recorder?.growing ?? null, {
    progress: (share) => {
      handedOver = share === null ? "" : TEXT.video(share);
      link?.tell(handedOver);
      showLink();
    },
    refused: (reason) => notice.say(TEXT.videoRefused(reason)),
    unknownTake: (take) => askToDelete(take, frames),
  });
}

async function pairAndConnect(proof: { secret: string } | { pin: string }): Promise<void> {
  notice.say(TEXT.pairing, true);
  try {
    const key = await pair(proof, deviceName());
    notice.hide();
    await connect(key);
  } catch (error) {
    get("pairing").hidden = false;
    notice.say((error as Error).message, true);
  }
}

function calibrate(): void {
  neutrals.begin();
  notice.say(TEXT.hold);
}

function solved({ frame, meshes }: Solved): void {
  solvedCount += 1;
  drawOverlay(overlay, frame, meshes, facts?.edges ?? []);
  link?.send(frame);
  const filmed = get<HTMLInputElement>("film").checked;
  if (link) recorder?.follow(link.take, frame.time, link.stream, filmed);
  showLink();
  const rested = neutrals.see(frame, facts?.expressions ?? []);
  if (rested) link?.request("calibrate"); // answered with a notice
  else if (rested === 0) notice.say(TEXT.noFace);
  const first = frame.faces.at(0);
  meters.show(first && neutrals.apply(first), facts?.expressions ?? []);
  const count = frame.faces.length;
  show("faces", count ? TEXT.faces(count) : TEXT.noFace);
}

async function ready(message: Ready): Promise<void> {
  document.body.dataset.threads = String(solver.threads);
  if (facts) return; // started anew: all else goes on
  facts = message;
  const { secret } = fragment;
  const key = storedKey();
  if (secret) await pairAndConnect({ secret });
  else if (key) await connect(key);
  else {
    show("state", STATES.unpaired);
    document.body.dataset.link = "unpaired";
    get("pairing").hidden = false;
  }
}

const solver = new Solver(video, {
  ready,
  solved,
  failed: (reason) =>
    notice.ask(TEXT.networkFailed(reason), [[TEXT.again, () => solver.again()]]),
});

const warnings = new Warnings(solver, (text) => notice.say(text));

async function startCamera(): Promise<void> {
  const facing = get<HTMLSelectElement>("facing").value as "user" | "environment";
  const rate = Number(get<HTMLSelectElement>("rate").value);
  const width = Number(get<HTMLSelectElement>("resolution").value);
  const failed = (reason: string) =>
    notice.ask(reason, [[TEXT.again, () => void startCamera()]]);
  try {
    await openCamera(video, { facing, rate, width }, () => failed(TEXT.cameraGone));
    document.body.classList.toggle("mirrored", facing === "user");
    solver.pace.startOver();
  } catch (error) {
    failed((error as Error).message);
  }
}

if (canRecord()) {
  const film = get<HTMLInputElement>("film");
  film.checked = localStorage.getItem(FILM) === "yes";
  film.addEventListener("change", () => localStorage.setItem(FILM, film.checked ? "yes" : "no"));
  get("film-row").hidden = false;
}
for (const id of ["facing", "rate", "resolution"]) get(id).addEventListener("change", startCamera);
get("saver").addEventListener("change", (event) => {
  solver.limit = (event.target as HTMLInputElement).checked ? SAVER_RATE : Infinity;
});
get("settings-toggle").addEventListener("click", () => {
  get("settings").hidden = !get("settings").hidden;
  notice.hide();
});
calibrateButton.addEventListener("click", calibrate);
recordButton.addEventListener("click", () => {
  if (link?.take && link.take.end === Infinity) link.request("finish");
  else link?.request("record", { count_in: COUNT_IN });
});
get<HTMLFormElement>("pairing").addEventListener("submit", (event) => {
  event.preventDefault();
  void pairAndConnect({ pin: get<HTMLInputElement>("pin").value.trim() });
});
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) notice.say(TEXT.background);
  solver.pace.startOver();
});

/** Without a camera there is nothing to be seen, and nothing of what was. */
function clearPicture(): void {
  overlay.width = 0;
  show("faces", "");
}

setInterval(() => {
  show("fps", TEXT.rate(solvedCount));
  const { network, side } = solver.pace.reading;
  document.body.dataset.reading = `${network} at ${side} px`;
  document.body.dataset.pictures = solver.takes;
  show("reduced", TEXT.quicker[solver.pace.level]);
  const [track] = (video.srcObject as MediaStream | null)?.getVideoTracks() ?? [];
  warnings.look(track?.getSettings().frameRate ?? 0);
  if (!solvedCount && track?.readyState === "ended") clearPicture();
  solvedCount = 0;
  if (link?.state === "connected") sessionStorage.removeItem(RELOADED);
  showLink();
}, 1000);

setInterval(() => {
  const take = link?.take?.end === Infinity ? link.take : null;
  const elapsed = take ? now() - take.start : 0;
  document.body.classList.toggle("counting", elapsed < 0);
  show("count-in", elapsed < 0 ? String(Math.ceil(-elapsed)) : "");
  show("elapsed", take && elapsed >= 0 ? TEXT.elapsed(elapsed) : "");
}, 100);

/** In groups of four bytes, as people compare them; a line may only break between two. */
function showFingerprint(element: HTMLElement, fingerprint: string): void {
  for (const group of fingerprint.match(/(..:?){1,4}/g) ?? []) {
    element.append(Object.assign(document.createElement("span"), { textContent: group }));
  }
}

async function showCertificates(): Promise<void> {
  const about = await (await fetch("/about")).json();
  showFingerprint(get("fingerprint"), about.fingerprint);
  showFingerprint(get("root"), about.root);
}

fillLabels();
showCertificates().catch(() => {}); // nobody there: the link says so
keepAwake();
void startCamera();
