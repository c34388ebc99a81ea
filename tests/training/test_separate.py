# SPDX-License-Identifier: GPL-3.0-or-later
"""The detector that is cut out of MFN finds what MFN finds."""

from __future__ import annotations

import numpy as np

from benchmarks.pictures import group_picture
from mfn_addon.network import FaceNetwork
from training.separate import Separate, memory, separate_files


def test_both_ways_find_the_same_faces_in_a_picture(tmp_path):
    image = group_picture(3)
    files = separate_files(tmp_path)
    joint, separate = FaceNetwork().detect(image), Separate(*files).detect(image)
    assert len(joint) == len(separate) == 3
    for one, other in zip(joint, separate, strict=True):
        assert np.allclose(one.box, other.box, atol=0.01)
        assert np.isfinite(other.landmarks).all()
    assert 10 < memory(files) < 2000
