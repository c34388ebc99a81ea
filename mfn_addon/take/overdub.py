# SPDX-License-Identifier: GPL-3.0-or-later
"""A recording over an earlier take becomes a take that holds both."""

from __future__ import annotations

import sqlite3
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


def overdub(base: Path, recorded: Path, new: Pass) -> None:
    """Turn a finished recording into the base take with that recording as a pass over it.

    The base stays as it is; the recording's file is replaced once the new one is complete.

    Raises:
        TakeError: one of them cannot be read, or there is no room. Both are as they were then.
    """
    whole = recorded.with_name(f"{recorded.name}.over")
    try:
        copy_take(base, whole)
        with Take(recorded) as take:
            facts = {key: take.info[key] for key in _OF_ITS_OWN if key in take.info}
        with closing(connect(recorded, "ro")) as source, editing(whole) as connection:
            insert_pass(connection, new, source)
        write_info(whole, {**dict.fromkeys(_NOT_TAKEN_OVER, ""), **facts, "over": base.stem})
        whole.replace(recorded)
    except (OSError, sqlite3.Error) as error:
        raise TakeError(
            "{path}: cannot be laid over {base} ({error})", path=recorded, base=base, error=error
        ) from error
    finally:
        whole.unlink(missing_ok=True)
