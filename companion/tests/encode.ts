// SPDX-License-Identifier: GPL-3.0-or-later
// Packs a frame as the page sends it, for tests/companion. Standard input, JSON:
//   {"frame": FaceFrame, "sequence", "withIdentity", "sent"}
// Prints the payload in hexadecimal.

import { readFileSync } from "node:fs";
import { packFrame } from "../src/link/codec.ts";

const { frame, sequence, withIdentity, sent } = JSON.parse(readFileSync(0, "utf8"));
console.log(Buffer.from(packFrame(frame, sequence, withIdentity, sent)).toString("hex"));
