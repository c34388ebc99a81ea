# SPDX-License-Identifier: GPL-3.0-or-later
"""What the live protocol has beyond `capture/protocol.py` for senders that are not on this
computer: recorded frames and their acknowledgement, and the clocks. Bytes only, no sockets."""

from __future__ import annotations

import struct
from collections.abc import Iterable

from ..capture.protocol import LATEST, Kind, ProtocolError, pack

_RECORDED = struct.Struct("<II")  # take, stream; a FRAME's payload follows
_SAVED = struct.Struct("<IIH")  # take, stream, ranges
_RANGE = struct.Struct("<II")
_CLOCK = struct.Struct("<d")
_CLOCK_ANSWER = struct.Struct("<3d")
_MOST_RANGES = 1000
"""In one SAVED, 8 kB; the rest goes into the next."""


def pack_recorded(take: int, stream: int, frame_payload: bytes) -> bytes:
    """A frame that belongs to a take."""
    return pack(Kind.RECORDED, _RECORDED.pack(take, stream) + frame_payload)


def unpack_recorded(payload: bytes) -> tuple[int, int, bytes]:
    """Its take, stream and the payload of its FRAME. Raises ProtocolError."""
    take, stream = _unpack(_RECORDED, payload[: _RECORDED.size], "a recorded frame")
    return take, stream, payload[_RECORDED.size :]


def pack_saved(take: int, stream: int, sequences: Iterable[int]) -> bytes:
    """Frames that are safe on the disk; one message, or more where there are many gaps."""
    ranges = _ranges(sequences)
    messages = []
    for start in range(0, len(ranges), _MOST_RANGES):
        part = ranges[start : start + _MOST_RANGES]
        payload = _SAVED.pack(take, stream, len(part))
        messages.append(pack(Kind.SAVED, payload + b"".join(_RANGE.pack(*each) for each in part)))
    return b"".join(messages)


def unpack_saved(payload: bytes) -> tuple[int, int, list[tuple[int, int]]]:
    """Take, stream, and ranges of sequence numbers, both ends included. Raises ProtocolError."""
    take, stream, count = _unpack(_SAVED, payload[: _SAVED.size], "an acknowledgement")
    body = payload[_SAVED.size :]
    if len(body) != count * _RANGE.size:
        raise ProtocolError(f"an acknowledgement of {count} ranges has {len(body)} bytes")
    return take, stream, [(first, last) for first, last in _RANGE.iter_unpack(body)]


def pack_clock(asked: float) -> bytes:
    """A question for the sender's clock."""
    return pack(Kind.CLOCK, _CLOCK.pack(asked))


def unpack_clock(payload: bytes) -> float:
    """When it was asked. Raises ProtocolError."""
    return _unpack(_CLOCK, payload, "a clock's question")[0]


def pack_clock_answer(asked: float, received: float, sent: float) -> bytes:
    """The answer: what came, when it came and when this goes, by the sender's clock."""
    return pack(Kind.CLOCK_ANSWER, _CLOCK_ANSWER.pack(asked, received, sent))


def unpack_clock_answer(payload: bytes) -> tuple[float, float, float]:
    """Asked, received, sent. Raises ProtocolError."""
    asked, received, sent = _unpack(_CLOCK_ANSWER, payload, "a clock's answer")
    if not all(abs(time) <= LATEST for time in (asked, received, sent)):  # NaN neither
        raise ProtocolError("a clock's answer has no time")
    return asked, received, sent


def _unpack(form: struct.Struct, payload: bytes, what: str) -> tuple:
    try:
        return form.unpack(payload)
    except struct.error as error:
        raise ProtocolError(f"{what} has the wrong length ({error})") from error


def _ranges(sequences: Iterable[int]) -> list[tuple[int, int]]:
    """The numbers as runs, first and last included."""
    runs: list[tuple[int, int]] = []
    for number in sorted(set(sequences)):
        if runs and runs[-1][1] == number - 1:
            runs[-1] = (runs[-1][0], number)
        else:
            runs.append((number, number))
    return runs
