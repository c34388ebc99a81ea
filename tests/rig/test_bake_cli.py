# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn bake`: rig files and a take in, one animated .blend out."""

from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from mfn_addon.capture.errors import InputError
from mfn_addon.retarget import Response
from mfn_addon.rig import bake_cli
from mfn_addon.rig.lookup import shape_keys_of
from mfn_addon.take import TakeError
from tests.rig.characters import add_human, add_mesh, add_robot, face, new_file, value, write_take


def save_rig(path, build):
    new_file()
    build()
    bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=True)
    return path


@pytest.fixture
def rigs(tmp_path):
    return save_rig(tmp_path / "ada.blend", add_human), save_rig(tmp_path / "bo.blend", add_robot)


@pytest.fixture
def take(tmp_path):
    def both(time):
        return [face(3, jawOpen=min(time, 1.0)), face(5, jawOpen=max(0.0, 1.0 - time))]

    return write_take(tmp_path / "talk.mfntake", np.arange(60) * 1.001 / 30, both)


def bake(take, *rigs, output, responses=None, tolerance=None, strips=False, fps=None):
    return bake_cli.main(
        SimpleNamespace(
            take=take, rig=[str(r) for r in rigs], output=output, responses=responses or {},
            tolerance=tolerance, strips=strips, fps=fps,
        )
    )  # fmt: skip


def test_rigs_stand_side_by_side_and_perform(take, rigs, tmp_path, capfd):
    output = tmp_path / "new folder" / "out.blend"
    assert bake(take, *rigs, output=output) == 0
    assert "Ada: ARKit: 52 shape keys" in capfd.readouterr().err
    bpy.ops.wm.open_mainfile(filepath=str(output))
    scene = bpy.context.scene
    assert scene.render.fps / scene.render.fps_base == pytest.approx(30 / 1.001)
    assert (scene.frame_start, scene.frame_end) == (1, 60)
    assert {"ada", "bo"} <= {collection.name for collection in bpy.data.collections}
    assert scene.camera is not None
    scene.frame_set(16)
    assert value("Ada face", "jawOpen") == pytest.approx(15 * 1.001 / 30, abs=0.01)
    jaw = bpy.data.objects["Bo"].pose.bones["jaw"]
    assert jaw.rotation_euler.x == pytest.approx(np.radians(30 * (1 - 15 * 1.001 / 30)), abs=0.01)


def test_a_rig_names_its_face(take, rigs, tmp_path):
    bake(take, f"{rigs[0]}=5", rigs[1], output=tmp_path / "out.blend")
    bpy.context.scene.frame_set(1)
    assert value("Ada face", "jawOpen") == pytest.approx(1.0)


def test_one_rig_file_serves_two_faces(take, rigs, tmp_path):
    bake(take, rigs[0], rigs[0], output=tmp_path / "out.blend")
    bpy.context.scene.frame_set(1)
    assert value("Ada face", "jawOpen") == pytest.approx(0.0)
    assert value("Ada face.001", "jawOpen") == pytest.approx(1.0)
    first, second = bpy.data.objects["Ada"], bpy.data.objects["Ada.001"]
    assert first.location.x < second.location.x


def test_responses_rate_tolerance_and_strips_are_as_asked(take, rigs, tmp_path, capfd):
    bake(
        take, rigs[0], output=tmp_path / "out.blend", responses={"jawOpen": Response(gain=0.5)},
        tolerance=(0.5, 0.2, 0.1), strips=True, fps=29.97,
    )  # fmt: skip
    scene = bpy.context.scene
    assert scene.render.fps / scene.render.fps_base == pytest.approx(29.97)
    keys: Any = shape_keys_of(bpy.data.objects["Ada face"])
    assert keys.animation_data.action is None
    assert len(keys.animation_data.nla_tracks) == 1
    scene.frame_set(31)
    assert value("Ada face", "jawOpen") == pytest.approx(0.5 * 30 / 29.97, abs=0.006)
    assert "of the keys, off by at most" in capfd.readouterr().err


def broken(tmp_path, name, content):
    path = tmp_path / name
    path.write_bytes(content)
    return path


def test_bad_input_is_one_clear_line(take, rigs, tmp_path):
    out = tmp_path / "out.blend"
    with pytest.raises(InputError, match=r"nowhere\.blend: there is no such rig file"):
        bake(take, tmp_path / "nowhere.blend", output=out)
    with pytest.raises(InputError, match=r"text\.blend: not a \.blend file"):
        bake(take, broken(tmp_path, "text.blend", b"hello"), output=out)
    with pytest.raises(TakeError, match=r"gone\.mfntake"):
        bake(tmp_path / "gone.mfntake", rigs[0], output=out)
    with pytest.raises(TakeError, match="no actor 9"):
        bake(take, f"{rigs[0]}=9", output=out)
    with pytest.raises(InputError, match="two rigs name the same face"):
        bake(take, f"{rigs[0]}=3", f"{rigs[1]}=3", output=out)
    with pytest.raises(InputError, match="no face is left"):
        bake(take, rigs[0], rigs[0], rigs[1], output=out)
    cube = save_rig(tmp_path / "cube.blend", lambda: add_mesh("Cube", ("Key 1",)))
    with pytest.raises(InputError, match="'Cube' has no shape key and no bone"):
        bake(take, cube, output=out)
    empty = save_rig(tmp_path / "empty.blend", lambda: None)
    with pytest.raises(InputError, match=r"empty\.blend: the file holds no armature"):
        bake(take, empty, output=out)
    with pytest.raises(InputError, match="cannot be written"):
        bake(take, rigs[0], output=tmp_path / "ada.blend" / "out.blend")
    assert not out.exists()
