# SPDX-License-Identifier: GPL-3.0-or-later
"""Phones' recordings over takes: what they deliver late gets into the takes as it comes.

The server writes it into the recordings' files, in a thread of its own; here their takes are
brought up to date, once their files have changed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from ..take import TakeError, late
from ..take.library import take_files
from .notice import say
from .translation import told

_EVERY = 1.0
"""Seconds at least between two merges of a recording: each copies all of its samples."""

_KEPT = 60 * 86400.0
"""Seconds without a frame for which a phone may still deliver more of a recording."""

_Changed = tuple[tuple[int, int], ...]


@dataclass
class _Known:
    """A recording as it was merged last; `at` is `time.monotonic()` then."""

    changed: _Changed = ()
    at: float = -float("inf")


_recordings: dict[Path, _Known] = {}


def begin(recording: Path) -> None:
    """A recording has ended: merge what there is, and from here on what comes late.

    Raises:
        TakeError: it cannot be merged; it is kept, and tried again when it changes.
    """
    known = _recordings[recording] = _Known()
    _merge(recording, known)


def find(takes: Path) -> None:
    """Look after the recordings of earlier sessions too, whose phones may still deliver, but not
    for ever: those that have long been quiet go once their takes have all of them."""
    late.tidy(takes, time.time() - _KEPT)
    for path in take_files(takes / late.FOLDER):
        _recordings.setdefault(path, _Known())


def look(at_once: bool = False) -> None:
    """Merge the recordings that have changed; what cannot be merged is told."""
    for recording, known in list(_recordings.items()):
        if not recording.is_file():
            del _recordings[recording]
            continue
        if not at_once and time.monotonic() - known.at < _EVERY:
            continue
        if _changed(recording) != known.changed:
            try:
                _merge(recording, known)
            except TakeError as error:
                say(told(error), "ERROR")


def _merge(recording: Path, known: _Known) -> None:
    known.at = time.monotonic()
    known.changed = _changed(recording)  # as it was before: what comes meanwhile is seen next
    late.merge(recording)


def _changed(recording: Path) -> _Changed:
    """When the recording's file and its log have changed, and how large they are."""
    told = []
    for path in (recording, Path(f"{recording}-wal")):
        try:
            state = path.stat()
            told.append((state.st_mtime_ns, state.st_size))
        except OSError:
            told.append((0, 0))
    return tuple(told)
