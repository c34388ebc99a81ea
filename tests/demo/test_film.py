# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("imageio_ffmpeg")

from demo.film import FilmWriter


def test_a_film_holds_its_pictures(tmp_path: Path) -> None:
    path = tmp_path / "grey.mp4"
    with FilmWriter(path, 64, 48, rate=25) as film:
        for level in (20, 120, 220):
            film.add(np.full((48, 64, 3), level, np.uint8))

    reader = cv2.VideoCapture(str(path))
    assert reader.get(cv2.CAP_PROP_FPS) == 25
    means = [image.mean() for ok, image in iter(reader.read, (False, None)) if ok]
    assert means == pytest.approx([20, 120, 220], abs=4)


def test_odd_sides_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="even"):
        FilmWriter(tmp_path / "odd.mp4", 63, 48, rate=25)


def test_a_film_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    def write() -> None:
        with FilmWriter(tmp_path / "absent" / "film.mp4", 64, 48, rate=25) as film:
            for _ in range(100):
                film.add(np.zeros((48, 64, 3), np.uint8))

    with pytest.raises(RuntimeError, match="ffmpeg could not write"):
        write()
