# SPDX-License-Identifier: GPL-3.0-or-later
"""The page's choice of how pictures are read, on a simulated phone."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.companion.node import COMPANION, node_binary, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


def perform(*stretches: tuple[float, float]) -> list[dict]:
    """What companion/tests/pace.ts prints for stretches of (seconds, ms a full reading)."""
    node = node_binary()
    assert node is not None
    done = subprocess.run(
        [node, "--no-warnings", "tests/pace.ts"], cwd=COMPANION, check=True,
        input=json.dumps(stretches), capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


READINGS = ["320", "light 320", "light 256", "light 192"]


@pytest.mark.parametrize(
    ("milliseconds", "count"), [(20, 1), (33, 1), (42, 2), (75, 3), (95, 4), (200, 4)]
)
def test_a_phone_settles_at_the_fullest_reading_that_holds_30_fps(milliseconds, count):
    assert perform((60, milliseconds))[0]["readings"] == READINGS[:count]


def test_a_phone_that_grows_hot_steps_down_and_says_so_and_comes_back():
    cool, hot, again = perform((20, 20), (20, 42), (20, 20))
    assert cool == {"readings": READINGS[:1], "slowed": False}
    assert hot == {"readings": READINGS[:2], "slowed": True}
    assert again == {"readings": READINGS[1::-1], "slowed": False}


def test_a_reading_that_does_not_last_is_tried_ever_more_rarely():
    """Each time the fuller one is tried, the phone heats up again."""
    tries = perform(*[(10, 20), (5, 42)] * 40)
    raised = sum("320" in stretch["readings"][1:] for stretch in tries)
    assert 2 <= raised <= 8
