# SPDX-License-Identifier: GPL-3.0-or-later
"""Who drives whom, and what happens while an actor is away."""

import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX
from mfn_addon.retarget import rotation as rot
from mfn_addon.retarget.routing import EASE_IN, EASE_OUT, Presence, Route, choose
from tests.capture.marks import make_face

JAW = EXPRESSION_INDEX["jawOpen"]
ADA, BEN = 11, 12


def face(jaw, yaw=0.0):
    turned = make_face(rotation=rot.matrices_of(rot.about(1, np.radians(yaw))))
    turned.expression[JAW] = jaw
    return turned


def test_one_actor_may_drive_several_characters():
    routes = [Route(0, "", 1, ADA), Route(1, "", 1, BEN)]
    chosen = choose(routes, [("camera", 1)])
    assert {key: found and found[1] for key, found in chosen.items()} == {
        ADA: ("camera", 1), BEN: ("camera", 1),
    }  # fmt: skip


def test_of_several_sources_the_preferred_one_that_sees_the_actor_wins():
    phone, camera = Route(0, "phone", 1, ADA, priority=2), Route(1, "camera", 4, ADA, priority=1)
    both = choose([camera, phone], [("camera", 4), ("phone", 1)])[ADA]
    assert both is not None
    assert both[1] == ("phone", 1)
    alone = choose([camera, phone], [("camera", 4), ("phone", 2)])[ADA]
    assert alone is not None
    assert alone[1] == ("camera", 4)
    assert choose([camera, phone], [])[ADA] is None


def test_a_route_of_one_source_is_not_taken_by_another():
    assert choose([Route(0, "phone", 1, ADA)], [("camera", 1)])[ADA] is None


def test_a_lost_actor_is_held_and_the_return_does_not_jump():
    presence = Presence()
    assert presence.state == "waiting"
    assert presence.see(None, 0.0, "HOLD") is None
    presence.see(face(0.8, yaw=30), 0.0, "HOLD")
    assert presence.state == "tracked"
    held = presence.see(None, 3.0, "HOLD")
    assert presence.state == "lost"
    assert held is not None
    assert held.expression[JAW] == pytest.approx(0.8)
    shown = []
    for time in np.arange(3.0, 3.0 + EASE_IN, 1 / 60):
        back = presence.see(face(0.0, yaw=-30), float(time), "HOLD")
        assert presence.state == "re-acquired"
        assert back is not None
        shown.append(float(back.expression[JAW]))
    assert shown[0] == pytest.approx(0.8)
    assert max(-np.diff(shown)) < 0.1
    presence.see(face(0.1), 3.0 + EASE_IN + 0.01, "HOLD")
    assert presence.state == "tracked"


def test_a_lost_actors_character_comes_to_rest():
    presence = Presence()
    presence.see(face(0.8, yaw=30), 0.0, "EASE")
    presence.see(None, 0.1, "EASE")
    half = presence.see(None, 0.1 + EASE_OUT / 2, "EASE")
    rest = presence.see(None, 0.1 + EASE_OUT, "EASE")
    assert half is not None
    assert rest is not None
    assert half.expression[JAW] == pytest.approx(0.4)
    assert rest.expression[JAW] == pytest.approx(0)
    assert rest.rotation == pytest.approx(np.eye(3), abs=1e-6)


def test_a_frozen_character_is_left_alone():
    presence = Presence()
    presence.see(face(0.8), 0.0, "FREEZE")
    assert presence.see(None, 0.1, "FREEZE") is None
    assert presence.state == "lost"
