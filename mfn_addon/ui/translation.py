# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface in the user's language: texts are looked up in translations/LANGUAGE.json.

Blender looks up what is registered with it by itself: labels, descriptions, the items of enums,
and texts that a panel gives to its layout. What we put together goes through `iface_` (panels)
or `rpt_` (reports), which look up the template and then fill in the values; `n_` marks a text in
a table that is looked up where it is shown. The names are those of Blender's own scripts. What
the layers below tell, errors above all, goes through `told`.

A file has each English text with its translation, "" for none yet: `python -m
tools.translation_template LANGUAGE` writes or completes one.
"""

from __future__ import annotations

import json
from pathlib import Path

import bpy
from bpy.app.translations import pgettext_data, pgettext_iface, pgettext_rpt, pgettext_tip

from ..texts import Text

FOLDER = Path(__file__).with_name("translations")

CONTEXT = "MFN Face Capture"
"""Of texts that mean something else in Blender, such as Faces, which are a mesh's there: in a
context that both have, Blender's own translation comes before ours."""

_CONTEXTS = (bpy.app.translations.contexts.default, "Operator", CONTEXT)
"""Where Blender looks: for most texts, for operators' labels, and for ours alone."""


def iface_(template: str, /, **values: object) -> str:
    """A text of a panel in the user's language, with its values, if any, filled in."""
    return _filled(pgettext_iface(template, CONTEXT), values)


def rpt_(template: str, /, **values: object) -> str:
    """A report or an error in the user's language, with its values filled in."""
    return _filled(pgettext_rpt(template, CONTEXT), values)


def tip_(template: str, /, **values: object) -> str:
    """A description in the user's language, with its values filled in."""
    return _filled(pgettext_tip(template, CONTEXT), values)


def told(text: str | Exception) -> str:
    """A text of the layers below, or an error with one, in the user's language."""
    if isinstance(text, Exception):
        text = text.args[0] if text.args and isinstance(text.args[0], Text) else str(text)
    if not isinstance(text, Text):
        return text
    values = text.values.items()
    ours = {key: told(v) if isinstance(v, Text | Exception) else v for key, v in values}
    return rpt_(text.template, **ours)


def data_(template: str, /, **values: object) -> str:
    """What something new is called, in the user's language where the user wants that."""
    return _filled(pgettext_data(template, CONTEXT), values)


def n_(text: str) -> str:
    """Mark a text that is looked up later, where it is shown."""
    return text


def _filled(text: str, values: dict[str, object]) -> str:
    return text.format(**values) if values else text


def load() -> dict[str, dict[tuple[str, str], str]]:
    """language -> (context, English text) -> text, as Blender registers it."""
    return {
        path.stem: {
            (context, text): told
            for text, told in json.loads(path.read_text(encoding="utf-8")).items()
            for context in _CONTEXTS
            if told
        }
        for path in sorted(FOLDER.glob("*.json"))
    }


def register() -> None:
    bpy.app.translations.register(__name__, load())


def unregister() -> None:
    bpy.app.translations.unregister(__name__)
