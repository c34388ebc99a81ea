# SPDX-License-Identifier: GPL-3.0-or-later
"""FaceFrames as lines of JSON (`mfn solve` and `mfn export` write them), and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from ..face import FaceFrame
from .errors import TakeError
from .reader import Take
from .writer import TakeWriter


def write_line(file: TextIO, frame: FaceFrame) -> None:
    """Write one frame as one line."""
    json.dump(frame.to_json(), file, separators=(",", ":"))
    file.write("\n")


def read_lines(path: str | Path) -> Iterator[FaceFrame]:
    """The frames of a file of such lines.

    Raises:
        TakeError: the file is absent, or a line is not a frame; the message has its number.
    """
    try:
        with Path(path).open(encoding="utf-8") as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _frame(path, number, line)
    except (OSError, UnicodeDecodeError) as error:
        raise TakeError(f"{path}: cannot be read as lines of frames ({error})") from error


def export_lines(take: Take, file: TextIO, frames: Iterable[FaceFrame] | None = None) -> int:
    """Write a take's frames as lines. Returns how many."""
    count = 0
    for frame in take.frames() if frames is None else frames:
        write_line(file, frame)
        count += 1
    return count


def import_lines(path: str | Path, take_path: str | Path, *, overwrite: bool = False) -> int:
    """Make a take of a file of lines. Returns the number of frames. Raises TakeError."""
    count = 0
    with TakeWriter(take_path, overwrite=overwrite, info={"imported": Path(path).name}) as writer:
        for frame in read_lines(path):
            writer.add(frame)
            count += 1
    return count


def _frame(path: str | Path, number: int, line: str) -> FaceFrame:
    try:
        return FaceFrame.from_json(json.loads(line))
    except (ValueError, AttributeError) as error:
        raise TakeError(f"{path}, line {number}: not a frame ({error})") from error
