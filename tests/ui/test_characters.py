# SPDX-License-Identifier: GPL-3.0-or-later
"""What a character remembers of how it is driven, and the buttons that set it."""

import json

import bpy
import numpy as np
import pytest

from mfn_addon.rig import profiles
from mfn_addon.ui import live, session
from mfn_addon.ui.characters import options_of
from tests.rig.characters import add_human, add_mesh, face, frame, new_file, value


@pytest.fixture(autouse=True)
def own_profiles(tmp_path, monkeypatch):
    monkeypatch.setattr(profiles, "profiles_folder", lambda: tmp_path / "profiles")


def cast(actor, character):
    row = bpy.context.scene.mfn.cast.add()
    row.actor, row.character = actor, character


@pytest.fixture
def ada():
    character = add_human("Ada")
    cast(1, character)
    bpy.ops.mfn.edit_responses()
    return character


def tick(running, number=0, **weights):
    running.give(frame(number, face(1, **weights)))
    live.tick(bpy.context)


def test_a_response_takes_effect_in_the_next_tick(running, ada):
    tick(running, jawOpen=0.3)
    assert value("Ada face", "jawOpen") == pytest.approx(0.3)
    ada.mfn.rows["jawOpen"].gain = 2.0
    tick(running, 1, jawOpen=0.3)
    assert value("Ada face", "jawOpen") == pytest.approx(0.6)


def test_mirrored_pairs_are_edited_together_or_apart(ada):
    rows = ada.mfn.rows
    rows["mouthSmileLeft"].gain = 1.5
    assert rows["mouthSmileRight"].gain == pytest.approx(1.5)
    ada.mfn.pairs = False
    rows["mouthSmileRight"].gain = 0.5
    assert rows["mouthSmileLeft"].gain == pytest.approx(1.5)
    responses = options_of(ada, mirror=False).responses
    assert (responses["mouthSmileLeft"].gain, responses["mouthSmileRight"].gain) == (1.5, 0.5)


def test_responses_go_to_another_character_as_a_file(ada, tmp_path):
    ada.mfn.rows["jawOpen"].soft = 0.25
    ada.mfn.rows["cheekPuff"].mute = True
    path = tmp_path / "shy.json"
    bpy.ops.mfn.save_responses(filepath=str(path))
    assert json.loads(path.read_text())["responses"] == {
        "cheekPuff": {"mute": True},
        "jawOpen": {"soft": 0.25},
    }
    bpy.ops.mfn.reset_responses()
    assert not options_of(ada, mirror=False).responses
    bpy.ops.mfn.load_responses(filepath=str(path))
    assert options_of(ada, mirror=False).responses["jawOpen"].soft == 0.25
    path.write_text('{"format": "mfn-responses", "version": 1, "responses": {"grin": {}}}')
    with pytest.raises(RuntimeError, match=r"shy\.json: grin is no ARKit expression"):
        bpy.ops.mfn.load_responses(filepath=str(path))


def test_a_response_is_undone_with_its_row(ada):
    bpy.ops.ed.undo_push(message="before")
    ada.mfn.rows["jawOpen"].gain = 2.0
    bpy.ops.ed.undo_push(message="gain")
    bpy.ops.ed.undo()
    ada = bpy.data.objects["Ada"]
    assert ada.mfn.rows["jawOpen"].gain == 1.0
    assert not options_of(ada, mirror=False).responses
    bpy.ops.ed.redo()
    assert options_of(bpy.data.objects["Ada"], mirror=False).responses["jawOpen"].gain == 2.0


def test_a_characters_settings_are_saved_with_the_file(ada, tmp_path):
    ada.mfn.rows["jawOpen"].gain = 2.0
    ada.mfn.neck_share, ada.mfn.profile = 0.5, "faceit"
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "scene.blend"))
    new_file()
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "scene.blend"))
    options = options_of(bpy.data.objects["Ada"], mirror=False)
    assert (options.responses["jawOpen"].gain, options.neck_share) == (2.0, 0.5)
    assert options.profile == "faceit"


def test_a_limit_holds_the_head(running, ada):
    ada.mfn.head_limit, ada.mfn.neck_share = 10.0, 0.0
    running.give(frame(0, face(1, yaw=40)))
    live.tick(bpy.context)
    angle = ada.pose.bones["head"].rotation_quaternion.angle
    assert angle == pytest.approx(0.1745, abs=1e-3)


def test_the_head_moves_a_bone_from_where_it_was_calibrated(running, ada):
    ada.mfn.position_bone, ada.mfn.position_limit = "neck", 0.1
    running.give(frame(0, face(1)))
    live.tick(bpy.context)
    bpy.ops.mfn.calibrate_neutral()
    far = np.array((0.0, 0.0, -0.1), np.float32)  # towards the camera, half a metre
    running.give(frame(1, face(1).with_(translation=far)))
    live.tick(bpy.context)
    bpy.context.view_layer.update()
    assert ada.pose.bones["head"].head.y == pytest.approx(-0.1 * 0.06 / 0.063, abs=1e-4)


def test_a_missing_name_is_fixed_by_hand_and_kept_as_a_profile(running):
    names = ("Mund_auf", "eyeBlinkLeft", "eyeBlinkRight", "mouthFunnel", "mouthPucker", "jawLeft")
    mesh = add_mesh("Bert", names)
    cast(1, mesh)
    assert "jawOpen" in session.reports[mesh.session_uid].missing
    bpy.ops.mfn.fix_match(target="jawOpen", key="Mund_auf")
    assert session.reports[mesh.session_uid].found["jawOpen"] == "Mund_auf"
    tick(running, jawOpen=0.7)
    assert value("Bert", "Mund_auf") == pytest.approx(0.7)

    bpy.ops.mfn.save_profile(title="Berts Mund")
    other = add_mesh("Else", names)
    other.mfn.profile = "berts_mund"
    report = session.reports[other.session_uid]
    assert report.title == "Berts Mund"
    assert report.found["jawOpen"] == "Mund_auf"
    assert bpy.ops.mfn.unfix_match(target="jawOpen") == {"FINISHED"}


def test_a_broken_profile_of_the_users_is_told_and_hurts_nobody(tmp_path):
    folder = tmp_path / "profiles"
    folder.mkdir()
    (folder / "mine.json").write_text("{")
    human = add_human()
    cast(1, human)
    notes = session.reports[human.session_uid].notes
    assert any("naming profile mine.json" in note for note in notes)


def test_every_setting_is_described(ada):
    ada.mfn.fixes.add()
    for group in (ada.mfn, ada.mfn.fixes[0], ada.mfn.rows[0]):
        for name, prop in group.bl_rna.properties.items():
            if name not in ("rna_type", "name", "fixes", "rows"):
                assert prop.description, name
