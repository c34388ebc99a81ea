// SPDX-License-Identifier: GPL-3.0-or-later
// Opens the page in headless Chromium with a clip for a camera, for tests/companion:
//   node tests/browse.ts CHROMIUM URL CLIP.y4m FOLDER [FAULT]
// FAULT: no-threads, stuck-threads, no-exceptions, upright, slow, denied, insecure, copies-no-rgba,
// turned-frames, no-frames, or the name of the error with which the camera cannot be opened the
// first time.
// Then obeys one line of standard input at a time, and answers each with one line, `done` or what
// was asked for. Words that wait for what the page shows:
//   connected, seen, light, recording, kept COUNT, filming, filmed BYTES, lost, stopped, pending,
//   delivered, videos_cut, asked, idle, solving
// do:
//   record, calibrate, settings, rate FPS, film, saver, delete, end_camera, reload, offline, online,
//   cut_videos, uncut_videos, allow, again, tap_notice, unplug, look_away, give_back,
//   shot NAME WIDTH HEIGHT, end
// answer with what the page shows or keeps:
//   fps, faces, reading, pictures, carrier, threads, recorded, stored, notice, battery

import { createInterface } from "node:readline";
import { chromium } from "playwright-core";

const PATIENCE = 180000; // ms until a wait is given up
const [executablePath, url, clip, folder, fault] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath,
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--js-flags=--expose-gc", // for give_back
    ...(fault === "denied" ? [] : ["--use-fake-ui-for-media-stream"]), // which allows everything
    "--use-fake-device-for-media-stream",
    `--use-file-for-fake-video-capture=${clip}`,
  ],
});
const context = await browser.newContext({
  ignoreHTTPSErrors: fault !== "no-exceptions", // else as who clicks the warning away
  permissions: fault === "denied" ? [] : ["camera"],
  viewport: { width: 390, height: 844 },
  deviceScaleFactor: 2,
});
const page = await context.newPage();
page.setDefaultTimeout(PATIENCE);
page.on("pageerror", (error) => console.error("page:", error.message));
page.on("console", (message) => console.error("console:", message.text()));
const brokenWorkers: Record<string, string> = {
  // As browsers that grant a page threads and then no memory that they could share.
  "no-threads": 'if (self.name !== "1") WebAssembly.Memory = null;',
  // As browsers whose threads are granted and never begin.
  "stuck-threads": 'if (self.name !== "1") self.Worker = class extends EventTarget { postMessage() {} };',
  // As browsers that do not know the wish for a format, and pass it over.
  "copies-no-rgba": `
    const { allocationSize, copyTo } = VideoFrame.prototype;
    VideoFrame.prototype.allocationSize = function () { return allocationSize.call(this); };
    VideoFrame.prototype.copyTo = function (target) { return copyTo.call(this, target); };`,
};
if (brokenWorkers[fault]) {
  await page.route("**/worker-*.js", async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: brokenWorkers[fault] + (await response.text()) });
  });
}
if (fault === "turned-frames") {
  // As the frames of a camera that lies otherwise than the phone is held.
  await page.addInitScript(() => {
    const { VideoFrame } = window;
    window.VideoFrame = new Proxy(VideoFrame, {
      construct: (_, [video]) => new VideoFrame(video, { rotation: 180 } as VideoFrameInit),
    });
  });
}
if (fault === "no-frames") {
  await page.addInitScript(() => Reflect.deleteProperty(window, "VideoFrame"));
}
if (fault === "upright") {
  // A phone that is held upright turns its camera's picture; Chromium would cut the clip's.
  await page.addInitScript(() => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = (wanted) => {
      const { width, height, ...others } = wanted!.video as MediaTrackConstraints;
      return open({ ...wanted, video: { ...others, width: height, height: width } });
    };
  });
}
if (fault === "slow") {
  // Each picture waits before the network gets it: no phone holds 30 a second then.
  await page.addInitScript(() => {
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (...words: [any, any]) {
      setTimeout(() => post.apply(this, words), 40);
    };
  });
}
if (fault === "insecure") {
  await page.addInitScript(() => {
    Object.defineProperty(window, "isSecureContext", { value: false });
  });
}
if (fault?.endsWith("Error")) {
  await page.addInitScript((name) => {
    const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    let failed = false;
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      if (failed) return open(wanted);
      failed = true;
      throw new DOMException("It did not start", name);
    };
  }, fault);
}
const warning: Error | null = await page.goto(url).then(() => null, (error) => error);

async function choose(setting: () => Promise<unknown>): Promise<void> {
  await page.click("#settings-toggle");
  await setting();
  await page.click("#settings-toggle");
}

/** In the page: recorded frames that it keeps on the disk. */
function countStored(): Promise<number> {
  return new Promise((resolve) => {
    indexedDB.open("mfn-recorded").onsuccess = (event) => {
      const database = (event.target as IDBOpenDBRequest).result;
      database.transaction("frames").objectStore("frames").count().onsuccess = (counted) =>
        resolve((counted.target as IDBRequest<number>).result);
    };
  });
}

const commands: Record<string, (...words: string[]) => Promise<unknown>> = {
  connected: () => page.waitForSelector('[data-link="connected"]'),
  seen: () => page.waitForFunction(() => /^\d+ face/.test(document.getElementById("faces")!.innerText)),
  light: () => page.waitForSelector('[data-reading^="/mfn_light.onnx"]'),
  recording: () => page.waitForSelector("body.recording"),
  stopped: () => page.waitForSelector('[data-link="stopped"]'),
  lost: () => page.waitForSelector('[data-link="lost"]'),
  pending: () => page.waitForFunction(() => Number(document.body.dataset.pending) > 0),
  delivered: () =>
    page.waitForFunction(() => document.body.dataset.pending === "0"),
  end_camera: async () => {
    await page.evaluate(() => {
      const stream = document.querySelector("video")!.srcObject as MediaStream;
      for (const track of stream.getTracks()) track.stop();
    });
    await commands.idle(); // the last picture is still being solved: it counts too
  },
  idle: () =>
    page.waitForFunction(() => document.getElementById("fps")!.innerText === "0 fps"),
  solving: () =>
    page.waitForFunction(() => document.getElementById("fps")!.innerText !== "0 fps"),
  kept: (count = "1") =>
    page.waitForFunction((least) => Number(document.body.dataset.recorded) >= least, Number(count)),
  carrier: () => page.locator("#carrier").innerText(),
  threads: () => page.evaluate(() => document.body.dataset.threads!),
  recorded: () => page.evaluate(() => document.body.dataset.recorded!),
  settings: () => page.click("#settings-toggle"),
  calibrate: async () => {
    await page.click("#calibrate");
    await page.waitForFunction(() =>
      /neutral in Blender/.test(document.getElementById("notice")!.innerText),
    );
  },
  notice: async () => (await page.locator("#notice:not([hidden])").innerText()).replace(/\s+/g, " "),
  again: () => page.click('#notice button:text-is("Try again")'),
  tap_notice: async () => {
    await page.click("#notice");
    await page.waitForSelector("#notice", { state: "hidden", timeout: 3000 });
  },
  allow: () => context.grantPermissions(["camera"]),
  // As the system ends a camera; a page's own stop() tells it nothing.
  unplug: () =>
    page.evaluate(() => {
      const stream = document.querySelector("video")!.srcObject as MediaStream;
      const [track] = stream.getVideoTracks();
      track.stop();
      track.dispatchEvent(new Event("ended"));
    }),
  look_away: () =>
    page.evaluate(() => {
      for (const hidden of [true, false]) {
        Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
        document.dispatchEvent(new Event("visibilitychange"));
      }
    }),
  rate: (rate) => choose(() => page.selectOption("#rate", rate)),
  film: () => choose(() => page.check("#film")),
  saver: () => choose(() => page.check("#saver")),
  asked: () => page.waitForSelector("#notice button"),
  delete: () => page.click('#notice button:text-is("Delete")'),
  stored: async () => String(await page.evaluate(countStored)),
  filming: () => page.waitForSelector('[data-filming="true"]'),
  filmed: (bytes) =>
    page.waitForFunction((least) => Number(document.body.dataset.filmed) >= least, Number(bytes)),
  // A question and two pieces pass, then nothing does.
  cut_videos: async () => {
    let passed = 0;
    await page.route("**/video", (route) => (passed++ < 3 ? route.continue() : route.abort()));
  },
  videos_cut: () => page.waitForEvent("requestfailed", (request) => /video$/.test(request.url())),
  uncut_videos: () => page.unroute("**/video"),
  fps: () => page.locator("#fps").innerText(),
  faces: () => page.locator("#faces").textContent().then(String),
  pictures: () => page.evaluate(() => document.body.dataset.pictures!),
  battery: () =>
    page.evaluate(async () => String((await (navigator as any).getBattery()).level)),
  // Collect the garbage and give back what is kept for later, as where memory is short. Each
  // worker has a heap of its own, and there the messages of all pictures so far wait for it.
  give_back: async () => {
    const collect = () => (globalThis as any).gc({ type: "major", execution: "async" });
    await page.evaluate(collect);
    // The network's other threads wait inside WebAssembly: they would not answer.
    const ours = page.workers().filter((worker) => /\/worker-[^/]*\.js$/.test(worker.url()));
    for (const worker of ours) await worker.evaluate(collect);
    const developer = await context.newCDPSession(page);
    await developer.send("Memory.simulatePressureNotification", { level: "critical" });
    await developer.detach();
  },
  reading: () => page.evaluate(() => document.body.dataset.reading!),
  record: () => page.click("#record"),
  reload: () => page.reload(),
  offline: () => context.setOffline(true),
  online: () => context.setOffline(false),
  shot: async (name, width, height) => {
    await page.setViewportSize({ width: Number(width), height: Number(height) });
    await page.screenshot({ path: `${folder}/${name}.png` });
  },
};
for await (const line of createInterface({ input: process.stdin })) {
  const [command, ...words] = line.split(" ");
  if (command === "end") break;
  try {
    if (warning) throw warning; // instead of the page
    const answer = await commands[command](...words);
    console.log(typeof answer === "string" ? answer : "done");
  } catch (error) {
    console.log(`failed: ${(error as Error).message.split("\n")[0]}`);
  }
}
await browser.close();
process.exit(0);
