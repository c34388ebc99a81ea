# SPDX-License-Identifier: GPL-3.0-or-later
"""Pictures into an H.264 file that every player opens."""

from __future__ import annotations

import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import imageio_ffmpeg
import numpy as np


class FilmWriter:
    """Writes pictures of one size to an .mp4 at a constant rate; use it in a `with` block.

    Args:
        path: the file to write; its folder exists.
        width, height: px, both even (H.264 stores colour at half the size).
        rate: pictures a second.
        quality: x264's constant rate factor; 18 looks lossless, 28 is small.

    Raises:
        RuntimeError: ffmpeg failed; the message has its last line.
    """

    def __init__(self, path: Path, width: int, height: int, rate: float, quality: int = 20) -> None:
        if width % 2 or height % 2:
            raise ValueError(f"a film of {width}x{height}: both sides must be even")
        self.shape = (height, width, 3)
        command = [imageio_ffmpeg.get_ffmpeg_exe(), "-y", "-loglevel", "error"]
        command += ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{width}x{height}"]
        command += ["-r", f"{rate:.6g}", "-i", "-", "-an", "-c:v", "libx264", "-preset", "slow"]
        command += ["-crf", str(quality), "-pix_fmt", "yuv420p", "-movflags", "+faststart"]
        command += ["-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"]
        command += ["-vf", "scale=out_color_matrix=bt709", str(path)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE)

    def add(self, image: np.ndarray) -> None:
        """Append one picture, (H, W, 3) uint8 RGB."""
        if image.shape != self.shape:
            raise ValueError(f"a picture of {image.shape}, the film's are {self.shape}")
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(np.ascontiguousarray(image).tobytes())
        except BrokenPipeError:
            self._finish()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self._finish()
        else:
            self._process.kill()
            self._process.wait()

    def _finish(self) -> None:
        _, message = self._process.communicate()
        if self._process.returncode:
            lines = message.decode(errors="replace").strip().splitlines() or ["no message"]
            raise RuntimeError(f"ffmpeg could not write the film: {lines[-1]}")
