# SPDX-License-Identifier: GPL-3.0-or-later
"""Names are recognised in the spellings that rigs really use."""

import pytest

from mfn_addon.face import EXPRESSIONS
from mfn_addon.retarget.names import match, words

ALL = [(name, ()) for name in EXPRESSIONS]


def snake(name):
    return "_".join(words(name))


def sided(name):
    for side in ("Left", "Right"):
        if name.endswith(side) and name not in ("jawLeft", "jawRight", "mouthLeft", "mouthRight"):
            return name.removesuffix(side) + "_" + side[0]
    return name


SPELLINGS = {
    "as Apple writes it": lambda name: name,
    "with _L and _R": sided,
    "with .L and .R": lambda name: sided(name).replace("_", "."),
    "snake case": snake,
    "capitals first": lambda name: name[0].upper() + name[1:],
    "words apart": lambda name: snake(name).replace("_", " ").title(),
    "all lower case": str.lower,
    "behind ARKit.": lambda name: f"ARKit.{name}",
    "behind blendShape1_": lambda name: f"blendShape1_{name}",
    "behind Head_, with _L": lambda name: f"Head_{sided(name)}",
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_all_52_are_found_in_every_usual_spelling(spelling):
    theirs = [SPELLINGS[spelling](name) for name in EXPRESSIONS]
    matches = match(ALL, theirs)
    assert matches.found == dict(zip(EXPRESSIONS, theirs, strict=True))
    assert not matches.guessed
    assert not matches.missing


def test_another_word_order_is_a_guess():
    matches = match([("eyeBlinkLeft", ())], ["Left_Eye_Blink"])
    assert matches.guessed == {"eyeBlinkLeft": "Left_Eye_Blink"}
    assert not matches.found


def test_a_lone_prefix_is_a_guess_and_a_shared_one_a_convention():
    assert match(ALL, ["Teeth_jawOpen"]).guessed == {"jawOpen": "Teeth_jawOpen"}
    shared = ["Teeth_jawOpen", "Teeth_jawLeft", "Teeth_tongueOut"]
    assert set(match(ALL, shared).found.values()) == set(shared)


def test_a_longer_name_is_not_taken_for_a_prefixed_shorter_one():
    matches = match([("mouthLeft", ()), ("mouthSmileLeft", ())], ["Face_mouthSmileLeft"])
    assert matches.all == {"mouthSmileLeft": "Face_mouthSmileLeft"}
    assert matches.missing == ["mouthLeft"]


def test_one_of_their_names_serves_one_wanted_name():
    matches = match([("head", ("Head",)), ("skull", ("head",))], ["head"])
    assert matches.found == {"head": "head"}
    assert matches.missing == ["skull"]


def test_strangers_match_nothing():
    matches = match(ALL, ["Key 1", "fat", "muscular", "smirk"])
    assert not matches.all
    assert matches.missing == list(EXPRESSIONS)
