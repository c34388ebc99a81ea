# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts for people that an interface can tell in their language: errors, notes on a character."""

from __future__ import annotations

from typing import Self


class Text(str):
    """An English text that remembers what it was made of; otherwise a string like any other.

    Attributes:
        template: the text before its values were filled in, and values: these, by name; a value
            may be a Text, or an error with one.
    """

    __slots__ = ("template", "values")

    template: str
    values: dict[str, object]

    def __new__(cls, template: str, /, **values: object) -> Self:
        text = super().__new__(cls, template.format(**values) if values else template)
        text.template, text.values = template, values
        return text


class TextError(ValueError):
    """An error with a Text: `raise TakeError("{path}: there is no such take", path=path)`."""

    def __init__(self, template: str, /, **values: object) -> None:
        super().__init__(Text(template, **values))
