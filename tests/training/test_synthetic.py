# SPDX-License-Identifier: GPL-3.0-or-later
"""Synthetic pictures: do the labels say what the picture shows?"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

if importlib.util.find_spec("numba") is None:
    pytest.skip("numba is not here (requirements/training.txt)", allow_module_level=True)

from mfn_addon.face import EXPRESSION_INDEX, LANDMARK_PARTS, load_head_model
from training.synthetic import compose, expressions, photo, traits
from training.synthetic.making import generate
from training.synthetic.painter import Canvas, Painter, Pose, visible_share
from training.synthetic.people import Person, load_wardrobe, random_person
from training.synthetic.scene import Studio, euler, pack

SIZE = 128
DISTANCE = 0.8
FOCAL = 0.65 * SIZE * DISTANCE / 0.135


@pytest.fixture(scope="module")
def painter() -> Painter:
    return Painter(load_wardrobe())


@pytest.fixture(scope="module")
def somebody(painter) -> Person:
    """A bare face: no hair, hat or glasses that could hide what a test looks at."""
    person = random_person(painter.wardrobe, np.random.default_rng(2))
    person.hair = person.hat = person.glasses = -1
    person.look[traits.BEARD_AMOUNT] = 0
    return person


def portrait(painter, person, rotation=None, at=(0.0, 0.03), **weights):
    """A plain picture of one person (h, w, 3) uint8, its truth, and the canvas."""
    expression = np.zeros(expressions.COUNT, np.float32)
    expressions.set_(expression, **weights)
    rotation = np.eye(3, dtype=np.float32) if rotation is None else rotation
    pose = Pose(rotation, np.array([*at, -DISTANCE], np.float32), np.eye(3, dtype=np.float32))
    canvas = Canvas(SIZE, SIZE)
    canvas.clear()
    light = photo.random_light(np.random.default_rng(3))
    truth = painter.paint(canvas, person, expression, pose, FOCAL, light, 0)
    background = np.full((SIZE, SIZE, 3), 0.3, np.float32)
    compose.downsample(canvas.image, canvas.owner, background, canvas.samples, canvas.out)
    return photo.develop(canvas.out, np.random.default_rng(0), plain=True), truth, canvas


def around(landmarks, part: str, margin: int = 2) -> tuple[slice, slice]:
    """The picture's rows and columns about a part of the face."""
    points = landmarks[list(LANDMARK_PARTS[part])]
    x0, y0 = np.floor(points.min(0)).astype(int) - margin
    x1, y1 = np.ceil(points.max(0)).astype(int) + margin
    return slice(y0, y1), slice(x0, x1)


def change(one, other, part) -> float:
    """Mean difference of two pictures about a part, in grey levels."""
    return float(np.abs(one[part].astype(float) - other[part].astype(float)).mean())


def test_labels_are_the_head_model_seen_by_the_named_camera(painter, somebody):
    rotation = euler(0.4, -0.1, 0.2)
    _, truth, _ = portrait(painter, somebody, rotation, jawOpen=0.5)
    points = load_head_model().landmark_points(truth.identity, truth.expression)
    camera = points @ truth.rotation.T + truth.translation
    expected = camera[:, :2] * [1, -1] * FOCAL / -camera[:, 2:] + SIZE / 2
    np.testing.assert_allclose(truth.landmarks, expected, atol=0.05)


def folded(person: Person, folds: float, at_rest: float = 0.0) -> Person:
    look = person.look.copy()
    look[traits.FOLDS], look[traits.RESTING_FOLDS] = folds, at_rest
    return replace(person, look=look)


FOLDING = {
    "a raised brow": ({"browInnerUp": 1}, (0.0, 0.036)),
    "a frown": ({"browDownLeft": 1, "browDownRight": 1}, (0.006, 0.018)),
    "a sneer": ({"noseSneerLeft": 1}, (0.012, -0.012)),
    "a smile": ({"mouthSmileLeft": 1}, (0.026, -0.05)),
    "a squint": ({"cheekSquintLeft": 1}, (0.053, -0.003)),
    "a dimple": ({"mouthDimpleLeft": 1}, (0.03, -0.067)),
    "a chin pushed up": ({"mouthShrugLower": 1}, (0.0, -0.085)),
}
"""What folds the skin, and where on the neutral face (x to the actor's left, y up, metres)."""


@pytest.mark.parametrize("what", FOLDING)
def test_a_moved_face_folds_its_skin_where_people_do(painter, somebody, what):
    weights, (x, y) = FOLDING[what]
    smooth, truth, _ = portrait(painter, folded(somebody, 0), **weights)
    creased, _, _ = portrait(painter, folded(somebody, 1), **weights)
    changed = np.abs(smooth.astype(float) - creased.astype(float)).mean(-1)
    # the face is seen from the front: metres to px by the distance of its front
    focus = np.array([SIZE / 2, SIZE / 2 - 0.03 * FOCAL / DISTANCE])
    middle = focus + np.array([x, -y]) * FOCAL / (DISTANCE - 0.015)
    rows, columns = np.nonzero(changed > 4)
    assert len(rows) > 5
    nearest = np.hypot(columns - middle[0], rows - middle[1]).min()
    assert nearest < 6
    if any(name.endswith("Left") for name in weights) and len(weights) == 1:
        assert (columns > SIZE / 2 - 3).mean() > 0.85  # what lies across goes with both sides
    assert truth.box[0] < middle[0] < truth.box[2]


def test_a_resting_face_is_smooth_but_for_folds_that_stay(painter, somebody):
    smooth, _, _ = portrait(painter, folded(somebody, 0))
    ready, _, _ = portrait(painter, folded(somebody, 1))
    old, _, _ = portrait(painter, folded(somebody, 0, 0.5))
    np.testing.assert_array_equal(smooth, ready)
    assert (np.abs(smooth.astype(float) - old.astype(float)).mean(-1) > 4).sum() > 20


def test_the_box_holds_the_inner_landmarks_and_little_more(painter, somebody):
    _, truth, _ = portrait(painter, somebody)
    x0, y0, x1, y1 = truth.box
    inner = truth.landmarks[17:]
    assert (inner > [x0, y0]).all()
    assert (inner < [x1, y1]).all()
    assert np.ptp(truth.landmarks[:17, 0]) > 0.9 * (x1 - x0)  # from ear to ear


def test_the_face_is_where_the_box_says(painter, somebody):
    _, truth, canvas = portrait(painter, somebody)
    x, y = ((truth.box[:2] + truth.box[2:]) / 2 * canvas.samples).astype(int)
    assert canvas.owner[y, x] == 0
    assert canvas.owner[2, 2] == 255  # nobody in the corner


def test_an_open_jaw_shows_the_dark_of_the_mouth(painter, somebody):
    shut, _, _ = portrait(painter, somebody)
    wide, truth, _ = portrait(painter, somebody, jawOpen=1.0)
    mouth = around(truth.landmarks, "lipsInner", 0)
    assert wide[mouth].mean() < 0.75 * shut[mouth].mean()


def test_a_wink_of_the_left_eye_moves_the_actors_left_eye(painter, somebody):
    neutral, truth, _ = portrait(painter, somebody)
    wink, _, _ = portrait(painter, somebody, eyeBlinkLeft=1.0)
    left, right = around(truth.landmarks, "eyeLeft"), around(truth.landmarks, "eyeRight")
    assert change(neutral, wink, left) > 10
    assert change(neutral, wink, left) > 10 * change(neutral, wink, right)
    assert truth.landmarks[45, 0] > truth.landmarks[36, 0]  # the actor's left is to our right


def test_gaze_turns_the_iris_and_leaves_the_lids_alone(painter, somebody):
    person = somebody
    weights = np.zeros(expressions.COUNT, np.float32)
    expressions.look(weights, 1.0, 0.0)
    names = [name for name, i in EXPRESSION_INDEX.items() if weights[i] > 0]
    assert sorted(names) == ["eyeLookInLeft", "eyeLookOutRight"]
    ahead, truth, _ = portrait(painter, person)
    aside, _, _ = portrait(painter, person, **dict.fromkeys(names, 1.0))

    def darkest(picture) -> float:
        """The column of the iris: where the eye's strip is darkest."""
        rows, columns = around(truth.landmarks, "eyeRight", 0)
        dark = 255.0 - picture[rows, columns].mean(2)
        weight = np.maximum(dark - np.percentile(dark, 60), 0).sum(0)
        return float((weight * np.arange(len(weight))).sum() / weight.sum())

    assert darkest(aside) < darkest(ahead) - 0.5  # the actor's right is to our left


def test_what_is_out_of_the_picture_is_not_visible(painter, somebody):
    _, truth, canvas = portrait(painter, somebody)
    assert visible_share(canvas, truth, FOCAL, 0) > 0.95
    half = -truth.landmarks[30, 0] / FOCAL * DISTANCE
    _, truth, canvas = portrait(painter, somebody, at=(half, 0.03))
    assert 0.3 < visible_share(canvas, truth, FOCAL, 0) < 0.7


def test_expressions_do_not_contradict_themselves():
    sampler = expressions.ExpressionSampler()
    drawn = np.stack([sampler(np.random.default_rng(k)) for k in range(400)])
    assert drawn.min() >= 0
    assert drawn.max() <= 1
    for one, other in expressions.CONTRADICTIONS:
        a, b = drawn[:, EXPRESSION_INDEX[one]], drawn[:, EXPRESSION_INDEX[other]]
        assert not ((a > 0) & (b > 0)).any(), (one, other)
    assert (drawn.max(0) > 0.5).all()  # every shape is drawn


def test_scenes_label_every_face_and_nothing_else():
    studio = Studio(160, 96)
    for k in range(6):
        image, focal, truths = studio.scene(np.random.default_rng(k))
        assert image.shape == (96, 160, 3)
        rows = pack(truths, focal, 6)
        for key, value in rows.items():
            assert np.isfinite(value[: len(truths)]).all(), key
            assert np.isnan(value[len(truths) :]).all(), key
        for truth in truths:
            np.testing.assert_allclose(truth.rotation @ truth.rotation.T, np.eye(3), atol=1e-5)
            assert 0 <= truth.visible <= 1


def test_bystanders_look_elsewhere_and_others_have_turned_away():
    studio = Studio(96, 96)
    turns = {"bystander": [], "away": []}
    for kind, seen in turns.items():
        for k in range(12):
            image, _, (truth,) = getattr(studio, kind)(np.random.default_rng(k))
            assert image.shape == (96, 96, 3)
            seen.append(truth.rotation[2, 2])  # cosine between the face and the camera
    assert min(turns["bystander"]) > -0.1
    assert min(turns["bystander"]) < 0.6 < max(turns["bystander"])
    assert max(turns["away"]) < -0.4


def test_a_set_depends_on_its_seed_alone(tmp_path):
    for name, seed, workers in (("one", 5, 1), ("again", 5, 2), ("other", 6, 1)):
        generate("crops", 3, 64, 64, seed, tmp_path / name, workers)
    one, again, other = (
        np.load(tmp_path / name / "images.npy") for name in ("one", "again", "other")
    )
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    boxes = np.load(tmp_path / "one" / "box.npy")
    sides = (boxes[:, 0, 2:] - boxes[:, 0, :2]).max(1) / 64
    assert (sides > 0.45).all()
    assert (sides < 1.0).all()


def test_what_cannot_be_made_is_refused(tmp_path):
    with pytest.raises(
        ValueError, match="expected one of scenes, crops, bystanders, away, studies"
    ):
        generate("portraits", 1, 64, 64, 0, tmp_path / "x")
    with pytest.raises(ValueError, match="32 x 96 px: a picture needs 64 px a side"):
        generate("studies", 1, 32, 96, 0, tmp_path / "x")


def test_the_command_shares_its_work_between_two_processes(tmp_path):
    command = [sys.executable, "-m", "training.synthetic", "--kind", "crops", "--size", "64"]
    command += ["--count", "51", "--workers", "2", "--output", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    boxes = np.load(tmp_path / "box.npy")
    assert (boxes[:, 0, 2:] > boxes[:, 0, :2]).all()
