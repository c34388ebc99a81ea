# SPDX-License-Identifier: GPL-3.0-or-later
"""Footage for the tests of sources, made on the spot."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest


@pytest.fixture
def ffmpeg(tmp_path: Path) -> Callable[..., Path]:
    """`ffmpeg("name.mp4", *options)` makes a file and gives its path."""
    imageio_ffmpeg = pytest.importorskip("imageio_ffmpeg")

    def make(name: str, *options: str) -> Path:
        path = tmp_path / name
        program = imageio_ffmpeg.get_ffmpeg_exe()
        command = [program, "-hide_banner", "-loglevel", "error", "-y", *options, str(path)]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return path

    return make
