# SPDX-License-Identifier: GPL-3.0-or-later
"""The detector that is cut out of MFN finds what MFN finds."""

from __future__ import annotations

import numpy as np

from benchmarks.pictures import group_picture
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import DEFAULT_PATH
from training.measures import overlap
from training.separate import Separate, memory, separate_files


def test_both_ways_find_the_same_faces_in_a_picture(tmp_path):
    image = group_picture(3)
    files = separate_files(tmp_path)
    joint, separate = FaceNetwork().detect(image), Separate(*files).detect(image)
    assert len(joint) == len(separate) == 3
    # The one pass has looked again where exactly each is.
    same = overlap(*(np.array([face.box for face in faces]) for faces in (joint, separate)))
    assert sorted(same.argmax(1)) == [0, 1, 2]
    assert (same.max(1) > 0.6).all()
    assert all(np.isfinite(face.landmarks).all() for face in separate)
    assert 10 < memory(files) < 2000


def test_the_memory_of_what_is_landed_is_measured():
    assert 10 < memory((DEFAULT_PATH,)) < 2000
