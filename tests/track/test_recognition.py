# SPDX-License-Identifier: GPL-3.0-or-later
"""Real faces: two actors keep their ids when they cross and when one leaves for three seconds.

What is read of them is the network's, of two clips; only where they stand is moved, so that they
cross and leave. Needs the development data, which is no part of the repository.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain, cycle, islice

import numpy as np
import pytest

from mfn_addon.capture.footage import Footage
from mfn_addon.face import Face, FaceFrame
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import DEFAULT_PATH
from mfn_addon.track import Tracker, TrackerOptions
from training.photos import data_folder

CLIPS = (("single_d0", "single_d18"), ("single_d0", "single_d11"), ("single_d13", "single_d18"))
RATE, READ = 15.0, 30
UNLIKE = CLIPS[1]
"""A pair whose identity weights differ by more than their noise; the other two do not yet
(models/MODEL_CARD.md), so that a newcomer may get the id of the one who left."""
Place = Callable[[float], float | None]


@pytest.fixture(scope="module")
def readings() -> dict[str, list[Face]]:
    """The surest face in every second picture of each clip."""
    folder = data_folder()
    if folder is None or not DEFAULT_PATH.is_file():
        pytest.skip("the development data or models/mfn.onnx is not here")
    network = FaceNetwork(threads=1)
    found = {}
    for clip in set(chain(*CLIPS)):
        pictures = islice(Footage(folder / "clips" / f"{clip}.mp4"), 0, 2 * READ, 2)
        faces = (network.detect(picture.image)[:1] for picture in pictures)
        found[clip] = [face for each in faces for face in each]
    return found


def moved(face: Face, x: float) -> Face:
    """The same reading of a face that stands at x, 150 px large."""
    size = face.box[2] - face.box[0]
    shift = np.array((x, 240.0), np.float32) - (face.box[:2] + face.box[2:]) / 2
    box = np.array((x - 75, 165, x + 75, 315), np.float32)
    return face.with_(box=box, landmarks=(face.landmarks + shift) * 150 / size, score=0.95)


def play(faces: dict[str, list[Face]], places: dict[str, Place], seconds: float) -> dict[str, list]:
    """The ids that each actor was given, frame by frame; None while not to be seen."""
    tracker = Tracker(TrackerOptions(smoothing=None))
    streams: dict[str, Iterator[Face]] = {actor: cycle(faces[actor]) for actor in places}
    ids: dict[str, list] = {actor: [] for actor in places}
    for number in range(int(seconds * RATE)):
        time = number / RATE
        seen = {a: moved(next(streams[a]), x) for a in places if (x := places[a](time)) is not None}
        frame = FaceFrame(time, "test", number, 1280, 480, list(seen.values()))
        known = tracker.update(frame).faces
        for actor in places:
            box = seen[actor].box if actor in seen else None
            given = (f.id for f in known if box is not None and np.allclose(f.box, box))
            ids[actor].append(next(given, None))
    return ids


def once(ids: list) -> set:
    return {each for each in ids if each is not None}


@pytest.mark.parametrize("pair", CLIPS)
def test_two_real_actors_cross(readings, pair):
    left, right = pair

    def behind(t: float) -> float | None:
        return None if abs(980 - 400 * t) < 70 else 1130 - 200 * t  # hidden as they pass

    ids = play(readings, {left: lambda t: 150 + 200 * t, right: behind}, seconds=4.5)
    apart = [number for number in range(len(ids[left])) if abs(980 - 400 * number / RATE) > 150]
    before_and_after = {actor: {ids[actor][number] for number in apart} for actor in pair}
    assert {len(each) for each in before_and_after.values()} == {1}
    assert before_and_after[left] != before_and_after[right]


@pytest.mark.parametrize("pair", CLIPS)
def test_a_real_actor_leaves_for_three_seconds_and_comes_back_elsewhere(readings, pair):
    stays, leaves = pair
    ids = play(
        readings,
        {
            stays: lambda t: 640.0,
            leaves: lambda t: 200.0 if t < 2.5 else 1080.0 if t >= 5.5 else None,
        },
        seconds=8.0,
    )
    assert len(once(ids[stays])) == 1
    assert len(once(ids[leaves])) == 1
    assert once(ids[stays]) != once(ids[leaves])


def test_a_stranger_is_not_taken_for_an_actor_who_left(readings):
    leaves, stranger = UNLIKE
    ids = play(
        readings,
        {
            leaves: lambda t: 200.0 if t < 4.0 else None,
            stranger: lambda t: 1080.0 if t >= 7.0 else None,
        },
        seconds=9.0,
    )
    assert once(ids[leaves]).isdisjoint(once(ids[stranger]))
