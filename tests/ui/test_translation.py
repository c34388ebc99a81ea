# SPDX-License-Identifier: GPL-3.0-or-later
"""Every text of the interface is told well in English, and can be told in other languages."""

import ast
import json
import os
import shutil
import string
import subprocess

import bpy
import pytest

from mfn_addon.take import TakeError
from mfn_addon.texts import Text
from mfn_addon.ui import session, translation
from tools import translation_template as template

LANGUAGES = sorted(translation.FOLDER.glob("*.json"))
TELLING = {"done", "failed", "say", "remember"}
"""Functions that show their first argument to the user as it is."""


def placeholders(text):
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def words(node):
    """The letters of a literal, or of what surrounds the values of an f-string."""
    parts = node.values if isinstance(node, ast.JoinedStr) else [node]
    return "".join(str(part.value) for part in parts if isinstance(part, ast.Constant))


def shown_untranslated(tree):
    """The literals of a module that a user would see and nobody looks up, with their lines."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = getattr(call.func, "attr", getattr(call.func, "id", ""))
        shown = [each.value for each in call.keywords if each.arg in template.SHOWN]
        shown = [each for each in shown if isinstance(each, ast.JoinedStr)]
        shown += call.args[:1] if name in TELLING else []
        # A template that has its values already is in no dictionary.
        shown += [each for each in call.args[:1] if name in template.LOOK_UPS]
        for each in shown:
            literal = isinstance(each, ast.Constant) and name in TELLING
            if (literal or isinstance(each, ast.JoinedStr)) and template.WORD.search(words(each)):
                yield each.lineno, ast.unparse(each)


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_a_translation_is_complete_and_keeps_the_values(path):
    told = json.loads(path.read_text(encoding="utf-8"))
    wanted = template.texts()
    assert told.keys() - wanted == set(), "no such texts: run tools.translation_template"
    assert {text for text in wanted if not told.get(text)} == set(), "not translated"
    assert {t for t in told if placeholders(t) != placeholders(told[t])} == set()
    assert not [t for t in told if told[t].endswith(".")]


def test_what_is_shown_is_looked_up_before_its_values_are_filled_in():
    found = {
        path.name: untranslated
        for path in sorted((template.PACKAGE / "ui").glob("*.py"))
        if (untranslated := list(shown_untranslated(ast.parse(path.read_text(encoding="utf-8")))))
    }
    assert found == {}


def test_every_class_and_property_is_described_as_blender_does():
    classes = template.registered_classes()
    assert len(classes) > 50
    described = {
        cls.__name__: template.description_of(cls)
        for cls in classes
        if issubclass(cls, (bpy.types.Operator, bpy.types.Menu))
    }
    for cls in classes:
        for prop in template.own_properties(cls):
            described[f"{cls.__name__}.{prop.identifier}"] = prop.description
            assert prop.name != prop.identifier, f"{cls.__name__}.{prop.identifier} has no name"
            for item in prop.enum_items_static if prop.type == "ENUM" else ():
                if item.name != item.identifier:  # an expression's name says it all
                    described[f"{cls.__name__}.{prop.identifier}.{item.name}"] = item.description
    for owner in (bpy.types.Scene, bpy.types.WindowManager, bpy.types.Object):
        described[owner.__name__] = owner.bl_rna.properties["mfn"].description
    assert {key: text for key, text in described.items() if not text} == {}
    assert {key: text for key, text in described.items() if text.endswith((".", "\n"))} == {}
    assert {key: text for key, text in described.items() if "\n" in text} == {}


def test_without_a_translation_texts_are_english():
    assert translation.iface_("{count} faces", count=3) == "3 faces"
    bpy.ops.mfn.takes_refresh()
    assert session.message.text == "0 takes"


def test_an_error_of_the_layers_below_is_told_with_what_it_quotes():
    full = TakeError("{path}: {cause}; nothing was recorded", path="a.take", cause=Text("full"))
    error = TakeError("{told}; free some space and record again", told=full)
    english = "a.take: full; nothing was recorded; free some space and record again"
    assert translation.told(error) == str(error) == english
    assert translation.told(OSError(2, "gone")) == "[Errno 2] gone"


# bpy as a module has no translations compiled in: what follows needs Blender itself.
GERMAN = """
import json, sys
repository, told = sys.argv[-2:]
sys.path.insert(0, repository)
import bpy
from bpy.app.translations import pgettext
view = bpy.context.preferences.view
if not bpy.app.build_options.international:
    raise SystemExit(77)
view.language = "de_DE"
view.use_translate_interface = view.use_translate_tooltips = view.use_translate_reports = True
from mfn_addon import ui
from mfn_addon.take import TakeError
from mfn_addon.texts import Text
from mfn_addon.ui import session, translation
from tools import translation_template as template
ui.register()
bpy.context.scene.mfn.takes_location = "BLEND"
bpy.ops.mfn.takes_refresh()
found = {"message": session.message.text, "status": ui.panels.faces_in_view(3)}
cause = Text("the disk is full")
full = TakeError("{path}: {cause}; nothing was recorded", path="a.take", cause=cause)
found["error"] = translation.told(full)
properties = {
    (cls.__name__, prop.identifier): prop
    for cls in template.registered_classes() for prop in template.own_properties(cls)
}
found["properties"] = {
    ".".join(key): [pgettext(prop.name, prop.translation_context), pgettext(prop.description)]
    for key, prop in properties.items()
}
found["items"] = [
    pgettext(item.name, prop.translation_context)
    for prop in (properties["MFN_SceneSettings", name] for name in ("input_size", "lost"))
    for item in prop.enum_items_static
]
found["operators"] = {
    cls.bl_idname: [pgettext(cls.bl_label, "Operator"), pgettext(template.description_of(cls))]
    for cls in template.registered_classes() if issubclass(cls, bpy.types.Operator)
}
ui.unregister()
found["after"] = pgettext("Bake to Characters", "Operator")
print(told + json.dumps(found), flush=True)
"""
TOLD = "FOUND "


@pytest.fixture(scope="module")
def german(repository):
    """What a Blender whose language is German shows."""
    blender = os.environ.get("MFN_BLENDER") or shutil.which("blender")
    if blender is None:
        pytest.skip("no Blender here (set MFN_BLENDER to its executable)")
    result = subprocess.run(
        [blender, "--background", "--factory-startup", "--python-exit-code", "1",
         "--python-expr", GERMAN, "--", str(repository), TOLD],
        cwd=repository, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if result.returncode == 77:
        pytest.skip("this Blender has no translations compiled in")
    lines = [line for line in result.stdout.splitlines() if line.startswith(TOLD)]
    assert lines, result.stdout + result.stderr
    return json.loads(lines[0].removeprefix(TOLD))


def test_blender_shows_our_german(german):
    told = json.loads((translation.FOLDER / "de_DE.json").read_text(encoding="utf-8"))
    assert german["message"] == "0 Takes"
    assert german["status"] == "3 Gesichter"
    assert german["error"] == "a.take: der Datenträger ist voll; nichts wurde aufgenommen"
    assert german["operators"]["mfn.bake"] == [
        "Auf Figuren backen",
        told[template.description_of(bpy.types.MFN_OT_bake)],
    ]
    assert german["properties"]["MFN_SceneSettings.lost"][0] == "Verloren"
    assert german["properties"]["MFN_SceneSettings.input_size"][0] == "Gesichter"
    assert german["items"] == [
        "Nah",
        "Fern",
        "Sehr fern",
        "Halten",
        "Zur Ruhe kommen",
        "Einfrieren",
    ]
    english = [key for key, shown in german["properties"].items() if shown[1] in told]
    assert english == []
    assert german["after"] == "Bake to Characters"  # once the extension is disabled
