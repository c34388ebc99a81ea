# SPDX-License-Identifier: GPL-3.0-or-later
"""The page in headless Chromium, with a clip for a camera."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
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

    def memory(self) -> int:
        """Bytes of memory that the page's own process holds: its scripts, workers, network."""
        family = _descendants(self._process.pid)
        pages = [process for process, command in family if "--type=renderer" in command]
        assert pages, "the browser has no page"
        return max(_resident(process) for process in pages)

    def end(self) -> None:
        assert self._process.stdin
        self._process.stdin.close()
        self._process.wait(30)


def _descendants(root: int) -> Iterator[tuple[int, str]]:
    """Process ids and command lines of what `root` has started, and so on."""
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has ended
            parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
    family = [root]
    for member in family:
        family += [child for child, parent in parents.items() if parent == member]
    for member in family[1:]:
        with suppress(OSError):
            yield member, Path(f"/proc/{member}/cmdline").read_text().replace("\0", " ")


def _resident(process: int) -> int:
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def camera_clip(
    footage: Path, path: Path, *options: str, filters: str = "null", rate: int = 30
) -> Path:
    """Footage in the form that Chromium takes for a camera, which it plays again and again.

    `options` are ffmpeg's for reading the footage, `filters` what it does to the pictures.
    """
    command = [
        imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error", *options, "-i", str(footage),
        "-vf", filters, "-r", str(rate), "-pix_fmt", "yuv420p", str(path),
    ]  # fmt: skip
    subprocess.run(command, check=True)
    return path
