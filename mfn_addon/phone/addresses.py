# SPDX-License-Identifier: GPL-3.0-or-later
"""This computer's addresses in the local networks, for the choice of an interface."""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

LOOPBACK = "127.0.0.1"
_SIOCGIFADDR = 0x8915  # Linux: an interface's IPv4 address
_DOCUMENTATION = "192.0.2.1"  # RFC 5737: never a real host


def local_addresses() -> list[str]:
    """The IPv4 addresses, without the loopback; the one of the default route comes first.

    Several ways are tried, as none works on every system; nothing is sent.
    """
    found = [*_default_route(), *_by_host_name(), *_by_interface()]
    usable = (address for address in found if not address.startswith(("127.", "0.")))
    return list(dict.fromkeys(usable))


def _default_route() -> list[str]:
    with suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((_DOCUMENTATION, 9))  # a datagram socket: this only looks up the route
        return [probe.getsockname()[0]]
    return []


def _by_host_name() -> list[str]:
    with suppress(OSError):
        entries = socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)
        return [str(entry[4][0]) for entry in entries]
    return []


def _by_interface() -> list[str]:
    try:
        import fcntl
    except ImportError:  # Windows, where the host name gives them all
        return []
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            with suppress(OSError):  # without an address, or another system's numbers
                request = struct.pack("256s", name.encode()[:15])
                answer = fcntl.ioctl(probe.fileno(), _SIOCGIFADDR, request)
                found.append(socket.inet_ntoa(answer[20:24]))
    return found
