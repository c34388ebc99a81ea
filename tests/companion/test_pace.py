# SPDX-License-Identifier: GPL-3.0-or-later
"""The page's choice of the picture size, on a simulated phone."""

from __future__ import annotations

import json
import subprocess

import pytest

from tests.companion.node import COMPANION, node_binary, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


def perform(*stretches: tuple[float, float]) -> list[dict]:
    """What companion/tests/pace.ts prints for stretches of (seconds, ms a picture of 320 px)."""
    node = node_binary()
    assert node is not None
    done = subprocess.run(
        [node, "--no-warnings", "tests/pace.ts"], cwd=COMPANION, check=True,
        input=json.dumps(stretches), capture_output=True, text=True,
    )  # fmt: skip
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("milliseconds", "sides"),
    [(20, [320]), (33, [320]), (42, [320, 256]), (80, [320, 256, 192]), (200, [320, 256, 192])],
)
def test_a_phone_settles_at_the_largest_size_that_holds_30_fps(milliseconds, sides):
    assert perform((60, milliseconds))[0]["sides"] == sides


def test_a_phone_that_grows_hot_steps_down_and_says_so_and_comes_back():
    cool, hot, again = perform((20, 20), (20, 42), (20, 20))
    assert cool == {"sides": [320], "slowed": False}
    assert hot == {"sides": [320, 256], "slowed": True}
    assert again == {"sides": [256, 320], "slowed": False}


def test_a_size_that_does_not_last_is_tried_ever_more_rarely():
    """Each time the larger picture is tried, the phone heats up again."""
    tries = perform(*[(10, 20), (5, 42)] * 40)
    raised = sum(320 in stretch["sides"][1:] for stretch in tries)
    assert 2 <= raised <= 8
