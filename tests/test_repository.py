# SPDX-License-Identifier: GPL-3.0-or-later
"""The repository as a whole: sizes, licence headers, versions, and nothing of one machine."""

from __future__ import annotations

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

MEGABYTE = 1_000_000
SIZE_LIMITS = [
    ("models/*.onnx", 4 * MEGABYTE),
    ("models/head_model.npz", 3 * MEGABYTE),
    ("sample_rigs/*.blend", 6 * MEGABYTE),
    ("demo/*.mp4", 2 * MEGABYTE),
    ("**/*", 8 * MEGABYTE),
]
LICENCE = "SPDX-License-Identifier: GPL-3.0-or-later"
SOURCE_SUFFIXES = {".py", ".sh"}
TEXT_SUFFIXES = SOURCE_SUFFIXES | {".md", ".toml", ".txt", ".json", ".yml", ".cfg", ""}

# A path that exists on one person's machine only.
MACHINE_PATH = re.compile(r"(?<![\w.$}])/(?:home|Users|root|work|mnt|media)/[\w.-]+")


@pytest.fixture(scope="module")
def tracked(repository: Path) -> list[Path]:
    """The files that git would put in a clone."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"], cwd=repository, capture_output=True, text=True, check=False
    )
    if listing.returncode:
        pytest.skip("not a git checkout")
    files = [repository / name for name in listing.stdout.split("\0") if name]
    return [path for path in files if path.is_file()]


@pytest.mark.parametrize(("pattern", "limit"), SIZE_LIMITS)
def test_files_stay_small(tracked: list[Path], repository: Path, pattern: str, limit: int) -> None:
    matching = set(repository.glob(pattern))
    too_large = [
        f"{path.relative_to(repository)}: {path.stat().st_size / MEGABYTE:.1f} MB"
        for path in tracked
        if path in matching and path.stat().st_size > limit
    ]
    assert not too_large


def test_sources_begin_with_their_licence(tracked: list[Path]) -> None:
    unlicensed = []
    for path in tracked:
        if path.suffix in SOURCE_SUFFIXES:
            head = path.read_text(encoding="utf-8").splitlines()[:3]
            if head and not any(LICENCE in line for line in head):
                unlicensed.append(str(path))
    assert not unlicensed


def test_nothing_names_one_machine(tracked: list[Path]) -> None:
    found = []
    for path in tracked:
        if path.suffix in TEXT_SUFFIXES and path != Path(__file__):
            for number, line in enumerate(_lines(path), start=1):
                if MACHINE_PATH.search(line):
                    found.append(f"{path.name}:{number}: {line.strip()}")
    assert not found


def test_extension_and_package_have_one_version(repository: Path) -> None:
    manifest = tomllib.loads((repository / "blender_manifest.toml").read_text(encoding="utf-8"))
    project = tomllib.loads((repository / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert manifest["version"] == project["version"]
    changelog = (repository / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {project['version']}" in changelog


def test_every_requirement_is_pinned(repository: Path) -> None:
    loose = []
    for path in (repository / "requirements").glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            wanted = line.split("#")[0].strip()
            if wanted and not wanted.startswith("-r ") and "==" not in wanted:
                loose.append(f"{path.name}: {wanted}")
    assert not loose


def test_shared_requirements_agree(repository: Path) -> None:
    """One package has one version in all environments, or a bug could hide in the difference."""
    versions: dict[str, set[str]] = {}
    for path in (repository / "requirements").glob("*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            match = re.match(r"([\w.-]+)(?:\[\w+\])?==([\w.]+)", line)
            if match:
                versions.setdefault(match[1].lower(), set()).add(match[2])
    different = {name: found for name, found in versions.items() if len(found) > 1}
    assert set(different) <= {"bpy"}


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:  # a binary file without a suffix
        return []
