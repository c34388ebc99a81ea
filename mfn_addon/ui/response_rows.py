# SPDX-License-Identifier: GPL-3.0-or-later
"""A character's responses as rows that people edit, and as the one text that drives it.

The rows are for the panel; what counts at run time is `MFN_Character.responses`, a JSON text that
every edit of a row renews. Reading one string a tick costs nothing, and since both lie in the
same object, undo and saving keep them together.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any, cast

import bpy
from bpy.props import BoolProperty, FloatProperty

from ..face import EXPRESSION_INDEX, EXPRESSIONS
from ..retarget import Response, opposite

_FIELDS = tuple(field.name for field in fields(Response))


class _Filling:
    """While rows are filled by code, their updates are no edits."""

    now = False


def _edited(row: MFN_ResponseRow, context: bpy.types.Context) -> None:
    """Take an edit over to the mirrored row, and to the text that drives the character."""
    if _Filling.now:
        return
    settings: Any = cast(Any, row.id_data).mfn
    if settings.pairs:
        partner = settings.rows.get(opposite(row.name))
        if partner is not None and partner != row:
            _fill(partner, response_of(row))
    settings.responses = as_text({each.name: response_of(each) for each in settings.rows})


class MFN_ResponseRow(bpy.types.PropertyGroup):
    """How strongly a character answers one expression; `name` is the expression."""

    gain: FloatProperty(
        name="Gain", description="Factor on the actor's value", default=1.0, soft_min=0.0,
        soft_max=3.0, min=-10.0, max=10.0, update=_edited,
    )  # fmt: skip
    offset: FloatProperty(
        name="Offset", description="Added after the gain", soft_min=-1.0, soft_max=1.0,
        min=-10.0, max=10.0, update=_edited,
    )  # fmt: skip
    low: FloatProperty(
        name="Least", description="The value never falls below", soft_min=-1.0, soft_max=1.0,
        min=-10.0, max=10.0, update=_edited,
    )  # fmt: skip
    high: FloatProperty(
        name="Most", description="The value never rises above", default=1.0, soft_min=0.0,
        soft_max=2.0, min=-10.0, max=10.0, update=_edited,
    )  # fmt: skip
    soft: FloatProperty(
        name="Softness",
        description="The share of the range in which the value bends towards its limit instead "
        "of stopping there",
        min=0.0, max=1.0, subtype="FACTOR", update=_edited,
    )  # fmt: skip
    curve: FloatProperty(
        name="Curve",
        description="Exponent: above 1 small movements count less, below 1 more",
        default=1.0, min=0.1, max=5.0, update=_edited,
    )  # fmt: skip
    smoothing: FloatProperty(
        name="Smoothing", description="Seconds of smoothing beyond that of the tracker",
        min=0.0, max=2.0, subtype="TIME_ABSOLUTE", update=_edited,
    )  # fmt: skip
    mute: BoolProperty(
        name="Mute", description="The character does not answer this expression", update=_edited
    )
    solo: BoolProperty(
        name="Solo", description="The character answers only soloed expressions", update=_edited
    )


def response_of(row: MFN_ResponseRow) -> Response:
    """The row's values, in single precision as Blender keeps them but without its noise."""
    told: dict[str, Any] = {key: getattr(row, key) for key in _FIELDS}
    numbers = {key: round(value, 6) for key, value in told.items() if isinstance(value, float)}
    return Response(**{**told, **numbers})


def fill_rows(settings: Any, responses: Mapping[str, Response]) -> None:
    """Give every expression its row, with the given responses and plain ones for the rest."""
    for name in EXPRESSIONS:
        row = settings.rows.get(name) or settings.rows.add()
        row.name = name
        _fill(row, responses.get(name, Response()))
    settings.responses = as_text(responses)


def as_text(responses: Mapping[str, Response]) -> str:
    """The text that `as_responses` reads; plain responses are left out."""
    told = {name: asdict(each) for name, each in responses.items() if each != Response()}
    return json.dumps(told, sort_keys=True) if told else ""


@lru_cache(maxsize=64)
def as_responses(text: str) -> Mapping[str, Response]:
    """The responses of a text; what another version has written and this one does not know is
    passed over."""
    try:
        told = dict(json.loads(text or "{}"))
    except (TypeError, ValueError):
        return {}
    return {
        name: Response(**{key: value for key, value in entry.items() if key in _FIELDS})
        for name, entry in told.items()
        if name in EXPRESSION_INDEX and isinstance(entry, dict)
    }


def _fill(row: MFN_ResponseRow, response: Response) -> None:
    _Filling.now = True
    try:
        for key in _FIELDS:
            setattr(row, key, getattr(response, key))
    finally:
        _Filling.now = False
