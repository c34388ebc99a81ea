# SPDX-License-Identifier: GPL-3.0-or-later
"""From a take to keyframes: the same retargeting as live, resampled at the scene's frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

import bpy
import numpy as np

from ..face import EXPRESSIONS
from ..retarget import Options
from ..retarget.reduction import Tolerance
from ..retarget.smoothing import smoothed
from ..retarget.timing import resample
from ..take import Take, corrected_performances, trimmed
from .binding import bind
from .channels import Channel, channels_of
from .curves import Curves, Origin, Owner
from .keying import Tally, kept_of, key_channels
from .nla import drop_strips, push_strip
from .place import own_delta, settle

Progress = Callable[[float], None]


@dataclass(frozen=True)
class BakeReport:
    """What a bake did.

    Attributes:
        characters: character's name -> the binding's report.
        frame_start, frame_end: the first and the last frame with keys.
        keys: how many keys it wrote.
        kept: the share of the keys that reduction left, 1 without it.
        errors: unit -> the largest error of a reduced curve, in "%", "°" and "mm".
    """

    characters: dict[str, str]
    frame_start: int
    frame_end: int
    keys: int
    kept: float = 1.0
    errors: dict[str, float] = field(default_factory=dict)

    def summary(self, translate: Callable[[str], str] = str) -> str:
        """One line for the status bar.

        Args:
            translate: looks up a template in the reader's language.
        """
        text = translate("Baked {keys} keys to {characters}, frames {start} to {end}").format(
            keys=self.keys, characters=", ".join(self.characters),
            start=self.frame_start, end=self.frame_end,
        )  # fmt: skip
        if self.errors:
            errors = ", ".join(f"{error:.2g} {unit}" for unit, error in self.errors.items())
            text += translate("; kept {share:.0f} % of the keys, off by at most {errors}").format(
                share=100 * self.kept, errors=errors
            )
        return text


def scene_rate(scene: bpy.types.Scene) -> float:
    """Frames a second."""
    return scene.render.fps / scene.render.fps_base


def bake_take(
    take: Take,
    cast: Mapping[int, bpy.types.Object],
    scene: bpy.types.Scene,
    *,
    start: float | None = None,
    options: Mapping[int, Options] | None = None,
    tolerance: Tolerance | None = None,
    as_strips: bool = False,
    progress: Progress | None = None,
) -> BakeReport:
    """Bake actors to characters as actions, under the take's corrections; baking again replaces.

    Args:
        take: an open take.
        cast: actor's id -> the character's armature or mesh.
        scene: gives the frame rate, and the first frame unless `start` does.
        start: the frame on which the take's first picture falls; it may lie between two.
        options: actor's id -> how its character is driven.
        tolerance: leave out the keys that this allows; None keys every frame.
        as_strips: push the bake onto NLA tracks of its own, and leave the character's action.
        progress: called with 0..1.

    Raises:
        RigError: a character cannot be driven. Nothing has been baked then.
        TakeError: the take lacks an actor, or is damaged, or its corrections leave an actor
            nothing. Nothing has been baked then.
    """
    bindings = {actor: bind(obj, (options or {}).get(actor)) for actor, obj in cast.items()}
    roots = [root for binding in bindings.values() if (root := binding.find()) is not None]
    deltas = [own_delta(root) for root in roots]
    performances = corrected_performances(take, cast)
    start = scene.frame_start if start is None else start
    moments = {actor: _moments(take, actor, start, scene_rate(scene)) for actor in cast}

    parts: list[tuple[str, Owner, list[Channel], np.ndarray]] = []
    for actor, binding in bindings.items():
        performance, (frames, at) = performances[actor], moments[actor]
        calm = smoothed(performance.time, performance.expression, binding.plan.table.smoothing)
        if binding.plan.options.moves:
            calm = np.hstack([calm, binding.rest.offset(performance.translation)])
        values, rotation = resample(performance.time, calm, performance.rotation, at)
        expression, offset = np.split(values, [len(EXPRESSIONS)], axis=1)
        pose = binding.plan.solve(expression, rotation, offset if offset.size else None)
        name = f"{take.path.stem} {binding.ref.name}"
        for owner, channels in channels_of(binding, pose, scene):
            parts.append((name, owner, channels, frames))

    tally, origin = Tally(), Origin.of(take)
    kept = iter(kept_of([each for _, _, channels, _ in parts for each in channels], tolerance))
    for done, (name, owner, channels, frames) in enumerate(parts, 1):
        earlier = drop_strips(owner, origin)
        curves = Curves(owner, name, origin, apart=as_strips, earlier=earlier)
        key_channels(curves, channels, list(islice(kept, len(channels))), frames, tally)
        if as_strips and channels:
            push_strip(owner, curves, origin.name, frames)
        if progress:
            progress(done / len(parts))
    for root, own in zip(roots, deltas, strict=True):
        settle(root, own)
    return BakeReport(
        {binding.ref.name: binding.report.summary() for binding in bindings.values()},
        int(min(frames[0] for frames, _ in moments.values())),
        int(max(frames[-1] for frames, _ in moments.values())),
        tally.keys,
        tally.keys / max(tally.of, 1),
        tally.errors,
    )


def _moments(take: Take, actor: int, start: float, rate: float) -> tuple[np.ndarray, np.ndarray]:
    """(n,) the frames that an actor's keys lie on, and (n,) which of the take's seconds they are.

    Args:
        start: the frame on which the take's first picture falls.
        rate: frames a second.
    """
    # The scene keeps its rate in single precision: do not lose the last frame to that.
    last = start + take.duration * rate + 0.01
    frames = np.arange(np.ceil(start), max(np.floor(last), np.ceil(start)) + 1)
    at = take.start + (frames - start) / rate
    low, high = trimmed(take.layers(), actor)
    within = (at >= low - 0.01 / rate) & (at <= high + 0.01 / rate)
    if not within.any():  # trimmed to less than a frame: the one next to what is left
        within[np.argmin(np.abs(at - max(low, take.start)))] = True
    return frames[within], at[within]
