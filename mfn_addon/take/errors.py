# SPDX-License-Identifier: GPL-3.0-or-later
"""What a take raises when it cannot be read or written."""

from __future__ import annotations

from ..texts import TextError


class TakeError(TextError):
    """A take that cannot be used. One line: which, what is wrong, what to do."""
