# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the installable extension for one platform: dist/mfn_face_capture-VERSION-PLATFORM.zip.

    python -m tools.package_extension [--platform linux-x64]

What goes in is listed in PARTS. The wheels are the registry's own, unmodified, in the versions
that requirements/runtime.txt pins: onnxruntime for each Python that a supported Blender has, and
OpenCV, whose one wheel serves them all, and what the phone server needs. numpy comes with Blender.
None needs anything else to be imported. Blender's own tool then builds the zip and validates it.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[1]
STAGE = REPOSITORY / "build" / "extension"
WHEELS = REPOSITORY / "build" / "wheels"
DIST = REPOSITORY / "dist"

PARTS = (
    "__init__.py",
    "LICENSE",
    "LICENSES/*.txt",
    "mfn_addon/**/*.py",
    "mfn_addon/**/*.json",
    "companion/dist/**/*",
    "models/*.onnx",
    "models/*.npz",
    "models/MODEL_CARD.md",
    "sample_rigs/*.blend",
    "sample_rigs/*.bones.json",
)
NEEDED = {
    "models/mfn.onnx": "make models train",
    "models/mfn_light.onnx": "make models train",
    "models/sfn.onnx": "make models train",
    "models/head_model.npz": "make models",
    "companion/dist/index.html": "make companion",
}
"""What is built or trained before the package, and by which command."""

PYTHONS = ("3.11", "3.13", "3.14")
"""Blender 4.2 to 5.0 have Python 3.11, 5.1 and later 3.13, Debian's own builds up to 3.14."""

PLATFORM_TAGS = {
    "linux-x64": ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64"),
    "windows-x64": ("win_amd64",),
    "macos-arm64": ("macosx_14_0_arm64", "macosx_13_0_arm64", "macosx_11_0_arm64"),
    "macos-x64": ("macosx_13_4_x86_64", "macosx_13_0_x86_64", "macosx_12_0_x86_64"),
}
BUNDLED = (
    "cffi",
    "cryptography",
    "h11",
    "onnxruntime",
    "opencv-python-headless",
    "segno",
    "wsproto",
)


def main() -> int:
    """Build and validate; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--platform", choices=PLATFORM_TAGS, default=this_platform())
    args = parser.parse_args()
    missing = [name for name in NEEDED if not (REPOSITORY / name).is_file()]
    if missing:
        told = "; ".join(f"{name} (run `{NEEDED[name]}`)" for name in missing)
        print(f"missing: {told}", file=sys.stderr)
        return 2
    stage(STAGE, args.platform, download_wheels(args.platform))
    print(build(STAGE, DIST, args.platform).relative_to(REPOSITORY))
    return 0


def this_platform() -> str:
    """Blender's name of the platform that this runs on."""
    system = {"Darwin": "macos", "Windows": "windows"}.get(platform.system(), "linux")
    arm = platform.machine().lower() in ("arm64", "aarch64")
    return f"{system}-{'arm64' if arm else 'x64'}"


def download_wheels(name: str) -> list[Path]:
    """The platform's wheels, from the package registry or from an earlier download."""
    folder = WHEELS / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = [line for line in _pinned() if line.split("==")[0] in BUNDLED]
    stamp = folder / "complete.txt"
    content = "\n".join([*wanted, *PYTHONS])
    if not stamp.is_file() or stamp.read_text(encoding="utf-8") != content:
        for old in folder.iterdir():
            old.unlink()
        for python in PYTHONS:
            _download(folder, name, python, wanted)
        stamp.write_text(content, encoding="utf-8")
    return sorted(folder.glob("*.whl"))


def _pinned() -> list[str]:
    lines = (REPOSITORY / "requirements" / "runtime.txt").read_text(encoding="utf-8").splitlines()
    pinned = (line.partition("#")[0].strip() for line in lines)
    return [line for line in pinned if "==" in line]


def _download(folder: Path, name: str, python: str, wanted: list[str]) -> None:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--only-binary=:all:", "--implementation", "cp"]
    command += ["--python-version", python, "--dest", str(folder)]
    for tag in PLATFORM_TAGS[name]:
        command += ["--platform", tag]
    subprocess.run([*command, *wanted], check=True)


def stage(folder: Path, name: str, wheels: list[Path]) -> None:
    """Lay out in a folder what the zip will hold, and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    for part in PARTS:
        for path in sorted(filter(Path.is_file, REPOSITORY.glob(part))):
            target = folder / path.relative_to(REPOSITORY)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    (folder / "wheels").mkdir()
    for wheel in wheels:
        shutil.copyfile(wheel, folder / "wheels" / wheel.name)
    manifest = (REPOSITORY / "blender_manifest.toml").read_text(encoding="utf-8")
    listed = "".join(f'  "./wheels/{wheel.name}",\n' for wheel in wheels)
    wheel_lines = f"wheels = [\n{listed}]\n" if wheels else ""
    above, permissions, below = manifest.partition("\n[permissions]")
    (folder / "blender_manifest.toml").write_text(
        f'{above}platforms = ["{name}"]\n{wheel_lines}{permissions}{below}',
        encoding="utf-8",
    )


def build(folder: Path, output: Path, name: str) -> Path:
    """Build the zip of a staged folder with Blender's own tool, which then validates it."""
    output.mkdir(exist_ok=True)
    for old in output.glob(f"*-{name.replace('-', '_')}.zip"):
        old.unlink()
    tool = [sys.executable, str(_blender_tool())]
    command = ["build", "--source-dir", str(folder), "--output-dir", str(output)]
    subprocess.run([*tool, *command, "--split-platforms"], check=True, stdout=subprocess.DEVNULL)
    [built] = output.glob(f"*-{name.replace('-', '_')}.zip")
    subprocess.run([*tool, "validate", str(built)], check=True, stdout=subprocess.DEVNULL)
    return built


def _blender_tool() -> Path:
    """Blender's command line for extensions, out of the bpy module."""
    found = find_spec("bpy")
    if found is None or found.origin is None:
        raise RuntimeError("bpy is not installed in this environment (run `make extension`)")
    scripts = Path(found.origin).parent
    [tool] = scripts.glob("*/scripts/addons_core/bl_pkg/cli/blender_ext.py")
    return tool


if __name__ == "__main__":
    sys.exit(main())
