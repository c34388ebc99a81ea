# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording over an earlier take becomes a take that holds both."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from .database import connect
from .edit import editing, write_info
from .errors import TakeError
from .library import copy_take
from .pass_tables import insert_pass
from .passes import Pass
from .reader import Take

_OF_ITS_OWN = ("created", "id", "title", "slate", "take_number")
_NOT_TAKEN_OVER = ("rating", "note", "take", "epoch")


def overdub(
    base: Path,
    recorded: Path,
    new: Pass,
    output: Path | None = None,
    facts: Mapping[str, str] | None = None,
) -> None:
    """Make a take of the base with a recording as a pass over it.

    The base stays as it is.

    Args:
        output: the new take's file; None to replace the finished recording's, once the new one
            is complete.
        facts: further metadata of it; an empty text takes a fact away.

    Raises:
        TakeError: one of them cannot be read, or there is no room. Both are as they were then.
    """
    output = output or recorded
    whole = output.with_name(f"{output.name}.over")
    try:
        copy_take(base, whole)
        with Take(recorded) as take:
            kept = {key: take.info[key] for key in _OF_ITS_OWN if key in take.info}
        mode = "rw" if Path(f"{recorded}-wal").exists() else "ro"
        with closing(connect(recorded, mode)) as source, editing(whole) as connection:
            insert_pass(connection, new, source)
        told = {**dict.fromkeys(_NOT_TAKEN_OVER, ""), **kept, "over": base.stem, **(facts or {})}
        write_info(whole, told)
        whole.replace(output)
    except (OSError, sqlite3.Error) as error:
        raise TakeError(
            "{path}: cannot be laid over {base} ({error})", path=recorded, base=base, error=error
        ) from error
    finally:
        whole.unlink(missing_ok=True)
