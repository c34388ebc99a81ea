# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognising one name in its many spellings.

`jawOpen`, `JawOpen`, `jaw_open`, `Jaw Open` and `ARKit.jawOpen` are one name;
`eyeBlinkLeft`, `eyeBlink_L`, `EyeBlinkLeft` and `Left Eye Blink` another.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_SIDES = {"l": "left", "r": "right", "lft": "left", "rgt": "right"}
_SHARED = 3  # a prefix on this many matching names is the rig's convention, not chance


def words(name: str) -> tuple[str, ...]:
    """The lower-case words of a name, with L and R written out."""
    found: list[str] = [word.lower() for word in _WORD.findall(name)]
    return tuple(_SIDES.get(word, word) for word in found)


@dataclass
class Matches:
    """Which of a rig's names stand for which wanted names.

    Attributes:
        found: wanted -> the rig's, where the spelling leaves no doubt.
        guessed: wanted -> the rig's, where words are in another order or a lone prefix was cut.
        missing: wanted names that the rig lacks, in the order asked.
    """

    found: dict[str, str] = field(default_factory=dict)
    guessed: dict[str, str] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)

    @property
    def all(self) -> dict[str, str]:
        """Found and guessed together."""
        return self.guessed | self.found


def match(wanted: Iterable[tuple[str, Sequence[str]]], available: Sequence[str]) -> Matches:
    """Find each wanted name among a rig's names.

    Args:
        wanted: pairs of a name and its other spellings, most trusted first.
        available: the rig's names. Each stands for at most one wanted name.
    """
    asked = {name: (name, *aliases) for name, aliases in wanted}
    rest = list(dict.fromkeys(available))
    found: dict[str, str] = {}
    guessed: dict[str, str] = {}

    def take(name: str, theirs: str | None, into: dict[str, str]) -> None:
        if theirs is not None and theirs in rest and name not in found and name not in guessed:
            into[name] = theirs
            rest.remove(theirs)

    for key in (str, _joined):
        index = {key(theirs): theirs for theirs in reversed(rest)}
        for name, spellings in asked.items():
            for spelling in spellings:
                take(name, index.get(key(spelling)), found)

    prefixed = _prefixed({name: s for name, s in asked.items() if name not in found}, rest)
    shared = Counter(prefix for prefix, _ in prefixed.values())
    for name, (prefix, theirs) in prefixed.items():
        take(name, theirs, found if shared[prefix] >= _SHARED else guessed)

    shuffled = {tuple(sorted(words(theirs))): theirs for theirs in reversed(rest)}
    for name, spellings in asked.items():
        for spelling in spellings:
            parts = words(spelling)
            # Of `Eye_L_Look_R` and `Eye_R_Look_L` the words are the same; the order is not.
            if len(parts) > 1 and not {"left", "right"}.issubset(parts):
                take(name, shuffled.get(tuple(sorted(parts))), guessed)

    missing = [name for name in asked if name not in found and name not in guessed]
    return Matches(found, guessed, missing)


def _joined(name: str) -> str:
    return "".join(words(name))


def _prefixed(
    wanted: Mapping[str, Sequence[str]], available: Sequence[str]
) -> dict[str, tuple[str, str]]:
    """wanted -> (prefix, the rig's name) where the rig's name ends with the wanted one.

    The longest wanted name claims an available one, so that `Face_mouthSmileLeft` is never
    taken for a prefixed `left`.
    """
    endings: dict[tuple[str, ...], str] = {}
    for name, spellings in wanted.items():
        for spelling in spellings:
            endings.setdefault(words(spelling), name)
    result: dict[str, tuple[str, str]] = {}
    for theirs in available:
        parts = words(theirs)
        for cut in range(1, len(parts)):
            name = endings.get(parts[cut:])
            if name is not None:
                result.setdefault(name, ("".join(parts[:cut]), theirs))
                break
    return result
