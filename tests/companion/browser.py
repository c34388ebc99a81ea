# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in headless Chromium, with a clip for a camera."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import imageio_ffmpeg

from tests.companion.node import COMPANION, ROOT, node_binary, why_not

CLIP = ROOT / "demo" / "three_people.mp4"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


def why_no_browser() -> str:
    """One line that says what is missing to open the page; empty where nothing is."""
    if not CHROMIUM:
        return "needs Chromium: install the system's package `chromium`"
    if not (COMPANION / "dist" / "index.html").is_file():
        return "needs the built page: run `make companion`"
    return why_not()


class Phone:
    """A browser on the page; see companion/tests/browse.ts for what it can be told."""

    def __init__(
        self, url: str, clip: Path, folder: Path, *faults: str, home: Path | None = None
    ) -> None:
        """Open it; `home` is the folder in which it finds the certificates that it trusts."""
        node = node_binary()
        assert node is not None
        assert CHROMIUM is not None
        self._process = subprocess.Popen(
            [node, "--no-warnings", "tests/browse.ts", CHROMIUM, url, str(clip), str(folder),
             *faults],
            cwd=COMPANION, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            env={**os.environ, "HOME": str(home)} if home else None,
        )  # fmt: skip

    def do(self, command: str) -> None:
        answer = self.ask(command)
        assert answer == "done", f"{command}: {answer}"

    def ask(self, command: str) -> str:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(command + "\n")
        self._process.stdin.flush()
        return self._process.stdout.readline().strip()

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)


def camera_clip(footage: Path, path: Path, *options: str, filters: str = "null") -> Path:
    """Footage in the form that Chromium takes for a camera, which it plays again and again.

    `options` are ffmpeg's for reading the footage, `filters` what it does to the pictures.
    """
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *options, "-i", str(footage),
        "-vf", filters, "-r", "30", "-pix_fmt", "yuv420p", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path
