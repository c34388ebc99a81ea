# SPDX-License-Identifier: GPL-3.0-or-later
"""The same people under the same ids: a second solve of footage takes over the first one's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from ..face import FaceFrame
from ..face.boxes import overlap

_SAME_FACE = 0.4
"""Overlap (intersection over union) from which two boxes in one picture are one face."""


def renumbered(frames: Sequence[FaceFrame], like: Sequence[FaceFrame]) -> list[FaceFrame]:
    """The frames with the ids of others of the same footage.

    An actor gets the id of the one whose face it shares in the most pictures; an actor that the
    others did not see gets a free id.

    Args:
        frames: their faces change their ids in place.
        like: earlier frames; pictures are matched by their numbers.
    """
    earlier = {frame.frame: frame for frame in like}
    votes: Counter[tuple[int, int]] = Counter()
    for frame in frames:
        other = earlier.get(frame.frame)
        for face in frame.faces:
            for theirs in other.faces if other is not None else ():
                if overlap(face.box, theirs.box) >= _SAME_FACE:
                    votes[face.id, theirs.id] += 1
    ids: dict[int, int] = {}
    for (ours, theirs), _ in votes.most_common():
        if ours not in ids and theirs not in ids.values():
            ids[ours] = theirs
    taken = [face.id for frame in like for face in frame.faces]
    free = max(taken, default=0) + 1
    for actor in sorted({face.id for frame in frames for face in frame.faces} - ids.keys()):
        ids[actor], free = free, free + 1
    for frame in frames:
        frame.faces = [face.with_(id=ids[face.id]) for face in frame.faces]
    return list(frames)
