# SPDX-License-Identifier: GPL-3.0-or-later
"""The head's place moves an object that has transforms of its own: deltas, and parents."""

import bpy
import numpy as np
import pytest
from mathutils import Vector

from mfn_addon.retarget import Options
from mfn_addon.rig import bake_take, bind
from mfn_addon.take import Take
from tests.rig.characters import add_mesh, face, new_file, write_take

OBJECT = Options(position="OBJECT")
OWN = (0.5, -2.0, 1.0)


@pytest.fixture(autouse=True)
def empty_file():
    new_file()


@pytest.fixture
def bert():
    return add_mesh("Bert", ("jawOpen", "eyeBlinkLeft"))


@pytest.fixture
def take(tmp_path):
    """A second in which actor 0 comes 0.24 metres nearer."""
    path = write_take(tmp_path / "near.mfntake", np.arange(25) / 24, lambda t: [nearer(0.24 * t)])
    with Take(path) as opened:
        yield opened


def nearer(metres):
    return face(0).with_(translation=np.array((0, 0, metres - 0.6), np.float32))


def place(obj):
    bpy.context.view_layer.update()
    return np.array(obj.matrix_world.translation)


def forwards(obj, metres):
    """The way in the world that an object goes which goes forwards by its own measure."""
    bpy.context.view_layer.update()
    return np.array(obj.matrix_world.to_3x3() @ Vector((0, -metres, 0)))


def under_a_stage(obj):
    stage = bpy.data.objects.new("stage", None)
    bpy.context.scene.collection.objects.link(stage)
    stage.location, stage.scale = (1.0, 2.0, 3.0), (3.0, 3.0, 3.0)
    stage.rotation_euler = (0.3, -0.4, 2.0)
    bpy.context.view_layer.update()
    obj.parent = stage
    obj.matrix_parent_inverse = stage.matrix_world.inverted()  # as Ctrl-P does
    stage.rotation_euler.z += 1.0
    stage.scale *= 0.5


def with_deltas(obj):
    obj.delta_location = OWN
    obj.delta_rotation_euler = (0.2, 0.0, 1.5)
    obj.delta_scale = (2.0, 2.0, 2.0)


def with_both(obj):
    with_deltas(obj)
    under_a_stage(obj)


@pytest.mark.parametrize("transform", [with_deltas, under_a_stage, with_both])
def test_it_goes_forwards_from_where_it_stands(bert, take, transform):
    transform(bert)
    rest, step = place(bert), forwards(bert, 0.12)
    binding = bind(bert, OBJECT)
    binding.apply(nearer(0.0))
    assert place(bert) == pytest.approx(rest, abs=1e-5)
    binding.apply(nearer(0.12))
    assert place(bert) == pytest.approx(rest + step, abs=1e-5)
    binding.put_back()
    assert place(bert) == pytest.approx(rest, abs=1e-5)

    bake_take(take, {0: bert}, bpy.context.scene, options={0: OBJECT})
    bpy.context.scene.frame_set(13)
    assert place(bert) == pytest.approx(rest + step, abs=1e-4)


@pytest.mark.parametrize("strips", [False, True], ids=["action", "strips"])
def test_bakes_do_not_add_up(bert, take, strips):
    with_deltas(bert)
    rest, step = place(bert), forwards(bert, 0.24)
    scene = bpy.context.scene
    for _ in range(3):
        bake_take(take, {0: bert}, scene, options={0: OBJECT}, as_strips=strips)
        scene.frame_set(25)  # here the next one finds it
        assert place(bert) == pytest.approx(rest + step, abs=1e-4)
    bind(bert, OBJECT).apply(nearer(0.1))  # where this actor rests: no way at all
    assert tuple(bert.delta_location) == pytest.approx(OWN, abs=1e-5)


def test_a_bake_while_live_starts_from_the_objects_own_place(bert, take):
    with_deltas(bert)
    rest = place(bert)
    live = bind(bert, OBJECT)
    live.apply(nearer(0.0))
    live.apply(nearer(0.3))
    bake_take(take, {0: bert}, bpy.context.scene, options={0: OBJECT})
    live.put_back()
    bpy.context.scene.frame_set(1)
    assert place(bert) == pytest.approx(rest, abs=1e-4)


def test_a_bake_that_does_not_move_it_gives_its_place_back(bert, take):
    with_deltas(bert)
    scene = bpy.context.scene
    bake_take(take, {0: bert}, scene, options={0: OBJECT})
    scene.frame_set(25)
    bake_take(take, {0: bert}, scene)
    assert tuple(bert.delta_location) == pytest.approx(OWN, abs=1e-5)
    bert.delta_location = (0.0, 0.0, 4.0)  # the animator's again
    bake_take(take, {0: bert}, scene, options={0: OBJECT})
    scene.frame_set(1)
    assert tuple(bert.delta_location) == pytest.approx((0.0, 0.0, 4.0), abs=1e-5)
