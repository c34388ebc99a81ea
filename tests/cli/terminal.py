# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of the commands do again and again."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.cli import main
from mfn_addon.face import FaceFrame


def save(path: Path, picture: np.ndarray) -> Path:
    assert cv2.imwrite(str(path), picture[:, :, ::-1])
    return path


def read(path: Path) -> list[FaceFrame]:
    return [FaceFrame.from_json(json.loads(line)) for line in path.read_text().splitlines()]


def refusal(capsys, *arguments: object) -> str:
    """The one line on stderr with which a command is refused with status 2."""
    assert main([str(argument) for argument in arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert line.startswith(f"mfn {arguments[0]}: ")
    return line
