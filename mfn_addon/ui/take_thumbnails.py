# SPDX-License-Identifier: GPL-3.0-or-later
"""The chosen take's strip of small pictures, as icons."""

from __future__ import annotations

import numpy as np

from ..take import Take, TakeError
from . import preview

SHOWN = 5
"""Pictures in the strip."""


class _Shown:
    """What the icons show: the take's file, and how many pictures of it."""

    path = ""
    count = 0


def show(path: str) -> None:
    """Paint a take's pictures into the icons; "" for no take."""
    _Shown.path, _Shown.count = path, 0
    if not path:
        return
    try:
        with Take(path) as take:
            pictures = [picture for _, picture in take.thumbnails()]
    except TakeError:  # a take without pictures is as good; the list tells of a damaged one
        return
    chosen = np.linspace(0, len(pictures) - 1, min(SHOWN, len(pictures))).astype(int)
    for number, i in enumerate(chosen):
        preview.write_icon(_name(number), _square(pictures[i]))
    _Shown.count = len(chosen)


def icons() -> list[int]:
    """The icons' numbers, in the order of the take."""
    return [preview.icon(_name(number)) for number in range(_Shown.count)]


def _name(number: int) -> str:
    return f"thumbnail {number}"


def _square(picture: np.ndarray) -> np.ndarray:
    """(S, S, 4) the middle of an (H, W, 3) picture."""
    height, width = picture.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    square = np.full((side, side, 4), 255, np.uint8)
    square[..., :3] = picture[top : top + side, left : left + side]
    return square
