# SPDX-License-Identifier: GPL-3.0-or-later
"""The zip that users install: it validates, installs, and registers in a fresh Blender."""

import os
import subprocess
import sys
import tomllib
import zipfile

import pytest

from tools import package_extension


@pytest.fixture(scope="module")
def zip_file(tmp_path_factory):
    """The extension without its wheels, which need a download and are not needed to register."""
    folder = tmp_path_factory.mktemp("package")
    platform = package_extension.this_platform()
    package_extension.stage(folder / "stage", platform, [])
    return package_extension.build(folder / "stage", folder / "dist", platform)


@pytest.fixture(scope="module")
def manifest(repository):
    return tomllib.loads((repository / "blender_manifest.toml").read_text(encoding="utf-8"))


def test_the_manifest_keeps_the_platforms_rules(manifest):
    assert len(manifest["tagline"]) <= 64
    assert set(manifest["permissions"]) == {"camera", "files", "network"}
    for text in (manifest["tagline"], *manifest["permissions"].values()):
        assert len(text) <= 64
        assert text[-1].isalnum()


def test_the_zip_holds_what_runs_and_nothing_else(zip_file):
    with zipfile.ZipFile(zip_file) as archive:
        names = archive.namelist()
    top = {name.split("/")[0] for name in names}
    assert top <= {
        "__init__.py", "LICENSE", "LICENSES", "blender_manifest.toml", "companion", "mfn_addon",
        "models", "sample_rigs", "wheels",
    }  # fmt: skip
    assert "mfn_addon/retarget/profiles/arkit.json" in names
    assert "mfn_addon/ui/translations/de_DE.json" in names
    assert not [name for name in names if name.endswith((".pyc", ".blend1"))]
    assert sum(1 for name in names if name.startswith("sample_rigs/")) < 10


# They end by os._exit: as a module, bpy 4.2 crashes at the end of its process once any property
# has had a Python callback. Blender itself does not.
INSTALL = """
import bpy, os, sys
bpy.ops.extensions.package_install_files(
    repo="user_default", filepath=sys.argv[1], enable_on_install=True)
print("ENABLED", hasattr(bpy.types.Scene, "mfn"), flush=True)
os._exit(0)
"""
RESTART = """
import os
import bpy, addon_utils
name = "bl_ext.user_default.mfn_face_capture"
module = addon_utils.enable(name, default_set=True, persistent=True)
from bl_ext.user_default.mfn_face_capture.mfn_addon.ui import folders
print("ENABLED", module is not None and bpy.context.scene.mfn.source == "FOOTAGE")
print("TAKES", folders.takes_folder("USER"))
for _ in range(2):
    addon_utils.disable(name, default_set=True)
    assert not hasattr(bpy.types.Scene, "mfn")
    addon_utils.enable(name, default_set=True, persistent=True)
print("AGAIN", hasattr(bpy.types.Scene, "mfn"), flush=True)
os._exit(0)
"""


def run(script, resources, *arguments):
    environment = {**os.environ, "BLENDER_USER_RESOURCES": str(resources)}
    result = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        env=environment, cwd=resources, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    return result.stdout


def test_it_installs_and_registers_in_a_fresh_process(zip_file, tmp_path):
    assert "ENABLED True" in run(INSTALL, tmp_path, zip_file)
    told = run(RESTART, tmp_path)
    assert "ENABLED True" in told
    assert "AGAIN True" in told
    takes = next(line for line in told.splitlines() if line.startswith("TAKES "))
    assert str(tmp_path) in takes  # in the user's folder, and
    assert "/.user/" in takes.replace("\\", "/")  # not in the extension's own
