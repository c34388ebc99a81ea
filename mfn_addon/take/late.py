# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording over an earlier take whose samples go on coming after its end, as those of phones do.

The recording keeps a file of its own, in which whatever is late still finds its place, for ever.
The take that the user sees holds the earlier take and, as a pass over it, what has come so far;
`merge` brings it up to date, as often as wished. The earlier take's file is only ever read.
"""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from .database import connect
from .edit import editing, write_info
from .errors import TakeError
from .library import BIN, copy_take, slate_of, take_files
from .overdub import overdub
from .pass_tables import newest_count, refill_pass
from .passes import Pass
from .reader import Take

FOLDER = "passes"
"""The folder beside the takes that keeps such recordings."""
_KEY = "over_take"


@dataclass(frozen=True)
class LatePass:
    """What is kept in such a recording.

    Attributes:
        base: the earlier take's file.
        output: the name of the file, in the takes' folder, that holds both.
        zero: the earlier take's time, seconds, at the recording's time 0.
        channels, start, end: as in `Pass`.
        merged: the output has been made; if it is gone since, the user did not want it.
    """

    base: str
    output: str
    zero: float
    channels: tuple[str, ...]
    start: float | None = None
    end: float | None = None
    merged: bool = False


def file_for(output: Path) -> Path:
    """A file for the recording that is to be merged into a take."""
    return _free(output.parent / FOLDER / output.name)


def note(recording: Path, told: LatePass) -> None:
    """Keep in a recording what it is of. Raises TakeError."""
    write_info(recording, as_info(told))


def as_info(told: LatePass) -> dict[str, str]:
    """What a recording's metadata says of it."""
    return {_KEY: json.dumps(asdict(told))}


def read(recording: Path) -> LatePass | None:
    """What a recording is of; None where it is none over a take. Raises TakeError."""
    with Take(recording) as take:
        text = take.info.get(_KEY)
    if text is None:
        return None
    try:
        known = LatePass(**json.loads(text))
        return replace(known, channels=tuple(known.channels))
    except (TypeError, ValueError) as error:
        raise TakeError(
            "{path}: what it was recorded over cannot be read ({error})",
            path=recording, error=error,
        ) from error  # fmt: skip


def merge(recording: Path) -> Path | None:
    """Bring the take of a recording up to date; nothing is done where it has all there is.

    Returns:
        The take, where it was made or has changed.

    Raises:
        TakeError: one of the files cannot be read or written, and all are as they were then; or
            the earlier take is gone, and the take has the recording alone.
    """
    told = read(recording)
    if told is None:
        return None
    with Take(recording) as take:
        name, frames, begins = take.info.get("id", ""), take.frame_count, take.start
    output = _find(recording.parent.parent, told.output, name)
    new = Pass(told.zero + (begins if frames else 0.0), told.channels, told.start, told.end)
    if output is not None:
        return output if _take_in(recording, output, new, frames) else None
    if told.merged:
        return None
    output = _free(recording.parent.parent / told.output)
    base = Path(told.base)
    if base.is_file():
        overdub(base, recording, new, output, _facts_of(output))
    else:
        _copy(recording, output)
    note(recording, replace(told, output=output.name, merged=True))
    if not base.is_file():
        raise TakeError(
            "{base}: there is no such take any more; {path} has the recording alone",
            base=base, path=output,
        )  # fmt: skip
    return output


def tidy(takes: Path, quiet_since: float) -> list[Path]:
    """Delete the recordings for which nothing has come for long and that takes hold wholly.

    One whose take is gone, or lacks anything, stays: it is the only copy of a performance.

    Args:
        takes: the folder of the takes.
        quiet_since: Unix time; recordings that have changed since then stay.

    Returns:
        The files that were deleted.
    """
    gone = []
    for recording in take_files(takes / FOLDER):
        files = [Path(f"{recording}{beside}") for beside in ("-wal", "-shm", "")]
        try:
            times = [path.stat().st_mtime for path in files if path.exists()]
            if max(times) < quiet_since and _is_held(recording, takes):
                for path in files:  # the take itself last: a log without it would be lost
                    path.unlink(missing_ok=True)
                gone.append(recording)
        except (OSError, TakeError, sqlite3.Error):
            continue  # it cannot be read, or is in use: it stays
    return gone


def _is_held(recording: Path, takes: Path) -> bool:
    """Whether the recording's take, also one in the bin, has all of its frames."""
    told = read(recording)
    if told is None:
        return False
    with Take(recording) as take:
        name, frames = take.info.get("id", ""), take.frame_count
    for folder in (takes, takes / BIN):
        output = _find(folder, told.output, name)
        if output is not None:
            with Take(output) as take, closing(connect(output, "ro")) as connection:
                return frames == (newest_count(connection) if take.passes else take.frame_count)
    return False


def _take_in(recording: Path, output: Path, new: Pass, frames: int) -> bool:
    """Let the take's newest pass hold all of the recording; whether anything was missing."""
    with Take(output) as take:
        alone, had = not take.passes, take.frame_count
    if alone:
        if had != frames:
            _copy(recording, output)
        return had != frames
    try:
        with editing(output) as connection, closing(connect(recording, "rw")) as source:
            return refill_pass(connection, new, source, frames)
    except sqlite3.Error as error:
        raise TakeError(
            "{path}: cannot be laid over {base} ({error})", path=recording, base=output, error=error
        ) from error


def _find(folder: Path, name: str, take_id: str) -> Path | None:
    """The take of an id, also where it was renamed; None where it is gone."""
    for path in sorted(take_files(folder), key=lambda path: path.name != name):
        try:
            with Take(path) as take:
                if take.info.get("id") == take_id:
                    return path
        except TakeError:
            continue
    return None


def _copy(recording: Path, output: Path) -> None:
    """Let a take hold the recording alone."""
    copy_take(recording, output)
    write_info(output, {**_facts_of(output), "take": "", "epoch": ""})


def _facts_of(output: Path) -> dict[str, str]:
    """What a take's metadata says by its file's name, and not of the recording."""
    slate, number = slate_of(output)
    return {"slate": slate, "take_number": str(number), _KEY: ""}


def _free(path: Path) -> Path:
    """The path, or one like it at which nothing is."""
    free, number = path, 1
    while free.exists():
        number += 1
        free = path.with_name(f"{path.stem} ({number}){path.suffix}")
    return free
