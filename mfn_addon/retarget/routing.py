# SPDX-License-Identifier: GPL-3.0-or-later
"""Which actor drives which character, and what a character does while its actor is away."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from ..face import Face
from . import rotation as rot

State = Literal["waiting", "tracked", "lost", "re-acquired"]
Lost = Literal["HOLD", "EASE", "FREEZE"]

EASE_OUT = 1.0
"""Seconds in which a lost actor's character comes to rest, where it is to."""
EASE_IN = 0.2
"""Seconds in which a character moves over to an actor who is back."""
_AHEAD = np.eye(3, dtype=np.float32)


@dataclass(frozen=True)
class Route:
    """One row of the routing table.

    Attributes:
        row: the row's number in the table.
        source: the source's name; "" for any.
        actor: the actor's id there.
        character: any key of the character.
        priority: of several routes to one character whose actors are in view, the highest wins,
            and of equal ones the upper.
    """

    row: int
    source: str
    actor: int
    character: int
    priority: int = 0

    def seen_in(self, present: Collection[tuple[str, int]]) -> tuple[str, int] | None:
        """The (source, actor) in view that the route stands for, or None."""
        if self.source:
            key = (self.source, self.actor)
            return key if key in present else None
        return next((key for key in present if key[1] == self.actor), None)


def choose(
    routes: Iterable[Route], present: Collection[tuple[str, int]]
) -> dict[int, tuple[Route, tuple[str, int]] | None]:
    """For each character the route that drives it and whom it found; None where all are away."""
    chosen: dict[int, tuple[Route, tuple[str, int]] | None] = {}
    for route in routes:
        key, best = route.seen_in(present), chosen.setdefault(route.character, None)
        if key is not None and (best is None or route.priority > best[0].priority):
            chosen[route.character] = route, key
    return chosen


class Presence:
    """What a character is shown of its actor, who may leave and come back.

    Attributes:
        state: of the actor.
        shown: the face that the character was shown last.
    """

    def __init__(self) -> None:
        self.state: State = "waiting"
        self.shown: Face | None = None
        self._left: Face | None = None
        self._since = 0.0

    def see(
        self, face: Face | None, time: float, lost: Lost, ahead: np.ndarray = _AHEAD
    ) -> Face | None:
        """The face to show at a time in seconds; None to write nothing.

        Args:
            face: the actor's, or None while the actor is away.
            lost: what to do then. HOLD keeps the last face, EASE comes to rest in EASE_OUT
                seconds, FREEZE writes nothing, so that the character can be posed.
            ahead: (3, 3) the head's rotation at rest.
        """
        if face is None:
            return self._away(time, lost, ahead)
        if self.state in ("lost", "re-acquired"):
            if self.state == "lost":
                self.state, self._since, self._left = "re-acquired", time, self.shown
            share = (time - self._since) / EASE_IN
            if self._left is not None and 0.0 <= share < 1.0:
                self.shown = _between(self._left, face, share)
                return self.shown
        self.state, self.shown = "tracked", face
        return face

    def _away(self, time: float, lost: Lost, ahead: np.ndarray) -> Face | None:
        if self.shown is None:
            return None
        if self.state != "lost":
            self.state, self._since, self._left = "lost", time, self.shown
        if lost == "FREEZE" or self._left is None:
            return None
        if lost == "EASE":
            share = min(max((time - self._since) / EASE_OUT, 0.0), 1.0)
            rest = self._left.with_(
                expression=np.zeros_like(self._left.expression),
                rotation=ahead,
            )
            self.shown = _between(self._left, rest, share * share * (3.0 - 2.0 * share))
        return self.shown


def _between(first: Face, second: Face, share: float) -> Face:
    turns = rot.quaternions_of(np.stack([first.rotation, second.rotation]))
    turn = rot.interpolate(turns[0], turns[1], np.array(share))
    return second.with_(
        expression=first.expression + share * (second.expression - first.expression),
        translation=first.translation + share * (second.translation - first.translation),
        rotation=rot.matrices_of(turn),
    )
