# SPDX-License-Identifier: GPL-3.0-or-later
"""The picture in the sidebar, with boxes and head meshes, and the actors' coloured dots.

Both are Blender's own preview icons: drawing a panel only names their numbers.
"""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import bpy
import bpy.utils.previews
import numpy as np

from ..face import FaceFrame, HeadModel, load_head_model
from .session import Session

EVERY = 0.1
"""Seconds between pictures."""
SIDE = 320
"""px of the picture's longer side."""
_DOT = 32
_ROWS = 2  # actors' bars are at most half of the room below the picture high
_LEAST_ROOM = 10
_PICTURE = "picture"


@dataclass
class _Studio:
    """What exists while the extension is enabled.

    Attributes:
        icons: Blender's collection of our icons.
        painter: draws faces over pictures in a thread, as that takes longer than a tick may.
        painting: the picture under way.
    """

    icons: Any = field(default_factory=bpy.utils.previews.new)
    painter: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "preview"))
    painting: Future[np.ndarray] | None = None


_studios: list[_Studio] = []
"""The one studio, or none while the extension is disabled."""


def register() -> None:
    _studios.append(_Studio())


def unregister() -> None:
    while _studios:
        studio = _studios.pop()
        studio.painter.shutdown(cancel_futures=True)
        bpy.utils.previews.remove(studio.icons)


def picture_icon() -> int:
    """The picture's icon number; 0 where there is none."""
    return icon(_PICTURE)


def dot_icon(actor: int) -> int:
    """The icon number of an actor's coloured dot; 0 where it is not drawn yet."""
    return icon(f"dot {actor}")


def update(session: Session) -> bool:
    """Show the picture that has been painted meanwhile, and have the newest one painted.

    Returns:
        Whether another picture shows.
    """
    if not _studios:
        return False
    studio = _studios[0]
    done = studio.painting is not None and studio.painting.done()
    if studio.painting is not None and done:
        write_icon(_PICTURE, studio.painting.result())
        studio.painting = None
    number, now = session.source.preview_frame, time.monotonic()
    if studio.painting is None and number != session.previewed and now - session.drawn >= EVERY:
        image = session.source.preview()
        if image is not None:
            session.previewed, session.drawn = number, now
            seen = (frame for frame in reversed(session.recent) if frame.frame <= number)
            studio.painting = studio.painter.submit(_paint, image, next(seen, None))
    return done


def _paint(image: np.ndarray, frame: FaceFrame | None) -> np.ndarray:
    """(S, S, 4) the picture with the frame's faces drawn over it, and below it what they do.

    Icons are square; under a wide picture there is room for each actor's 52 weights, a bar each
    in the actor's colour. Runs in the painter's thread.
    """
    from ..capture.overlay import colour_of, draw_overlay

    faces = sorted(frame.faces, key=lambda face: face.id) if frame is not None else []
    if frame is not None:
        image = draw_overlay(image, frame, _head_model())
    height, width = image.shape[:2]
    side = max(height, width)
    square = np.zeros((side, side, 4), np.uint8)
    left = (side - width) // 2
    square[:height, left : left + width, :3] = image
    square[:height, left : left + width, 3] = 255
    room = (side - height) // max(len(faces), _ROWS)
    for row, face in enumerate(faces if room > _LEAST_ROOM else []):
        top = height + row * room
        _draw_bars(square[top + 3 : top + room], face.expression, colour_of(face.id))
    return square


def _draw_bars(band: np.ndarray, weights: np.ndarray, colour: tuple[int, int, int]) -> None:
    """Draw (52,) weights 0..1 as bars that stand on the lower edge of an (H, W, 4) band."""
    height, width = band.shape[:2]
    edges = np.linspace(0, width, len(weights) + 1).round().astype(int)
    band[-1] = (*(part // 3 for part in colour), 255)
    for left, right, weight in zip(edges, edges[1:], weights, strict=False):
        tall = round(float(np.clip(weight, 0, 1)) * (height - 1))
        if tall:
            band[height - 1 - tall : height, left : right - 2] = (*colour, 255)


def add_dots(actors: list[int]) -> None:
    """Make the dots of new actors, in the colours that their boxes have."""
    from ..capture.overlay import colour_of

    for actor in actors:
        if not dot_icon(actor):
            write_icon(f"dot {actor}", _dot(colour_of(actor)))


def clear() -> None:
    """Forget the picture."""
    for studio in _studios:
        studio.painting = None
        studio.icons.pop(_PICTURE, None)


def icon(name: str) -> int:
    """An icon's number; 0 where there is none of this name."""
    return next((each.icons[name].icon_id for each in _studios if name in each.icons), 0)


def write_icon(name: str, rgba: np.ndarray) -> None:
    """Fill an icon with an (H, W, 4) uint8 picture, top row first."""
    if not _studios:
        return
    icons = _studios[0].icons
    made: Any = icons[name] if name in icons else icons.new(name)
    height, width = rgba.shape[:2]
    if tuple(made.image_size) != (width, height):
        made.image_size = (width, height)
    # One int32 a pixel, its bytes red green blue alpha; Blender counts rows from below.
    pixels = np.ascontiguousarray(rgba[::-1]).view(np.int32).ravel()
    made.image_pixels.foreach_set(pixels)
    if tuple(made.icon_size) != (width, height) and name.startswith("dot"):
        made.icon_size = (width, height)
        made.icon_pixels.foreach_set(pixels)


def _dot(colour: tuple[int, int, int]) -> np.ndarray:
    """(32, 32, 4) a filled circle with a soft edge; colours are premultiplied in icons."""
    y, x = np.mgrid[:_DOT, :_DOT] - (_DOT - 1) / 2
    cover = np.clip(0.36 * _DOT - np.hypot(x, y) + 0.5, 0, 1)[..., None]
    return np.round(cover * (*colour, 255)).astype(np.uint8)


def _head_model() -> HeadModel | None:
    try:
        return load_head_model()
    except (FileNotFoundError, ValueError):
        return None  # boxes and landmarks are drawn without it
