# SPDX-License-Identifier: GPL-3.0-or-later
"""What the buttons do, and what they say when they cannot."""

import bpy
import numpy as np
import pytest

from mfn_addon.capture import live as capture_live
from mfn_addon.ui import folders, live, session
from mfn_addon.ui.properties import refresh_takes
from tests.rig.characters import add_human, add_mesh, face, frame, value, write_take


@pytest.fixture
def take(tmp_path):
    def talk(time):
        return [face(1, jawOpen=time), face(2, eyeBlinkLeft=time)]

    path = write_take(tmp_path / "takes" / "Take 001.mfntake", np.arange(25) / 24, talk)
    refresh_takes(bpy.context)
    return path


def settings():
    return bpy.context.scene.mfn


def test_start_without_footage_says_what_to_do():
    with pytest.raises(RuntimeError, match="choose a video file first"):
        bpy.ops.mfn.start()
    settings().footage = "/nowhere/clip.mp4"
    with pytest.raises(RuntimeError, match=r"there is no file .*clip\.mp4"):
        bpy.ops.mfn.start()
    assert session.current is None


def test_start_record_finish_stop(monkeypatch, source, tmp_path):
    clip = tmp_path / "clip.mp4"
    clip.touch()
    opened = []

    def camera_process(path, preview_side, options):
        opened.append((path, options))
        return source

    monkeypatch.setattr(capture_live, "CameraProcess", camera_process)
    settings().footage = str(clip)
    settings().input_size = "640"
    assert bpy.ops.mfn.start() == {"FINISHED"}
    assert opened == [(clip, ("--input-size", "640"))]
    assert bpy.ops.mfn.record() == {"FINISHED"}
    source.give(*(frame(n, face(1)) for n in range(60)))
    live.tick(bpy.context)
    assert bpy.ops.mfn.record() == {"FINISHED"}
    assert session.message.text == "Recorded Take 001, 2.0 s"
    assert bpy.ops.mfn.stop() == {"FINISHED"}
    assert source.stopped
    assert not bpy.ops.mfn.stop.poll()
    names = [item.name for item in bpy.context.window_manager.mfn.takes]
    assert names == ["Take 001"]


def test_record_alone_starts_from_the_first_frame(monkeypatch, source):
    monkeypatch.setattr(capture_live, "CameraProcess", lambda *args, **options: source)
    settings().source = "CAMERA"
    bpy.ops.mfn.record()
    assert session.current.recorder is not None
    assert session.message.text == "Recording Take 001 from Camera 0"


def test_bake_uses_the_table(take):
    for actor, name in ((1, "Ada"), (2, "Ben")):
        row = settings().row(actor)  # the chosen take's actors are in the table
        row.character = add_human(name)
    bpy.context.scene.frame_set(13)
    assert bpy.ops.mfn.bake() == {"FINISHED"}
    assert value("Ada face", "jawOpen") == pytest.approx(0.5)
    assert value("Ben face", "eyeBlinkLeft") == pytest.approx(0.5)
    assert (bpy.context.scene.frame_start, bpy.context.scene.frame_end) == (1, 25)
    assert session.message.text.startswith("Baked")


def test_bake_as_reduced_strips(take):
    settings().row(1).character = add_human("Ada")
    settings().bake_strips = settings().bake_reduce = True
    assert bpy.ops.mfn.bake() == {"FINISHED"}
    data = bpy.data.objects["Ada face"].data.shape_keys.animation_data
    assert data.action is None
    assert len(data.nla_tracks) == 1
    assert "% of the keys, off by at most" in session.message.text


def test_bake_can_be_undone(take):
    settings().row(1).character = add_human("Ada")
    bpy.ops.ed.undo_push(message="before")
    bpy.ops.mfn.bake()
    bpy.ops.ed.undo_push(message="bake")
    bpy.ops.ed.undo()
    keys = bpy.data.objects["Ada face"].data.shape_keys
    assert keys.animation_data is None or keys.animation_data.action is None
    bpy.ops.ed.redo()
    assert bpy.data.objects["Ada face"].data.shape_keys.animation_data.action is not None


def test_bake_without_characters_says_what_to_do(take):
    with pytest.raises(RuntimeError, match=r"Take 001: give its actors \(1, 2\) a character"):
        bpy.ops.mfn.bake()


def test_bake_onto_a_rig_that_cannot_be_driven(take):
    settings().row(1).character = add_mesh("Cube", ("Key 1",))
    with pytest.raises(RuntimeError, match="'Cube' has no shape key and no bone"):
        bpy.ops.mfn.bake()


def test_bake_needs_a_take():
    assert not bpy.ops.mfn.bake.poll()


def test_a_damaged_take_is_listed_with_its_error(tmp_path):
    folder = tmp_path / "takes"
    folder.mkdir()
    (folder / "odd.mfntake").write_text("hello")
    bpy.ops.mfn.takes_refresh()
    item = bpy.context.window_manager.mfn.take()
    assert "not a take" in item.error
    with pytest.raises(RuntimeError, match="not a take"):
        bpy.ops.mfn.bake()


def test_a_take_from_elsewhere_can_be_opened(tmp_path):
    path = write_take(tmp_path / "solved.mfntake", np.arange(5) / 24, lambda t: [face(3)])
    assert bpy.ops.mfn.take_open(filepath=str(path)) == {"FINISHED"}
    assert bpy.context.window_manager.mfn.take().name == "solved"
    assert settings().row(3) is not None
    with pytest.raises(RuntimeError, match="there is no such take"):
        bpy.ops.mfn.take_open(filepath=str(tmp_path / "gone.mfntake"))


def test_an_actor_can_be_taken_out_of_the_table(take):
    assert bpy.ops.mfn.cast_remove(actor=1) == {"FINISHED"}
    assert [row.actor for row in settings().cast] == [2]


def test_sample_characters_are_added_side_by_side():
    if not folders.sample_rigs():
        pytest.skip("sample_rigs/*.blend are not built (run `make rigs`)")
    name = folders.sample_rigs()[0].stem
    bpy.ops.mfn.add_character(name=name)
    bpy.ops.mfn.add_character(name=name)
    characters = [obj for obj in bpy.context.scene.objects if obj.get("mfn_profile")]
    assert len(characters) == 2
    assert abs(characters[0].location.x - characters[1].location.x) > 0.4


def test_takes_are_numbered_on(tmp_path):
    folder = tmp_path / "takes"
    folder.mkdir()
    (folder / "Take 007.mfntake").touch()
    assert folders.next_take(folder, "Take").name == "Take 008.mfntake"
    assert folders.next_take(folder, "Slate 3").name == "Slate 3 001.mfntake"
    assert folders.next_take(folder, "a/b").name == "a_b 001.mfntake"


def test_settings_survive_saving(tmp_path):
    settings().footage = "/clips/a.mp4"
    row = settings().cast.add()
    row.actor, row.character = 5, add_human()
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    assert settings().footage == "/clips/a.mp4"
    assert settings().row(5).character.name == "Ada"


def test_everything_is_described():
    window = bpy.context.window_manager.mfn
    for group in (settings(), settings().cast.add(), window, window.takes.add()):
        for name, prop in group.bl_rna.properties.items():
            if name not in ("rna_type", "name", "cast", "takes"):
                assert prop.description, name
    for name in dir(bpy.ops.mfn):
        operator = getattr(bpy.ops.mfn, name).get_rna_type()
        assert operator.description, name
