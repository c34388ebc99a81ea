# SPDX-License-Identifier: GPL-3.0-or-later
"""The drawing of faces over a picture."""

import numpy as np

from mfn_addon.capture.overlay import colour_of, draw_overlay
from mfn_addon.face import FaceFrame, HeadModel
from tests.capture.marks import make_face


def grey(width: int = 320, height: int = 240) -> np.ndarray:
    return np.full((height, width, 3), 128, np.uint8)


def one_face(**options) -> FaceFrame:
    return FaceFrame(0.0, "x", 0, 320, 240, [make_face((160, 120), 40, face_id=1, **options)])


def test_the_mesh_covers_the_face_and_the_input_stays(head_model: HeadModel):
    image = grey()
    drawn = draw_overlay(image, one_face(), head_model, boxes=False, landmarks=False)
    assert (image == 128).all()
    changed = (drawn != 128).any(axis=2)
    assert changed[120, 160]  # 0.8 m before the camera: the middle of the picture
    assert not changed[:30].any()
    assert 0.02 < changed.mean() < 0.5


def test_without_a_head_model_there_are_boxes():
    drawn = draw_overlay(grey(), one_face())
    assert (drawn[160, 120:200] == colour_of(1)).any()


def test_a_preview_of_another_size_is_drawn_to_its_scale(head_model: HeadModel):
    small = draw_overlay(grey(160, 120), one_face(), head_model)
    rows, columns = np.nonzero((small != 128).any(axis=2))
    assert 20 < rows.min() < rows.max() < 100
    assert abs(columns.mean() - 80) < 8


def test_faces_partly_or_wholly_outside_are_harmless(head_model: HeadModel):
    frame = one_face()
    for x in (-2.0, -0.35, 0.35, 2.0):
        frame.faces[0].translation[0] = x
        frame.faces[0].box[:] += 60
        assert draw_overlay(grey(), frame, head_model).shape == (240, 320, 3)


def test_actors_differ_in_colour():
    assert len({colour_of(number) for number in range(1, 9)}) == 8
