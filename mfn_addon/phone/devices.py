# SPDX-License-Identifier: GPL-3.0-or-later
"""The paired devices, kept in one small file of the user's folder; of their keys only hashes."""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
import os
import secrets
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

NAME_LENGTH = 64


@dataclass
class Device:
    """A phone, or another computer's camera, that was paired.

    Attributes:
        id: a short random name for the protocol and the take.
        name: what people call it; no other device has it, for it is the source of its frames.
        slot: a small number, 1 or more, that no other device has: its actors are numbered by it.
        key_hash: SHA-256 of its key, in hexadecimal.
    """

    id: str
    name: str
    slot: int
    key_hash: str


class Devices:
    """All paired devices; may be used from several threads."""

    def __init__(self, path: Path | None = None) -> None:
        """Read them; a file that cannot be read counts as none, and its devices pair again.

        Args:
            path: the file; None to keep nothing.
        """
        self._path = path
        self._lock = threading.Lock()
        self._devices = {device.id: device for device in _read(path)} if path else {}

    def all(self) -> list[Device]:
        """The devices in the order of their slots."""
        with self._lock:
            return sorted(self._devices.values(), key=lambda device: device.slot)

    def add(self, name: str) -> tuple[Device, str]:
        """Pair a device; returns it and its key, which is told once and kept nowhere here."""
        key = secrets.token_urlsafe(32)
        with self._lock:
            taken = {device.slot for device in self._devices.values()}
            slot = next(n for n in range(1, len(taken) + 2) if n not in taken)
            device = Device(secrets.token_hex(4), self._free_name(name), slot, _hash(key))
            self._devices[device.id] = device
            self._write()
        return device, key

    def find(self, key: str) -> Device | None:
        """The device of a key. The time it takes tells nothing about the keys."""
        wanted, found = _hash(key), None
        with self._lock:
            for device in self._devices.values():
                if hmac.compare_digest(device.key_hash, wanted):
                    found = device
        return found

    def rename(self, device_id: str, name: str) -> None:
        """Give a device another name; unknown devices are no error, they may just be forgotten."""

        def change() -> None:
            self._devices[device_id].name = self._free_name(name, device_id)

        self._change(change)

    def forget(self, device_id: str) -> None:
        """Revoke a device's key."""
        self._change(lambda: self._devices.pop(device_id))

    def _free_name(self, name: str, own: str = "") -> str:
        """A name as it is, or with a number where another device has it: two phones may be called
        alike by their makers."""
        name = clean_name(name)
        taken = {device.name for device in self._devices.values() if device.id != own}
        numbered = (f"{name[: NAME_LENGTH - 4]} {number}" for number in itertools.count(2))
        return next(each for each in itertools.chain([name], numbered) if each not in taken)

    def _change(self, change: Callable[[], object]) -> None:
        with self._lock:
            try:
                change()
            except KeyError:
                return
            self._write()

    def _write(self) -> None:
        if self._path is None:
            return
        text = json.dumps([asdict(device) for device in self._devices.values()], indent=1)
        write_private(self._path, text.encode())


def clean_name(name: str) -> str:
    """A name on one line, without control characters, of at most 64 characters."""
    printable = "".join(char if char.isprintable() else " " for char in name)
    return " ".join(printable.split())[:NAME_LENGTH] or "Phone"


def write_private(path: Path, data: bytes) -> None:
    """Write a file that only its user can read; it is there completely or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    fresh.replace(path)


def _hash(key: str) -> str:
    return hashlib.sha256(key.encode(errors="replace")).hexdigest()


def _read(path: Path) -> list[Device]:
    try:
        return [Device(**entry) for entry in json.loads(path.read_text(encoding="utf-8"))]
    except (OSError, ValueError, TypeError):
        return []
