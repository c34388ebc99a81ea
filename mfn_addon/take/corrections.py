# SPDX-License-Identifier: GPL-3.0-or-later
"""Corrections: layers over a take's samples, applied where it is read and never written into it.

A layer holds for one actor or for all. Later layers work on what earlier ones have left.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..face import EXPRESSION_INDEX, FaceFrame
from ..track.offline import OfflineOptions, bilateral, smooth_rotations
from ..track.smoothing import RESTART_AFTER
from .errors import TakeError
from .performance import Performance

if TYPE_CHECKING:
    from .reader import Take

_POSE = ("expression", "translation")
_PICTURE = ("box", "landmarks")


@dataclass(frozen=True)
class ShapeEdit:
    """One expression's edit: `clip(weight * gain + offset, 0, 1)`, or 0 where muted."""

    gain: float = 1.0
    offset: float = 0.0
    mute: bool = False


@dataclass(frozen=True)
class Layer:
    """One set of corrections.

    Attributes:
        name: for people.
        enabled: whether it counts.
        actor: whose samples it corrects; None for all.
        smoothing: strength of a filter that looks forward and backward and delays nothing;
            0 leaves the samples alone, 1 smooths as `mfn solve --offline` does.
        offset: seconds by which the actor comes later; below 0 earlier.
        start, end: the take's time in seconds; what lies outside is left out. None: no limit.
        shapes: edits by expression name.
    """

    name: str = "Corrections"
    enabled: bool = True
    actor: int | None = None
    smoothing: float = 0.0
    offset: float = 0.0
    start: float | None = None
    end: float | None = None
    shapes: Mapping[str, ShapeEdit] = field(default_factory=dict)

    def holds_for(self, actor: int) -> bool:
        """Whether it changes an actor's samples."""
        return self.enabled and self.actor in (None, actor)

    def settings(self) -> str:
        """All but the name and the switch, as JSON; what is as usual is left out."""
        told = {
            name: getattr(self, name)
            for name in _NUMBERS
            if getattr(self, name) != getattr(_PLAIN, name)
        }
        if self.shapes:
            told["shapes"] = {name: asdict(edit) for name, edit in self.shapes.items()}
        return json.dumps(told)

    @classmethod
    def from_settings(cls, name: str, enabled: bool, settings: str) -> Layer:
        """What `settings` wrote.

        Raises:
            ValueError: it is something else, or names an unknown expression.
        """
        try:
            told: dict[str, Any] = json.loads(settings)
            shapes = {
                shape: ShapeEdit(float(edit["gain"]), float(edit["offset"]), bool(edit["mute"]))
                for shape, edit in told.pop("shapes", {}).items()
            }
            unknown = [*(told.keys() - set(_NUMBERS)), *(shapes.keys() - EXPRESSION_INDEX.keys())]
            if unknown:
                raise ValueError(f"{unknown[0]!r} is unknown")
            return cls(name, enabled, shapes=shapes, **told)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise ValueError(f"layer {name!r} is no set of corrections: {error}") from error


_PLAIN = Layer()
_NUMBERS = tuple(
    each.name for each in fields(Layer) if each.name not in ("name", "enabled", "shapes")
)


def corrected(
    performance: Performance, layers: Iterable[Layer], *, in_picture: bool = True
) -> Performance:
    """A performance under the layers that hold for its actor; it may be left without samples.

    Args:
        in_picture: smooth boxes and landmarks as well, of which characters show nothing: they
            are most of the work.
    """
    for layer in layers:
        if layer.holds_for(performance.actor):
            performance = _apply(layer, performance, in_picture)
    return performance


def corrected_performances(take: Take, actors: Collection[int]) -> dict[int, Performance]:
    """Several actors' performances as the take's layers have them, for characters to show:
    boxes and landmarks are not smoothed.

    Raises:
        TakeError: the take lacks one of them or is damaged, or its layers leave an actor nothing.
    """
    layers = take.layers()
    performances = {
        actor: corrected(performance, layers, in_picture=False)
        for actor, performance in take.performances(actors).items()
    }
    empty = next((actor for actor, each in performances.items() if not len(each)), None)
    if empty is not None:
        raise TakeError(
            "{path}: the take's layers trim all of actor {actor} away", path=take.path, actor=empty
        )
    return performances


def trimmed(layers: Iterable[Layer], actor: int | None = None) -> tuple[float, float]:
    """The seconds from and to which a take's layers let an actor be seen, or with None, anyone."""
    holding = [
        layer
        for layer in layers
        if (layer.enabled and layer.actor is None if actor is None else layer.holds_for(actor))
    ]
    start = max((layer.start for layer in holding if layer.start is not None), default=-np.inf)
    end = min((layer.end for layer in holding if layer.end is not None), default=np.inf)
    return start, end


def corrected_frames(take: Take) -> Iterator[FaceFrame]:
    """A take's frames by time, as its layers have them; see `frames_under`. Raises TakeError."""
    return frames_under(take, take.layers())


def frames_under(take: Take, layers: Collection[Layer]) -> Iterator[FaceFrame]:
    """A take's frames by time, under layers.

    An actor who is shifted in time has frames apart from the others', under the same numbers.
    Frames outside what is left for everyone are left out. Raises TakeError.
    """
    start, end = trimmed(layers)
    heads = take.heads()
    frames: dict[tuple[float, int], FaceFrame] = {}
    empty = dict(heads)
    for performance in take.performances([actor.id for actor in take.actors()]).values():
        for key in performance.frame.tolist():
            empty.pop(key, None)
        shown = corrected(performance, layers)
        moments = zip(shown.time.tolist(), shown.frame.tolist(), strict=True)
        for i, (time, key) in enumerate(moments):
            frame = frames.setdefault((time, key), replace(heads[key], time=time, faces=[]))
            frame.faces.append(shown.face(i))
    for key, head in empty.items():
        if start <= head.time <= end:
            frames[head.time, key] = head
    for at in sorted(frames):
        yield frames[at]


def _apply(layer: Layer, performance: Performance, in_picture: bool) -> Performance:
    expression = performance.expression
    for name, edit in layer.shapes.items():
        if expression is performance.expression:
            expression = expression.copy()
        column = expression[:, EXPRESSION_INDEX[name]]
        column[:] = 0.0 if edit.mute else np.clip(column * edit.gain + edit.offset, 0.0, 1.0)
    performance = replace(performance, expression=expression)
    if layer.smoothing > 0:
        performance = _smoothed(
            performance, layer.smoothing, (*_POSE, *_PICTURE) if in_picture else _POSE
        )
    if layer.offset:
        performance = replace(performance, time=performance.time + layer.offset)
    if layer.start is not None or layer.end is not None:
        start = -np.inf if layer.start is None else layer.start
        end = np.inf if layer.end is None else layer.end
        performance = performance.only((performance.time >= start) & (performance.time <= end))
    return performance


def _smoothed(performance: Performance, strength: float, names: tuple[str, ...]) -> Performance:
    """What lies before an absence says nothing about what comes after it, as when recording."""
    options = OfflineOptions(span=OfflineOptions.span * strength)
    columns = {name: getattr(performance, name).copy() for name in (*names, "rotation")}
    cuts = np.flatnonzero(np.diff(performance.time) > RESTART_AFTER) + 1
    for part in np.split(np.arange(len(performance)), cuts):
        times = performance.time[part]
        for name in names:
            values = columns[name][part].astype(np.float64)
            flat = bilateral(times, values.reshape(len(part), -1), options)
            columns[name][part] = flat.reshape(values.shape)
        columns["rotation"][part] = smooth_rotations(times, columns["rotation"][part], options)
    return replace(performance, **columns)
