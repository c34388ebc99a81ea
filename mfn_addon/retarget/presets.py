# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses as a file, to be shared between characters and people.

    {"format": "mfn-responses", "version": 1,
     "responses": {"jawOpen": {"gain": 1.3, "soft": 0.2}, …}}

Only what differs from a plain response is written.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from ..face import EXPRESSION_INDEX
from ..texts import Text
from .response import PLAIN, Response

FORMAT, VERSION = "mfn-responses", 1
_KINDS = {field.name: type(getattr(PLAIN, field.name)) for field in fields(Response)}


def write_preset(path: Path, responses: Mapping[str, Response]) -> None:
    """Write the responses that are not plain.

    Raises:
        OSError: the file cannot be written.
    """
    told = {
        name: {key: getattr(each, key) for key in _KINDS if getattr(each, key) != _plain(key)}
        for name, each in responses.items()
        if each != PLAIN
    }
    data = {"format": FORMAT, "version": VERSION, "responses": told}
    path.write_text(json.dumps(data, indent=1) + "\n", "utf-8")


def read_preset(path: Path) -> dict[str, Response]:
    """The responses of a file; expressions that it does not name are plain.

    Raises:
        ValueError: it is no such file; one line names the file and what is wrong in it.
    """
    try:
        data: Any = json.loads(path.read_text("utf-8"))
        if data.get("format") != FORMAT:
            raise ValueError(Text("this is no preset of responses"))
        if data["version"] > VERSION:
            raise ValueError(
                Text("made by a newer version (format {version})", version=data["version"])
            )
        return {name: _response(name, entry) for name, entry in data["responses"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(Text("{path}: {error}", path=path.name, error=error)) from error


def _response(name: str, entry: Mapping[str, Any]) -> Response:
    if name not in EXPRESSION_INDEX:
        raise ValueError(f"{name} is no ARKit expression")
    unknown = entry.keys() - _KINDS.keys()
    if unknown:
        raise ValueError(f"{name}: {', '.join(sorted(unknown))} is nothing that a response has")
    return Response(**{key: _KINDS[key](value) for key, value in entry.items()})


def _plain(key: str) -> object:
    return getattr(PLAIN, key)
