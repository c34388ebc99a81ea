# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a translator starts from, or bring a translation up to date with the add-on's texts.

    python -m tools.translation_template LANGUAGE

LANGUAGE is one of Blender's, such as fr_FR or pt_BR. In mfn_addon/ui/translations/LANGUAGE.json
every text of the interface gets a line: with its translation where the file has one, "" where not;
texts that are no more go. A translation keeps the {names} of its text.
"""

from __future__ import annotations

import argparse
import ast
import inspect
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import bpy

import mfn_addon
from mfn_addon import ui
from mfn_addon.track.guided import STEPS
from mfn_addon.ui import translation

PACKAGE = Path(mfn_addon.__file__).parent
LOOK_UPS = {"iface_", "rpt_", "tip_", "data_", "n_", "translate", "Text", "TakeError", "RigError"}
"""Functions whose first argument is a text to look up."""
SHOWN = {"text", "placeholder", "title"}
"""Arguments of a layout's methods that Blender looks up by itself."""
_BASES = ("Panel", "Operator", "Menu", "UIList", "PropertyGroup")
WORD = re.compile(r"[^\W\d_]{2}")


def main() -> int:
    """Write the file; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("language", help="as Blender calls it, e.g. fr_FR")
    path = translation.FOLDER / f"{parser.parse_args().language}.json"
    known = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    ui.register()
    told = {text: known.get(text, "") for text in sorted(texts(), key=str.casefold)}
    ui.unregister()
    path.write_text(json.dumps(told, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    missing = sum(not each for each in told.values())
    print(f"{path.name}: {len(told)} texts, {missing} to translate")
    return 0


def texts() -> set[str]:
    """Every text of the interface, as it is looked up. The add-on has to be registered."""
    found = {text for cls in registered_classes() for text in _of_class(cls)}
    for path in sorted(PACKAGE.rglob("*.py")):
        found |= set(looked_up(ast.parse(path.read_text(encoding="utf-8"))))
    found |= {step.ask for step in STEPS}
    return {text for text in found if WORD.search(text)}


def registered_classes() -> list[Any]:
    """The add-on's classes that Blender knows."""
    bases = [getattr(bpy.types, name) for name in _BASES]
    return [
        cls
        for base in bases
        for cls in base.__subclasses__()
        if cls.__module__.startswith(f"{PACKAGE.name}.") and cls.is_registered
    ]


def own_properties(cls: Any) -> list[Any]:
    """The properties that a registered class declares itself, not one of Blender's mix-ins."""
    if not issubclass(cls, (bpy.types.Operator, bpy.types.PropertyGroup)):
        return []
    ours = [each for each in cls.__mro__ if each.__module__.startswith(f"{PACKAGE.name}.")]
    names = {name for each in ours for name in inspect.get_annotations(each)}
    if issubclass(cls, bpy.types.PropertyGroup):
        names.discard("name")  # which Blender gives every group, and describes
    return [prop for prop in rna_of(cls).properties if prop.identifier in names]


def description_of(cls: Any) -> str:
    """What the mouse tells of a registered operator or menu; panels have no such text."""
    if issubclass(cls, bpy.types.Operator):
        return rna_of(cls).description
    return cls.bl_description if issubclass(cls, bpy.types.Menu) else ""


def rna_of(cls: Any) -> Any:
    """What Blender knows of a registered class; an operator's own properties are with its call."""
    if not issubclass(cls, bpy.types.Operator):
        return cls.bl_rna
    area, _, name = cls.bl_idname.partition(".")
    return getattr(getattr(bpy.ops, area), name).get_rna_type()


def _of_class(cls: Any) -> Iterator[str]:
    """What Blender looks up by itself: the class's own texts, and those of its properties."""
    if issubclass(cls, bpy.types.UIList):
        return
    if not issubclass(cls, bpy.types.PropertyGroup):
        yield cls.bl_label
        yield description_of(cls)
    for prop in own_properties(cls):
        if prop.is_hidden:
            continue
        yield prop.name
        yield prop.description
        for item in prop.enum_items_static if prop.type == "ENUM" else ():
            if item.name != item.identifier:  # such as an expression's, which has one spelling
                yield item.name
            yield item.description


def looked_up(tree: ast.AST) -> Iterator[str]:
    """The literal texts of a module that are looked up, by us or by Blender for a layout."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.id if isinstance(call.func, ast.Name) else ""
        arguments = call.args[:1] if name in LOOK_UPS else []
        if isinstance(call.func, ast.Attribute):
            arguments = [each.value for each in call.keywords if each.arg in SHOWN]
        for argument in arguments:
            if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                yield argument.value


if __name__ == "__main__":
    sys.exit(main())
