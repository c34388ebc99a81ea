# SPDX-License-Identifier: GPL-3.0-or-later
"""The tracker's knobs, each with its unit and what turning it does."""

from __future__ import annotations

from dataclasses import dataclass, field

from .one_euro import OneEuro


@dataclass(frozen=True)
class Smoothing:
    """How each part of a face is smoothed. See `OneEuro` for the numbers of each.

    Attributes:
        rotation: speed in rad/s.
        translation: speed in m/s.
        box, landmarks: speed in face sizes a second.
        lids: the weights that move fastest (blinks, wide eyes, gaze), speed in 1/s. Kept quick,
            so that a blink of 0.1 s still closes the eye.
        mouth: jaw, lips and tongue, whose speech movements last about 0.1 s.
        others: brows, cheeks and nose, which move slowly and show noise most.
        identity: seconds over which identity weights are averaged: a head does not change.
    """

    # ruff: noqa: RUF009 (a OneEuro is immutable)
    rotation: OneEuro = OneEuro(0.15, 28.0, 4.0, 3.5, loud=0.012, drift=0.5)
    translation: OneEuro = OneEuro(1.2, 30.0)
    box: OneEuro = OneEuro(2.0, 10.0)
    landmarks: OneEuro = OneEuro(2.0, 14.0)
    lids: OneEuro = OneEuro(0.5, 24.0, 4.0, 3.0)
    mouth: OneEuro = OneEuro(0.75, 24.0, 4.0, 3.0)
    others: OneEuro = OneEuro(0.5, 24.0, 4.0, 3.0)
    identity: float = 5.0

    def scaled(self, strength: float) -> Smoothing:
        """The same with every cutoff at rest divided by `strength`: 2 is twice as calm."""
        parts = ("rotation", "translation", "box", "landmarks", "lids", "mouth", "others")
        knobs = {name: getattr(self, name) for name in parts}
        return Smoothing(
            **{
                name: knob._replace(cutoff=knob.cutoff / strength, speed=knob.speed / strength)
                for name, knob in knobs.items()
            },
            identity=self.identity,
        )


@dataclass(frozen=True)
class TrackerOptions:
    """How faces become actors.

    Attributes:
        occlusion: seconds that a face may be hidden and be found again by where it was heading.
        pause: seconds for which pictures may stay away altogether, from a slow phone or over a
            stalling network, until who was in the last one is no longer awaited there.
        remember: seconds after which a face that left is forgotten; until then it gets its id
            back when its identity weights are recognised, wherever it comes back.
        reach: how far a face may jump from one frame to the next beyond its predicted place, in
            face sizes; `reach_per_second` is added for each second since it was last seen.
        identity_weight: how much identity weights count beside place and size, where a
            detection deviates from a track's mean by more than its usual noise.
        recognise: how far, in squared units of that noise, a returning face may be from its
            remembered identity. Lower gives new ids rather than wrong ones.
        new_score: a face below this score never becomes an actor. It only continues one, for
            `unsure` seconds: the network may be asked for unsure faces, and an actor who turns
            away for a moment is not lost.
        sure_score: a new face with this score is an actor at once; a less sure one has to be
            seen in `confirm_frames` frames first, so that a flicker never becomes an actor.
            Faces in the first frame of a source are actors at once.
        duplicate_overlap: two boxes that share this part of their union are one face.
        first_id: the first actor's id.
        smoothing: None passes the network's values through, with ids only.
    """

    occlusion: float = 1.0
    pause: float = 5.0
    remember: float = 60.0
    reach: float = 0.7
    reach_per_second: float = 1.5
    identity_weight: float = 0.3
    recognise: float = 2.0
    new_score: float = 0.7
    unsure: float = 0.7
    sure_score: float = 0.8
    confirm_frames: int = 3
    duplicate_overlap: float = 0.55
    first_id: int = 1
    smoothing: Smoothing | None = field(default_factory=Smoothing)
