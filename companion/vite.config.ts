// SPDX-License-Identifier: GPL-3.0-or-later
import { defineConfig } from "vite";

export default defineConfig({
  base: "./",
  // The plain WebAssembly file beside the page, not the one with WebGPU: half the size.
  resolve: { conditions: ["onnxruntime-web-use-extern-wasm", "module", "browser", "import"] },
  worker: { format: "es" },
  build: { target: "es2022", assetsInlineLimit: 0, modulePreload: false },
});
