# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the found faces the exported network keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch

from mfn_addon.capture.footage import Footage
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import DEFAULT_PATH, fitted
from training.export import (
    LOWEST_SCORE,
    SURE_SCORE,
    Find,
    Read,
    joint_score,
    pick_graph,
    without_doubles,
)
from training.layers import dense, thin
from training.model import MAX_FACES, Mfn
from training.running import read_weights


def pick(
    score: list[float], box: list[list[float]], faces: int = MAX_FACES
) -> tuple[np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(
        pick_graph(faces).SerializeToString(), providers=["CPUExecutionProvider"]
    )
    rows = {"score_in": np.float32([score]), "box_in": np.float32([box])}
    kept_score, kept_box = session.run(["proposed_score", "proposed_box"], rows)
    return np.asarray(kept_score), np.asarray(kept_box)


def square(number: int, side: float) -> list[float]:
    x, y = 100.0 * (number % 8), 100.0 * (number // 8)
    return [x, y, x + side, y + side]


def test_few_faces_come_surest_first_and_the_rest_is_empty():
    score, box = pick([0.3, 0.9, LOWEST_SCORE / 2], [square(n, 50) for n in range(3)])
    assert np.allclose(score[:2], [0.9, 0.3])
    assert np.allclose(box[0], square(1, 50))
    assert (score[2:] == 0).all()


def test_no_face_at_all():
    score, _ = pick([0.01, 0.02], [square(0, 50), square(1, 50)])
    assert (score == 0).all()


def test_of_overlapping_boxes_the_surest_stays():
    score, box = pick([0.6, 0.8], [[0, 0, 50, 50], [3, 3, 53, 53]])
    assert np.flatnonzero(score).tolist() == [0]
    assert np.allclose(box[0], [3, 3, 53, 53])


def test_of_too_many_faces_specks_go_first():
    specks = [(0.9, square(n, 10)) for n in range(MAX_FACES + 4)]
    near = [(0.6, square(n, 80)) for n in range(MAX_FACES + 4, MAX_FACES + 7)]
    score, box = pick([s for s, _ in specks + near], [b for _, b in specks + near])
    assert len(score) == MAX_FACES
    assert (np.diff(score) <= 0).all()
    wide = box[:, 2] - box[:, 0] > 50
    assert np.flatnonzero(wide).tolist() == [MAX_FACES - 3, MAX_FACES - 2, MAX_FACES - 1]


def test_something_large_but_doubtful_takes_no_place_of_a_face():
    specks = [(0.5, square(n, 10)) for n in range(MAX_FACES)]
    doubtful = [(SURE_SCORE / 2, square(40, 90))]
    score, _ = pick([s for s, _ in specks + doubtful], [b for _, b in specks + doubtful])
    assert np.allclose(score, 0.5)


def test_exact_boxes_of_one_face_become_one():
    box = torch.tensor([[0.0, 0, 50, 50], [4, 0, 54, 50], [100, 0, 150, 50], [30, 0, 80, 50]])
    score = without_doubles(torch.tensor([0.6, 0.8, 0.3, 0.2]), box)
    assert score.tolist() == pytest.approx([0, 0.8, 0.3, 0.2])


def test_a_second_look_raises_and_lowers_a_score_but_makes_no_face_of_nothing():
    proposed = torch.tensor([0.2, 0.2, 0.0])
    low, high, none = joint_score(proposed, torch.tensor([-5.0, 5.0, 5.0])).tolist()
    assert low < 0.2 < high
    assert none == 0


@pytest.mark.parametrize(("name", "near3"), [("mfn", dense), ("mfn_light", thin)])
def test_the_landed_network_reads_what_its_weights_do(name, near3):
    """Rounded to 8 bits, and by ONNX Runtime: three faces of the demo's footage."""
    model = Mfn(near3)
    model.load_state_dict(read_weights(Path(f"training/weights/{name}.pt")))
    picture = next(iter(Footage(Path("demo/three_people.mp4")))).image
    inputs, box = fitted(picture)
    with torch.no_grad():
        *maps, score, boxes = Find(model.eval())(*map(torch.from_numpy, inputs.values()))
        chosen = pick(score[0].tolist(), boxes[0].tolist(), model.faces)
        said = Read(model)(*maps, *(torch.from_numpy(part) for part in reversed(chosen)))
    path = DEFAULT_PATH.with_name(f"{name}.onnx")
    faces = FaceNetwork(path, threads=1, as_read=True).detect(picture)
    assert len(faces) == 3
    for face in faces:
        row = int((said[1] / box.scale - torch.from_numpy(face.box)).abs().sum(1).argmin())
        score, boxes, _, _, _, identity, expression = (part[row].numpy() for part in said)
        assert face.score == pytest.approx(float(score), abs=0.02)
        assert face.box == pytest.approx(boxes / box.scale, abs=2.0)
        assert np.abs(face.identity - identity).mean() < 0.1  # of a deviation between people
        assert face.expression == pytest.approx(expression, abs=0.05)
