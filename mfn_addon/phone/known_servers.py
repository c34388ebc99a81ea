# SPDX-License-Identifier: GPL-3.0-or-later
"""The servers that a camera has joined: their keys, kept in one small file of the user's folder."""

from __future__ import annotations

import json
from pathlib import Path

from ..capture.errors import InputError
from .client import pair, shown_fingerprint
from .devices import write_private
from .remote_sender import RemoteSender


class KnownServers:
    """Keys by the fingerprint of the server's certificate.

    A key is only ever sent to a server that shows the certificate that it was got from.
    """

    def __init__(self, path: Path) -> None:
        """Read them; a file that cannot be read counts as none, and its servers pair again.

        Args:
            path: the file, readable by its user alone.
        """
        self._path = path
        self._servers = _read(path)

    def key(self, fingerprint: bytes) -> str | None:
        """The key for a server; None where it is not known."""
        return self._servers.get(fingerprint.hex(), {}).get("key")

    def remember(self, fingerprint: bytes, address: str, key: str) -> None:
        """Keep a key. Raises OSError."""
        self._servers[fingerprint.hex()] = {"address": address, "key": key}
        self._write()

    def forget(self, address: str) -> int:
        """Delete the keys that were got at "host:port"; returns how many. Raises OSError."""
        gone = [name for name, server in self._servers.items() if server["address"] == address]
        for name in gone:
            del self._servers[name]
        if gone:
            self._write()
        return len(gone)

    def _write(self) -> None:
        write_private(self._path, json.dumps(self._servers, indent=1).encode())


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        entries = json.loads(path.read_text(encoding="utf-8")).items()
        return {
            str(name): {"address": str(server["address"]), "key": str(server["key"])}
            for name, server in entries
        }
    except (OSError, ValueError, AttributeError, TypeError, KeyError):
        return {}


def join(
    address: str, source: str, known: KnownServers, fingerprint: bytes | None, pin: str | None
) -> RemoteSender:
    """Connect with the kept key, or pair by the PIN and keep the key.

    Args:
        address: "host:port".
        source: what this camera is called there.
        known: where keys are kept.
        fingerprint: SHA-256 of the certificate that the server has to show; None for any.
        pin: what the server shows; None where it was joined before.

    Raises:
        InputError: nobody listens there, the server is another one, or it refuses.
        OSError: the key cannot be kept.
    """
    shown = shown_fingerprint(address, fingerprint)
    key = known.key(shown)
    if key is not None:
        try:
            return RemoteSender(address, key, source, shown)
        except InputError:
            if not pin:
                raise
    if not pin:
        raise InputError(f"{address}: not joined before; say --pin with the PIN that it shows")
    key = pair(address, shown, source, pin=pin)
    known.remember(shown, address, key)
    return RemoteSender(address, key, source, shown)
