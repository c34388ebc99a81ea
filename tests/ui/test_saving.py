# SPDX-License-Identifier: GPL-3.0-or-later
"""What scenes and characters remember survives saving, and files of other versions open."""

import json

import bpy
import numpy as np
import pytest

from mfn_addon.face import EXPRESSION_INDEX
from mfn_addon.retarget import Response
from mfn_addon.track import Calibration
from mfn_addon.ui import live
from mfn_addon.ui.characters import options_of
from tests.rig.characters import add_human, face, frame, value
from tests.ui.conftest import FakeSource

CALIBRATION = Calibration(neutral=np.full(52, 0.25, np.float32)).to_text()
JAW = EXPRESSION_INDEX["jawOpen"]


def reopen(tmp_path):
    path = str(tmp_path / "scene.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    bpy.ops.wm.open_mainfile(filepath=path)


def stored(owner):
    """The add-on's properties of a scene or object as the file keeps them: a place of their own
    since Blender 5.0, custom properties before."""
    system = getattr(owner, "bl_system_properties_get", None)
    return system(do_create=True) if system else owner


def properties_of(group):
    return [each for each in group.bl_rna.properties if each.identifier not in ("rna_type", "name")]


def other_value(group, each):
    """A value that a property does not have by default, of any type that is saved."""
    if each.type == "BOOLEAN":
        return not each.default
    if each.type == "ENUM":
        items = [item.identifier for item in each.enum_items]
        return set(items[1:]) if each.is_enum_flag else items[-1]
    if each.type == "INT":
        return each.default + 2 if each.default + 2 <= each.hard_max else each.hard_min
    if each.type == "FLOAT":
        return (each.default + each.hard_min) / 2 if each.default else 0.25
    if each.identifier == "calibration":
        return CALIBRATION
    return "arkit" if each.identifier == "profile" else f"some {each.identifier}"


def change_all(group):
    """Give every property of a group another value than its default, two items to collections."""
    for each in properties_of(group):
        name = each.identifier
        if each.type == "COLLECTION":
            for item in ("jawOpen", "mouthPucker"):
                row = getattr(group, name).add()
                row.name = item
                change_all(row)
        elif each.type == "POINTER" and each.fixed_type.identifier == "Object":
            setattr(group, name, bpy.data.objects["Ada"])
        elif each.type == "POINTER":
            change_all(getattr(group, name))
        else:
            setattr(group, name, other_value(group, each))


def told(group, changed=None):
    """Everything that a group holds, by name; `changed` collects what is not the default."""
    found = {"name": group.name}
    for each in properties_of(group):
        held = getattr(group, each.identifier)
        if each.type == "COLLECTION":
            held = [told(item, changed) for item in held]
        elif isinstance(held, bpy.types.PropertyGroup):
            held = told(held, changed)
        elif isinstance(held, bpy.types.Object):
            held = held.name
        elif changed is not None:
            default = each.default_flag if getattr(each, "is_enum_flag", 0) else each.default
            changed[each.identifier] = held != default
        found[each.identifier] = held
    return found


@pytest.mark.parametrize("owner", ["scene", "character"])
def test_everything_that_is_remembered_survives_saving(tmp_path, owner):
    add_human("Ada")

    def remembered():
        return bpy.context.scene.mfn if owner == "scene" else bpy.data.objects["Ada"].mfn

    change_all(remembered())
    changed = {}
    before = told(remembered(), changed)
    assert len(changed) > 20
    assert [name for name, other in changed.items() if not other] == []
    reopen(tmp_path)
    assert told(remembered()) == before


def test_what_an_older_version_did_not_store_takes_its_default(tmp_path):
    add_human("Ada")
    scene = stored(bpy.context.scene)
    scene["mfn"] = {"mirror": True, "cast": [{"actor": 3, "label": "Eve"}]}
    stored(bpy.data.objects["Ada"])["mfn"] = {"head_limit": 40.0}
    reopen(tmp_path)
    settings = bpy.context.scene.mfn
    assert settings.mirror
    assert settings.recording.channels == {"MOUTH"}
    assert settings.take_name == "Take"
    [row] = settings.cast
    assert (row.actor, row.label, row.priority, row.calibration) == (3, "Eve", 0, "")
    options = options_of(bpy.data.objects["Ada"], mirror=False)
    assert (options.head_limit, options.eyes, options.position_gain) == (40.0, "AUTO", 1.0)


def test_what_this_version_does_not_know_is_passed_over(tmp_path):
    """Choices and properties that are gone, or that only a later version has."""
    add_human("Ada")
    scene, character = stored(bpy.context.scene), stored(bpy.data.objects["Ada"])
    scene["mfn"] = {
        "lost": 17, "source": 9, "input_size": 31, "takes_location": "a text by now",
        "mirror": True, "was_here": 1.5, "had": {"parts": [1, 2]},
        "recording": {"channels": 2 | 4 | 1 << 20, "count_in": 3, "gone": "x"},
        "cast": [{"actor": 3, "label": "Eve", "colour": "red", "priority": "high"}],
    }  # fmt: skip
    character["mfn"] = {"eyes": 12, "jaw": 2, "position": 5, "head_limit": 40.0, "ears": True}
    reopen(tmp_path)
    settings = bpy.context.scene.mfn
    assert (settings.lost, settings.source, settings.input_size) == ("HOLD", "FOOTAGE", "320")
    assert (settings.takes_location, settings.mirror) == ("USER", True)
    assert settings.recording.channels == {"BROWS", "EYES"}
    assert settings.recording.count_in == 3
    [row] = settings.cast
    assert (row.actor, row.label, row.priority) == (3, "Eve", 0)
    options = options_of(bpy.data.objects["Ada"], mirror=False)
    assert (options.eyes, options.jaw, options.position) == ("AUTO", "BONES", "BONE")
    assert options.head_limit == 40.0


def test_a_character_of_another_version_is_driven(tmp_path):
    """Its responses and its actor's calibration keep the expressions and fields that are known."""
    ada = add_human("Ada")
    ada.mfn.responses = json.dumps(
        {"jawOpen": {"gain": 0.5, "wobble": 3}, "earLeft": {"gain": 2.0}, "mouthLeft": 4}
    )
    ada.mfn.profile = "arkit"
    row = bpy.context.scene.mfn.cast.add()
    row.actor, row.character = 1, ada
    row.calibration = json.dumps(
        {"neutral": {"jawOpen": 0.2, "earLeft": 0.3}, "rotation": np.eye(3).tolist()}
    )
    reopen(tmp_path)
    assert options_of(bpy.data.objects["Ada"], False).responses == {"jawOpen": Response(gain=0.5)}
    kept = Calibration.from_text(bpy.context.scene.mfn.cast[0].calibration)
    assert kept.neutral[JAW] == pytest.approx(0.2)
    assert np.all(kept.peak == 1.0)
    source = FakeSource()
    live.start(bpy.context, source, "test")
    source.give(frame(0, face(1, jawOpen=1.0)))
    assert live.tick(bpy.context) == live.INTERVAL
    assert value("Ada face", "jawOpen") == pytest.approx(0.5)


def test_a_character_appended_from_another_version_is_mended_when_it_is_chosen(tmp_path):
    stored(add_human("Ada"))["mfn"] = {"eyes": 12, "head_limit": 40.0}
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_factory_settings(use_empty=True)
    with bpy.data.libraries.load(path) as (_, target):
        target.objects = ["Ada"]
    row = bpy.context.scene.mfn.cast.add()
    row.actor, row.character = 1, bpy.data.objects["Ada"]
    options = options_of(row.character, mirror=False)
    assert (options.eyes, options.head_limit) == ("AUTO", 40.0)


@pytest.mark.parametrize("text", ["no calibration", "[1, 2]", '{"rotation": [1, 2]}', "7"])
def test_a_calibration_that_cannot_be_read_is_none(tmp_path, text):
    row = bpy.context.scene.mfn.cast.add()
    row.actor, row.calibration = 3, text
    reopen(tmp_path)
    assert (bpy.context.scene.mfn.cast[0].actor, bpy.context.scene.mfn.cast[0].calibration) == (
        3, "",
    )  # fmt: skip


@pytest.mark.parametrize("text", ["{", "[]", '"jawOpen"', "null", "3"])
def test_responses_that_cannot_be_read_are_plain(tmp_path, text):
    add_human("Ada").mfn.responses = text
    reopen(tmp_path)
    assert options_of(bpy.data.objects["Ada"], mirror=False).responses == {}
