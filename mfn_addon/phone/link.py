# SPDX-License-Identifier: GPL-3.0-or-later
"""One connected sender: bytes in, bytes out, whatever carries them. No sockets in here."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..capture.protocol import (
    VERSION,
    Kind,
    MessageReader,
    ProtocolError,
    pack_json,
    unpack_hello,
    unpack_json,
)
from .clock import Exchange
from .messages import pack_clock, pack_saved, unpack_clock_answer, unpack_recorded
from .reception import Reception
from .recordings import Arrival, Recording

if TYPE_CHECKING:
    from .devices import Device
    from .hub import Hub, Stream

LONGEST = 1 << 20
"""Bytes of a message after WELCOME."""
MOST_OUTGOING = 256 << 10
"""Bytes that may wait for a sender that does not read; with more it is cut off."""
_EAGER, _EAGER_EVERY, _CLOCK_EVERY = 120, 0.05, 0.2
"""The first questions for the time come quickly, every so many seconds; later ones slower."""
_ENOUGH_ANSWERS = 5
_UNANSWERED = 64
"""Questions for the time whose answers are still taken."""
_STATUS_LIMITS = {"width": 65_535, "height": 65_535, "battery": 1, "pending": 1_000_000_000}
_REQUEST_LIMITS = {"count_in": 10}
_TEXT_LENGTH = 200


class PhoneLink:
    """A connection of a phone, or of another computer's camera.

    Attributes:
        device: whose it is; None before WELCOME.
        transport: "WebSocket" or "HTTPS".
        over: whether it is to be closed once what is outgoing was sent.
        wake: called when there is something to send.
        status: what the sender last told of itself.
        heard: our clock when the last message came.
        reception: how well its frames come through.
    """

    def __init__(
        self,
        hub: Hub,
        transport: str,
        wake: Callable[[], None] = lambda: None,
        session: str = "",
    ) -> None:
        """A connection that has not said hello yet.

        Args:
            hub: what it shares with the others.
            transport, wake: see above.
            session: what POST batches are known by; told in WELCOME.
        """
        self.device: Device | None = None
        self.transport = transport
        self.over = False
        self.wake = wake
        self.status: dict[str, Any] = {}
        self.heard: float = hub.clock()
        self.faces = 0
        self.latency = 0.0
        self.reception = Reception()
        self.session = session
        self._hub = hub
        self._reader = MessageReader()
        self._outgoing = bytearray()
        self._stream_number = 0
        self._stream: Stream | None = None
        self._asked, self._asked_at, self._answered = 0, 0.0, 0
        self._questions: deque[float] = deque(maxlen=_UNANSWERED)
        self._told_take: int | None = None

    def receive(self, data: bytes) -> None:
        """Take in bytes of whole messages, or of parts; what is wrong ends the connection."""
        if self.over:
            return
        try:
            for kind, payload in self._reader.feed(data):
                self.heard = self._hub.clock()
                self._handle(kind, payload)
                if self.over:
                    return
        except ProtocolError as error:
            self.refuse(error.code, str(error))

    def take_outgoing(self) -> bytes:
        """What is to be sent now."""
        data = bytes(self._outgoing)
        self._outgoing.clear()
        return data

    @property
    def has_outgoing(self) -> bool:
        """Whether something is to be sent."""
        return bool(self._outgoing)

    def refuse(self, code: str, reason: str) -> None:
        """Say why, and end."""
        self.send(pack_json(Kind.REFUSED, {"code": code, "reason": reason}))
        self.end()

    def end(self) -> None:
        """End the connection after what is outgoing."""
        self.over = True
        self._hub.leave(self)
        self.wake()

    def command(self, command: str, /, **facts: Any) -> None:
        """Send a CONTROL."""
        self.send(pack_json(Kind.CONTROL, {"command": command, **facts}))

    def send(self, message: bytes) -> None:
        """Queue a message."""
        if len(self._outgoing) + len(message) > MOST_OUTGOING:
            self._outgoing.clear()
            self.end()  # it does not read; once it is back it hears everything again
            return
        self._outgoing += message
        self.wake()

    def tell_record(self, recording: Recording) -> None:
        """Have it record, in terms of its own clock; waits until that is known."""
        if self._told_take == recording.take or self._answered < _ENOUGH_ANSWERS:
            return
        self._told_take = recording.take
        start = self._theirs(recording.epoch)
        self.command("record", take=recording.take, name=recording.path.stem, start=start)

    def tell_finish(self, recording: Recording) -> None:
        """Have it end a recording."""
        end = self._theirs(recording.end or self._hub.clock())
        self.command("finish", take=recording.take, end=end)

    def tell_saved(self, take: int, stream: int, sequences: list[int]) -> None:
        """Acknowledge frames."""
        self.send(pack_saved(take, stream, sequences))

    def tick(self) -> None:
        """Ask for the time when it is due."""
        now = self._hub.clock()
        every = _EAGER_EVERY if self._asked < _EAGER else _CLOCK_EVERY
        if self._stream is not None and now - self._asked_at >= every:
            self._asked, self._asked_at = self._asked + 1, now
            self._questions.append(now)
            self.send(pack_clock(now))
        if self._hub.recordings.current is not None:
            self.tell_record(self._hub.recordings.current)

    def round_trip(self) -> float:
        """Seconds there and back at best; 0 while unknown."""
        return 2 * max(self._stream.clock.delay, 0.0) if self._stream else 0.0

    def _handle(self, kind: Kind, payload: bytes) -> None:
        if self.device is None:
            self._welcome(kind, payload)
        elif kind == Kind.FRAME:
            assert self._stream is not None
            self._frame(self._stream, payload)
        elif kind == Kind.RECORDED:
            self._recorded(payload)
        elif kind == Kind.CLOCK_ANSWER:
            assert self._stream is not None
            self._clock_answer(self._stream, payload)
        elif kind == Kind.STATUS:
            self._note_status(unpack_json(payload))
        elif kind == Kind.REQUEST:
            self._note_request(unpack_json(payload))
        elif kind != Kind.PREVIEW:  # a camera's pictures are not shown
            raise ProtocolError(f"a sender does not send {kind.name}")

    def _welcome(self, kind: Kind, payload: bytes) -> None:
        from .hub import MOST_SENDERS

        if kind != Kind.HELLO:
            raise ProtocolError("no hello")
        hello = unpack_hello(payload)
        device = self._hub.devices.find(hello.token)
        if device is None:
            raise ProtocolError(
                "This device is not paired: scan the code, or type the PIN", "token"
            )
        if len(self._hub.links) >= MOST_SENDERS and device.id not in self._hub.links:
            raise ProtocolError(f"{MOST_SENDERS} senders are connected already", "full")
        self.device = device
        self._reader.longest = LONGEST
        self._stream_number = hello.stream
        self._stream = self._hub.stream(device, hello.stream)
        session = {"session": self.session} if self.session else {}
        self.send(pack_json(Kind.WELCOME, {"version": VERSION, "name": device.name, **session}))
        self._hub.join(self, device)
        self.tick()

    def _frame(self, stream: Stream, payload: bytes) -> tuple[Any, float]:
        assert self.device is not None
        frame = stream.decoder.decode(payload)
        before, now = stream.newest, self._hub.clock()
        live, waited = stream is self._stream, stream.decoder.waited
        if live and waited is not None:
            stream.clock.note(frame.time + waited, now)
        ours = self._hub.show(self.device, stream, frame, live)
        if stream.newest != before:
            self.faces, self.latency = len(frame.faces), now - ours
            self.reception.see(stream.newest, self.latency - (waited or 0.0), now)
        return frame, ours

    def _clock_answer(self, stream: Stream, payload: bytes) -> None:
        asked, received, sent = unpack_clock_answer(payload)
        if asked not in self._questions:
            return  # it came twice, or far too late
        self._questions.remove(asked)
        stream.clock.add(Exchange(asked, received, sent, self._hub.clock()))
        self._answered += 1

    def _recorded(self, payload: bytes) -> None:
        assert self.device is not None
        take, number, frame_payload = unpack_recorded(payload)
        stream = self._hub.stream(self.device, number)
        frame, ours = self._frame(stream, frame_payload)
        arrival = Arrival(self.device.id, number, stream.decoder.sequence)
        if not self._hub.recordings.keep(take, arrival, frame, ours, self._hub.clock()):
            self.command("unknown_take", take=take)

    def _note_status(self, status: dict[str, Any]) -> None:
        noted: dict[str, Any] = {
            key: str(status[key])[:_TEXT_LENGTH] for key in ("state", "message") if key in status
        }
        noted.update(_numbers(status, _STATUS_LIMITS))
        if isinstance(status.get("charging"), bool):
            noted["charging"] = status["charging"]
        self.status.update(noted)

    def _note_request(self, request: dict[str, Any]) -> None:
        assert self.device is not None
        wanted = str(request.get("request"))[:_TEXT_LENGTH]
        facts = _numbers(request, _REQUEST_LIMITS)
        self._hub.requests.append({**facts, "request": wanted, "device": self.device.id})

    def _theirs(self, ours: float) -> float:
        return self._stream.clock.to_theirs(ours) if self._stream else ours


def _numbers(data: dict[str, Any], limits: dict[str, int]) -> dict[str, float]:
    """The fields that are numbers from 0 to their limit; a sender may write anything."""
    found = {key: data.get(key) for key in limits}
    return {
        key: value
        for key, value in found.items()
        if isinstance(value, (int, float)) and 0 <= value <= limits[key]
    }
