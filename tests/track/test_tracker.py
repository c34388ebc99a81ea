# SPDX-License-Identifier: GPL-3.0-or-later
"""Ids stay with the actors through whatever happens in front of a camera."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
import pytest

from mfn_addon.face import Face, FaceFrame
from mfn_addon.track import Smoothing, Tracker, TrackerOptions
from tests.capture.marks import ACTORS, identity_of, make_face

RAW = TrackerOptions(smoothing=None)
Path2D = Callable[[float], tuple[float, float] | None]


def frame_at(time: float, faces: Iterable[Face], number: int = 0) -> FaceFrame:
    return FaceFrame(time, "test", number, 640, 360, list(faces))


def play(
    paths: dict[str, Path2D],
    seconds: float,
    rate: float = 30.0,
    tracker: Tracker | None = None,
    jitter: float = 1.5,
    identity_noise: float = 0.4,
    start: float = 0.0,
) -> list[dict[str, int]]:
    """Move actors along paths; the id that each was given, frame by frame. A path gives None
    while its actor is not to be seen."""
    tracker = tracker or Tracker(RAW)
    rng = np.random.default_rng(0)
    history = []
    for number, time in enumerate(np.arange(0, seconds, 1 / rate)):
        faces, truth = [], {}
        for actor, path in paths.items():
            place = path(time)
            if place is None:
                continue
            x, y = np.asarray(place) + rng.normal(0, jitter, 2)
            noise = rng.normal(0, identity_noise, 40).astype(np.float32)
            face = make_face((x, y), actor=actor)
            faces.append(face.with_(identity=face.identity + noise))
            truth[actor] = (x, y)
        rng.shuffle(faces)
        result = tracker.update(frame_at(start + time, faces, number))
        named = {}
        for actor, (x, y) in truth.items():
            near = [f for f in result.faces if abs(f.box[0] + 20 - x) < 1e-3]
            if near and abs(near[0].box[1] + 20 - y) < 1e-3:
                named[actor] = near[0].id
        history.append(named)
    return history


def ids_of(history: list[dict[str, int]], actor: str) -> list[int]:
    return [named[actor] for named in history if actor in named]


def constant(history: list[dict[str, int]], *actors: str) -> bool:
    """Whether each actor had one id throughout, and no two the same."""
    sets = [set(ids_of(history, actor)) for actor in actors]
    return all(len(ids) == 1 for ids in sets) and len(set.union(*sets)) == len(actors)


def still(x: float, y: float) -> Path2D:
    return lambda time: (x, y)


def test_faces_of_the_first_frame_are_there_at_once():
    history = play({"red": still(100, 100), "green": still(300, 100)}, 1.0)
    assert set(history[0]) == {"red", "green"}
    assert constant(history, "red", "green")
    assert {*ids_of(history, "red"), *ids_of(history, "green")} == {1, 2}


@pytest.mark.parametrize("rate", [12, 30, 60])
@pytest.mark.parametrize("height", [0, 15])
def test_crossing(rate, height):
    history = play(
        {
            "red": lambda t: (100 + 120 * t, 150),
            "green": lambda t: (460 - 120 * t, 150 + height),
        },
        3.0,
        rate,
    )
    assert constant(history, "red", "green")


@pytest.mark.parametrize("rate", [12, 30])
def test_crossing_with_the_farther_face_hidden(rate):
    def behind(time: float):
        x = 460 - 120 * time
        return None if abs(x - (100 + 120 * time)) < 35 else (x, 150)

    history = play({"red": lambda t: (100 + 120 * t, 150), "green": behind}, 3.0, rate)
    assert constant(history, "red", "green")
    assert min(map(len, history)) == 1  # it was hidden for a while


def test_hidden_for_almost_a_second_while_moving_on():
    history = play(
        {
            "red": lambda t: None if 1.0 < t < 1.9 else (100 + 60 * t, 150),
            "green": still(450, 200),
        },
        3.0,
    )
    assert constant(history, "red", "green")


def test_two_swap_places_while_both_are_hidden():
    """Someone walks through the picture; behind, the two have changed sides: identity tells."""
    history = play(
        {
            "red": lambda t: None if 1 < t < 1.8 else ((200, 150) if t < 1.5 else (300, 150)),
            "green": lambda t: None if 1 < t < 1.8 else ((300, 150) if t < 1.5 else (200, 150)),
        },
        3.0,
    )
    assert constant(history, "red", "green")


def test_leaving_and_returning_elsewhere_after_a_while():
    history = play(
        {
            "red": lambda t: None if 2 < t < 8 else ((100, 100) if t < 5 else (500, 250)),
            "green": still(300, 150),
        },
        10.0,
    )
    assert constant(history, "red", "green")


@pytest.mark.parametrize("rate", [0.4, 0.7, 2])
def test_few_pictures_a_second_of_people_who_sway(rate):
    """A slow phone sends its next picture after a second and more; nobody was hidden meanwhile.
    Identities here are so unsure that they alone would not tell."""
    history = play(
        {
            "red": lambda t: (200 + 15 * np.sin(t), 150),
            "green": lambda t: (330 + 15 * np.cos(2 * t), 150),
        },
        30.0,
        rate,
        identity_noise=1.2,
    )
    assert min(map(len, history)) == 2
    assert constant(history, "red", "green")


def test_a_network_that_stalls_loses_nobody():
    tracker, paths = Tracker(RAW), {"red": still(200, 150), "green": still(330, 150)}
    history = play(paths, 0.1, tracker=tracker, identity_noise=1.2)
    history += play(paths, 1.0, tracker=tracker, identity_noise=1.2, start=4.5)
    assert constant(history, "red", "green")


def test_somebody_else_in_the_same_place_is_a_new_actor():
    history = play(
        {
            "red": lambda t: (100, 100) if t < 2 else None,
            "green": lambda t: (100, 100) if t > 4 else None,
        },
        6.0,
    )
    assert constant(history, "red", "green")


def test_a_cut_to_another_framing_keeps_the_actors():
    history = play(
        {
            "red": lambda t: (100, 100) if t < 1 else (400, 300),
            "green": lambda t: (300, 100) if t < 1 else (150, 300),
        },
        2.0,
    )
    assert constant(history, "red", "green")


def test_three_faces_and_irregular_times():
    tracker = Tracker(RAW)
    rng = np.random.default_rng(5)
    time, seen = 0.0, {actor: set() for actor in ACTORS}
    for _ in range(150):
        time += rng.choice([1 / 60, 1 / 30, 1 / 10])
        places = {"red": (100 + 20 * time, 100), "green": (300, 100 + 10 * time), "blue": (500, 90)}
        faces = [make_face(place, actor=actor) for actor, place in places.items()]
        for face in tracker.update(frame_at(time, faces)).faces:
            for actor in ACTORS:
                if np.array_equal(face.identity, identity_of(actor)):
                    seen[actor].add(face.id)
    assert sorted(map(tuple, seen.values())) == [(1,), (2,), (3,)]


def test_a_flicker_never_becomes_an_actor():
    tracker = Tracker(RAW)
    for number in range(60):
        faces = [make_face((100, 100))]
        if number in (20, 40):
            faces.append(make_face((400, 200), actor="blue", score=0.7))
        result = tracker.update(frame_at(number / 30, faces))
        assert [face.id for face in result.faces] == [1]
    assert tracker.next_id == 2


def test_an_unsure_face_becomes_an_actor_once_it_has_stayed():
    tracker = Tracker(RAW)
    counts = []
    for number in range(10):
        faces = [make_face((100, 100))]
        if number >= 3:
            faces.append(make_face((400, 200), actor="blue", score=0.7))
        counts.append(len(tracker.update(frame_at(number / 30, faces)).faces))
    assert counts == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2]


def test_an_unsure_face_goes_on_being_an_actor_but_never_becomes_one():
    tracker = Tracker(RAW)
    ids = []
    for number in range(60):
        turned = 0.9 if number < 5 or number > 50 else 0.35
        faces = [make_face((100, 100), score=turned)]
        faces.append(make_face((400, 200), actor="blue", score=0.35))
        if number == 0:
            faces.pop()
        result = tracker.update(frame_at(number / 30, faces))
        ids.append([face.id for face in result.faces])
    assert ids[:25] == [[1]] * 25  # 0.7 s after it was last sure
    assert ids[27:51] == [[]] * 24
    assert ids[51:] == [[1]] * 9


def test_two_boxes_on_one_face_are_one():
    tracker = Tracker(RAW)
    for number in range(10):
        faces = [make_face((100, 100), score=0.9), make_face((104, 102), score=0.7)]
        result = tracker.update(frame_at(number / 30, faces))
        assert [face.score for face in result.faces] == [0.9]


def test_a_part_of_a_known_face_is_no_new_actor():
    tracker = Tracker(RAW)
    for number in range(10):
        faces = [make_face((100, 100), 30)]
        if number > 3:
            faces.append(make_face((105, 105), 14, score=0.95))
        assert len(tracker.update(frame_at(number / 30, faces)).faces) == 1


def test_two_heads_close_together_stay_two():
    history = play({"red": still(100, 100), "green": still(126, 100)}, 2.0, jitter=1.0)
    assert constant(history, "red", "green")
    assert all(len(named) == 2 for named in history)


def test_footage_that_starts_over_keeps_its_actors():
    tracker = Tracker(RAW)
    paths = {"red": lambda t: (100 + 50 * t, 100), "green": still(400, 100)}
    first, second = play(paths, 2.0, tracker=tracker), play(paths, 2.0, tracker=tracker)
    assert constant(first + second, "red", "green")


def test_ids_can_start_anywhere():
    tracker = Tracker(TrackerOptions(first_id=7))
    assert tracker.update(frame_at(0.0, [make_face()])).faces[0].id == 7
    assert tracker.next_id == 8


def test_actors_who_come_together_are_numbered_from_the_left():
    faces = [
        make_face((500.0, 100.0), actor="blue", score=0.99),
        make_face((80.0, 100.0), score=0.8),
        make_face((300.0, 100.0), actor="green", score=0.9),
    ]
    seen = Tracker().update(frame_at(0.0, faces)).faces
    assert [round(float(face.box[0])) for face in seen] == [60, 280, 480]
    assert [face.id for face in seen] == [1, 2, 3]


def test_an_empty_frame():
    tracker = Tracker()
    assert tracker.update(frame_at(0.0, [])).faces == []


def test_smoothing_makes_a_shaking_box_calm_and_keeps_its_place():
    rng = np.random.default_rng(6)
    tracker = Tracker(TrackerOptions(smoothing=Smoothing()))
    seen, given = [], []
    for number in range(120):
        face = make_face(tuple(np.array([100.0, 100.0]) + rng.normal(0, 1, 2)))
        given.append(face.box)
        seen.append(tracker.update(frame_at(number / 30, [face])).faces[0].box)
    assert np.std(np.diff(seen, axis=0)) < 0.5 * np.std(np.diff(given, axis=0))
    assert np.mean(seen[30:], axis=0) == pytest.approx([80, 80, 120, 120], abs=0.5)


def test_the_frame_that_came_in_is_not_changed():
    face = make_face(jaw_open=0.4)
    frame = frame_at(0.0, [face])
    tracker = Tracker()
    tracker.update(frame)
    tracker.update(frame_at(0.1, [make_face(jaw_open=0.9)]))
    assert frame.faces == [face]
    assert face.id == -1
