# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline pass on a take whose footage is known: `mfn refine` in a process of its own.

The panel shows its progress. What a cancelled pass has found is kept; the next one goes on there.
"""

from __future__ import annotations

import os
import queue
import subprocess
import tempfile
import threading
from pathlib import Path
from typing import IO

import bpy

from ..capture.live import child_environment, end_process, python_executable
from .notice import say
from .properties import refresh_takes
from .translation import rpt_

BETTER = " offline"
"""What the improved take's name has after the live one's."""

_INTERVAL = 0.25
"""Seconds between two looks at the process."""


class OfflinePass:
    """One run of the process.

    Attributes:
        take: the live take's file, and output: the improved one's.
        done, total: pictures; total is 0 before the first.
    """

    def __init__(self, take: Path, footage: Path, output: Path, input_size: str) -> None:
        """Start it, with --input-size as in `mfn refine`. Raises OSError."""
        self.take, self.output = take, output
        self.done = self.total = 0
        self._counts: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by end)
        command = [
            python_executable(), "-s", "-m", "mfn_addon.cli", "refine", str(take),
            "--footage", str(footage), "--output", str(output), "--overwrite", "--count",
            "--input-size", input_size,
        ]  # fmt: skip
        self._process = subprocess.Popen(
            command,
            env=child_environment(""),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            cwd=Path(__file__).resolve().parents[2],
            start_new_session=os.name == "posix",
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
        # A pipe cannot be read without waiting on every system: a thread waits.
        threading.Thread(target=self._read, daemon=True).start()

    def look(self) -> int | None:
        """Take in the progress; returns the exit status once it has ended."""
        while not self._counts.empty():
            words = self._counts.get().split()
            if len(words) == 2:
                self.done, self.total = int(words[0]), int(words[1])
        return self._process.poll()

    @property
    def progress(self) -> float:
        """0..1; the smoothing at the end has no pictures to count."""
        return self.done / self.total if self.total else 0.0

    def problem(self) -> str:
        """The last line that the process has written on its errors."""
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("mfn refine: ") if lines else rpt_("the offline pass broke")

    def end(self) -> None:
        """End the process where it runs; what it has found stays."""
        if self._process.poll() is None:
            self._process.terminate()
            end_process(self._process)

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._counts.put(line)


class Running:
    """The pass under way."""

    now: OfflinePass | None = None


def start(take: Path, footage: Path, input_size: str) -> OfflinePass:
    """Begin a pass, or go on with one that was cancelled. Raises OSError."""
    cancel()
    Running.now = run = OfflinePass(take, footage, better_of(take), input_size)
    if not bpy.app.timers.is_registered(_timer):
        bpy.app.timers.register(_timer, first_interval=_INTERVAL, persistent=True)
    return run


def cancel() -> bool:
    """End the pass under way; whether there was one."""
    run, Running.now = Running.now, None
    if run is None:
        return False
    run.end()
    return True


def look(context: bpy.types.Context) -> float | None:
    """Take in how far the pass is; at its end list the improved take. Seconds to the next look."""
    run = Running.now
    if run is None:
        return None
    status = run.look()
    for window in context.window_manager.windows:
        for area in window.screen.areas:
            if area.type == "VIEW_3D":
                area.tag_redraw()
    if status is None:
        return _INTERVAL
    Running.now = None
    if status == 0:
        refresh_takes(context, choose=str(run.output))
        say(rpt_("{take} is ready", take=run.output.stem))
    else:
        say(run.problem(), "ERROR")
    return None


def better_of(take: Path) -> Path:
    """Where a live take's improved one lies."""
    return take.with_name(f"{take.stem}{BETTER}{take.suffix}")


def pair_of(take: Path) -> tuple[Path, Path]:
    """The live take and the improved one, of either."""
    live = take.with_name(take.stem.removesuffix(BETTER) + take.suffix)
    return live, better_of(live)


def _timer() -> float | None:
    return look(bpy.context)
