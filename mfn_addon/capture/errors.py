# SPDX-License-Identifier: GPL-3.0-or-later
"""What a source raises when it cannot be used."""

from __future__ import annotations


class InputError(ValueError):
    """Unusable input. The message is one line: what is wrong, where, and what to do."""
