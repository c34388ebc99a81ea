# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes of phones: frames come late, twice and in any order, and are acknowledged once the take's
file holds them. All of this runs in the server's thread."""

from __future__ import annotations

import json
import secrets
from collections import defaultdict, deque
from dataclasses import dataclass, field
from pathlib import Path

from ..face import FaceFrame
from ..take import Take, TakeError, TakeWriter
from .devices import write_private

_REMEMBERED = 200
"""Takes whose late frames still find their file."""
_QUIET = 10.0
"""Seconds without a frame after which a finished take's file is closed."""
_SLACK = 0.5
"""Seconds before the start and after the end in which frames still belong to a take: a clock's
first estimate may be that wrong."""


@dataclass(frozen=True)
class Arrival:
    """A recorded frame as it came: whose it is, and what it is known by."""

    device: str
    stream: int
    sequence: int


@dataclass
class Recording:
    """A take whose file is open.

    Attributes:
        take: its number in the protocol.
        path: its file.
        epoch: our clock at its time 0, seconds; end: at its end, None while it lasts.
        heard: our clock when its last frame came.
    """

    take: int
    path: Path
    writer: TakeWriter
    epoch: float
    end: float | None = None
    heard: float = 0.0
    waiting: deque[tuple[int, Arrival]] = field(default_factory=deque)


class Recordings:
    """The take under way, and those for which frames still come in.

    Attributes:
        current: the take under way.
        problem: one line where a take could not be written; told once, by whoever reads it.
    """

    def __init__(self, ledger: Path | None = None) -> None:
        """Remember the takes of earlier runs.

        Args:
            ledger: the file that keeps takes' numbers and files; None to keep nothing.
        """
        self.current: Recording | None = None
        self.problem = ""
        self._ledger = ledger
        self._paths: dict[int, str] = _read_ledger(ledger) if ledger else {}
        self._open: dict[int, Recording] = {}

    def start(self, path: Path, at: float, title: str) -> Recording:
        """Begin a take whose time 0 is at our clock's `at`. Raises TakeError."""
        take = secrets.randbits(32)
        info = {"title": title, "take": str(take), "epoch": repr(at)}
        self.current = Recording(take, path, TakeWriter(path, info=info), at, heard=at)
        self._open[take] = self.current
        self._remember(take, path)
        return self.current

    def resume(self, path: Path) -> Recording:
        """Go on with the take of an earlier run, as the one under way. Raises TakeError."""
        self.current = self._reopen(path)
        self._remember(self.current.take, path)
        return self.current

    def note(self, info: dict[str, str]) -> None:
        """Add metadata to the take under way, if there is one."""
        if self.current is not None:
            try:
                self.current.writer.note(info, wait=False)
            except TakeError as error:
                self._give_up(self.current, error)

    def finish(self, at: float) -> Recording | None:
        """End the take under way at our clock's `at`; what is late still gets in."""
        finished, self.current = self.current, None
        if finished is not None:
            finished.end = at
        return finished

    def keep(self, take: int, arrival: Arrival, frame: FaceFrame, ours: float, now: float) -> bool:
        """Record a frame that was captured at `ours` by our clock.

        Returns:
            False where the take is unknown, so that it can never be saved.
        """
        recording = self.opened(take, now)
        if recording is None:
            return False
        time = ours - recording.epoch
        last = (recording.end or now) + _SLACK
        ordinal = recording.writer.frames_added
        if time >= -_SLACK and ours <= last:
            frame.time = max(time, 0.0)
            try:
                recording.writer.add(
                    frame, (f"{arrival.device}:{arrival.stream}", arrival.sequence)
                )
            except TakeError as error:
                self._give_up(recording, error)
                return False
            ordinal += 1
        recording.waiting.append((ordinal, arrival))
        return True

    def path_of(self, take: int) -> Path | None:
        """A take's file, where the take is known."""
        path = self._paths.get(take)
        return Path(path) if path else None

    def opened(self, take: int, now: float) -> Recording | None:
        """A take with its file open, also one of an earlier run; None where it is gone."""
        recording = self._open.get(take) or self._find(take)
        if recording is not None:
            recording.heard = now
        return recording

    def saved(self) -> dict[tuple[str, int, int], list[int]]:
        """The frames that have become safe: (device, take, stream) -> sequence numbers."""
        safe: dict[tuple[str, int, int], list[int]] = defaultdict(list)
        for recording in self._open.values():
            committed = recording.writer.frames_committed
            while recording.waiting and recording.waiting[0][0] <= committed:
                _, arrival = recording.waiting.popleft()
                safe[arrival.device, recording.take, arrival.stream].append(arrival.sequence)
        return safe

    def close_quiet(self, now: float) -> None:
        """Close the files of finished takes for which nothing comes any more."""
        for recording in list(self._open.values()):
            if recording.end is not None and now - recording.heard > _QUIET:
                self._close(recording)

    def close(self) -> None:
        """Close all."""
        for recording in list(self._open.values()):
            self._close(recording)
        self.current = None

    def _close(self, recording: Recording) -> None:
        del self._open[recording.take]
        try:
            recording.writer.close()
        except TakeError as error:
            self.problem = str(error)

    def _give_up(self, recording: Recording, error: TakeError) -> None:
        self.problem = str(error)
        self._paths.pop(recording.take, None)
        del self._open[recording.take]
        if self.current is recording:
            self.current = None

    def _find(self, take: int) -> Recording | None:
        """The take of an earlier run or one that was closed, opened again for late frames."""
        path = self._paths.get(take)
        if path is None:
            return None
        try:
            recording = self._reopen(Path(path))
        except TakeError:  # deleted, moved or damaged meanwhile
            return None
        recording.end = float("inf")
        return recording

    def _reopen(self, path: Path) -> Recording:
        with Take(path) as read:
            info = read.info
        try:
            take, epoch = int(info["take"]), float(info["epoch"])
        except (KeyError, ValueError):
            raise TakeError(f"{path}: is no take of phones, so none can go on with it") from None
        recording = Recording(take, path, TakeWriter(path, append=True), epoch)
        self._open[take] = recording
        return recording

    def _remember(self, take: int, path: Path) -> None:
        self._paths.pop(take, None)
        self._paths[take] = str(path.resolve())
        for old in list(self._paths)[:-_REMEMBERED]:
            del self._paths[old]
        if self._ledger:
            write_private(self._ledger, json.dumps(self._paths).encode())


def _read_ledger(path: Path) -> dict[int, str]:
    try:
        return {int(take): str(file) for take, file in json.loads(path.read_text()).items()}
    except (OSError, ValueError, AttributeError):
        return {}
