# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes as files of a folder: rename, delete to a bin and restore, export, import.

Nothing is ever deleted for good, and nothing that is there is replaced unasked.
"""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from .database import connect
from .errors import TakeError
from .layout import SUFFIX
from .reader import Take

BIN = "bin"
"""The folder beside the takes into which they are deleted."""

_BESIDE = ("", "-wal", "-shm")


def clean_name(name: str) -> str:
    """A take's name as it can be a file's on every system; "" where nothing is left of it."""
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", name).strip(" .")


def slate_of(path: Path) -> tuple[str, int]:
    """The slate and the number of a take that is named `SLATE NUMBER`; without one 0."""
    found = re.fullmatch(r"(.*\S) (\d+)", path.stem)
    return (found[1], int(found[2])) if found else (path.stem, 0)


def take_files(folder: Path) -> list[Path]:
    """The takes in a folder."""
    if not folder.is_dir():
        return []
    return [path for path in folder.iterdir() if path.suffix == SUFFIX and path.is_file()]


def rename_take(path: Path, name: str) -> Path:
    """Give a take another name. Returns its new file.

    Raises:
        TakeError: there is another take of this name, or the file cannot be renamed.
    """
    clean = clean_name(name)
    if not clean:
        raise TakeError(
            "{path}: {name!r} cannot be a take's name; use letters or digits", path=path, name=name
        )
    to = path.with_name(f"{clean}{SUFFIX}")
    if to == path:
        return path
    if to.exists() and not to.samefile(path):  # the same where only the case changes
        raise TakeError("{path}: exists already; choose another name", path=to)
    _move(path, to)
    return to


def delete_take(path: Path) -> Path:
    """Move a take into the bin beside it. Returns where it lies now. Raises TakeError."""
    to = _free(path.parent / BIN, path.stem)
    _move(path, to)
    return to


def restore_take(path: Path) -> Path:
    """Move a take out of its bin again. Returns its file. Raises TakeError."""
    to = _free(path.parent.parent, path.stem)
    _move(path, to)
    return to


def copy_take(path: Path, to: Path) -> None:
    """Write a copy of a take, as one file; replaces what is there once the copy is complete.

    Raises:
        TakeError: it is no take, is damaged, or the copy cannot be written.
    """
    if to.exists() and to.samefile(path):
        raise TakeError("{path}: is the take itself; choose another name or folder", path=to)
    Take(path).close()
    partial = to.with_name(f"{to.name}.partial")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with closing(connect(path, "rw" if _log(path).exists() else "ro")) as source:
            _refuse_damage(source, path)
            with closing(sqlite3.connect(partial)) as target:
                source.backup(target)
                target.execute("PRAGMA journal_mode = DELETE")
        partial.replace(to)
    except sqlite3.Error as error:
        raise TakeError(
            "{path}: cannot be copied to {to} ({error})", path=path, to=to, error=error
        ) from error
    except OSError as error:
        raise TakeError(
            "{path}: cannot be written ({error})", path=to, error=error.strerror or error
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def import_take(path: Path, folder: Path) -> Path:
    """Copy a take into a folder of takes, under a name that is free there. Returns the copy.

    Raises:
        TakeError: it is no take, is damaged, or cannot be copied.
    """
    to = _free(folder, path.stem)
    copy_take(path, to)
    return to


def _refuse_damage(connection: sqlite3.Connection, path: Path) -> None:
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise TakeError(
            "{path}: the take is damaged ({error})", path=path, error=" ".join(found.split())
        )


def _free(folder: Path, name: str) -> Path:
    """A take's file of this name, or of this name with a number, that is not there yet."""
    path, number = folder / f"{name}{SUFFIX}", 2
    while path.exists():
        path = folder / f"{name} ({number}){SUFFIX}"
        number += 1
    return path


def _move(path: Path, to: Path) -> None:
    if not path.is_file():
        raise TakeError("{path}: there is no such take", path=path)
    _bring_log_in(path)
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        for beside in _BESIDE:  # of a damaged take, whose log stays apart
            if (part := Path(f"{path}{beside}")).exists():
                part.rename(f"{to}{beside}")
    except OSError as error:
        raise TakeError(
            "{path}: cannot be moved to {to} ({error})",
            path=path, to=to, error=error.strerror or error,
        ) from error  # fmt: skip


def _bring_log_in(path: Path) -> None:
    """A take whose recording was cut off becomes one file; one that is being recorded is told."""
    if not _log(path).exists():
        return
    try:
        with closing(connect(path, "rw")) as connection:
            connection.execute("PRAGMA busy_timeout = 0")
            connection.execute("PRAGMA journal_mode = DELETE").fetchone()
    except sqlite3.OperationalError as error:
        raise TakeError(
            "{path}: is still being written; finish the take first", path=path
        ) from error
    except sqlite3.DatabaseError:
        return  # damaged: moved as it is


def _log(path: Path) -> Path:
    return Path(f"{path}-wal")
