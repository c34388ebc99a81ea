# SPDX-License-Identifier: GPL-3.0-or-later
"""What a sender keeps of a recording until the server has it on its disk. No sockets here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

BATCH = 16 << 10
"""Bytes of messages that are sent together."""
WINDOW = 256 << 10
"""Bytes that may be on their way, sent but not confirmed."""
AGAIN_AFTER = 5.0
"""Seconds after which what was not confirmed counts as lost."""

Delivery = tuple[int, int, int]
"""What a recorded frame is known by: take, stream, sequence."""


@dataclass
class _Waiting:
    message: bytes
    sent: float  # when it was last sent; -inf where it has to be sent


class Backlog:
    """Recorded frames that are not confirmed yet, as messages, in the order of capture."""

    def __init__(self, again_after: float = AGAIN_AFTER) -> None:
        """
        Args:
            again_after: seconds after which an unconfirmed message is sent again.
        """
        self._again_after = again_after
        self._waiting: dict[Delivery, _Waiting] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    def keep(self, delivery: Delivery, message: bytes, sent: float | None) -> None:
        """Keep a message.

        Args:
            delivery: what it is known by.
            message: the whole message.
            sent: when it was sent, seconds; None where it could not be.
        """
        self._waiting[delivery] = _Waiting(message, float("-inf") if sent is None else sent)

    def confirm(self, take: int, stream: int, ranges: Iterable[tuple[int, int]]) -> None:
        """Let go of what the server has saved: ranges of sequence numbers, both ends included."""
        for first, last in ranges:
            saved: Iterable[int] = range(first, last + 1)
            if last - first > len(self._waiting):  # nobody has that many: look at ours instead
                saved = [sequence for *_, sequence in self._waiting if first <= sequence <= last]
            for sequence in saved:
                self._waiting.pop((take, stream, sequence), None)

    def drop(self, take: int) -> None:
        """Let go of a take that the server no longer has."""
        for delivery in [each for each in self._waiting if each[0] == take]:
            del self._waiting[delivery]

    def send_all_again(self) -> None:
        """The connection is a new one: nothing is on its way any more."""
        for waiting in self._waiting.values():
            waiting.sent = float("-inf")

    def next_batch(self, now: float) -> bytes:
        """Messages to be sent now, oldest first, which count as sent with that; empty where none
        is due, or too much is on its way already."""
        lost = now - self._again_after
        on_its_way = sum(len(each.message) for each in self._waiting.values() if each.sent > lost)
        room = min(BATCH, WINDOW - on_its_way)
        batch = bytearray()
        for waiting in self._waiting.values():
            if waiting.sent > lost:
                continue
            if len(batch) + len(waiting.message) > room:
                break
            waiting.sent = now
            batch += waiting.message
        return bytes(batch)
