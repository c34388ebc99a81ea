# SPDX-License-Identifier: GPL-3.0-or-later
"""What many tests share: the head model, the development data, and what this Python can run."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest

from mfn_addon.face import HeadModel, load_head_model

REPOSITORY = Path(__file__).resolve().parents[1]

# Each environment runs the tests of the modules it has: bpy in .venv and those of Blender 4.2 and
# 4.5, torch in .venv-train.
collect_ignore: list[str] = []
if find_spec("bpy") is None:
    collect_ignore += ["rig", "ui", "sample_rigs"]
if find_spec("torch") is None:
    collect_ignore += ["training"]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The repository's root."""
    return REPOSITORY


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of development data beside the checkout, which is never part of it."""
    folder = REPOSITORY.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("development data (../shared/data) is not here")
    return folder


@pytest.fixture(scope="session")
def head_model() -> HeadModel:
    """The parametric head that ships in models/."""
    try:
        return load_head_model()
    except FileNotFoundError as error:
        pytest.skip(str(error))


@pytest.fixture(scope="session")
def network_path() -> Path:
    """The network that ships in models/."""
    path = REPOSITORY / "models" / "mfn.onnx"
    if not path.is_file():
        pytest.skip("models/mfn.onnx is not built (run `make train`)")
    return path
