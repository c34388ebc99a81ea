# SPDX-License-Identifier: GPL-3.0-or-later
"""What all connected senders share: who may connect, the frames that arrive, and the takes.

Belongs to the server's thread, but for `frames` and `requests`, which others take from.
"""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..capture.protocol import FrameDecoder
from ..face import NO_ID, FaceFrame
from ..take import TakeError
from .clock import ClockEstimate
from .devices import Device, Devices
from .pairing import Pairing
from .recordings import Recording, Recordings

if TYPE_CHECKING:
    from .link import PhoneLink

MOST_SENDERS = 64
_ACTORS = 1000
"""Actors are numbered by their phone's slot: phone 2's first face is actor 2001."""
_STREAMS = 8
"""Runs of one sender whose clocks are remembered."""
_COUNT_IN = 10.0
"""Seconds, the longest."""
_TO_POLL = 4000
"""Frames that may wait for a poll; of more the newest are kept."""


@dataclass
class Stream:
    """One run of a sender: its clock, its decoder, and the newest frame's sequence number."""

    decoder: FrameDecoder
    clock: ClockEstimate = field(default_factory=ClockEstimate)
    newest: int = -1


class OurClock:
    """Seconds that run steadily and start at the Unix time."""

    def __init__(self) -> None:
        self._base = time.time() - time.monotonic()

    def __call__(self) -> float:
        """Now."""
        return self._base + time.monotonic()


class Hub:
    """The senders and what comes from them.

    Attributes:
        links: device id -> its connection, the newest where there are two.
        frames: what has come for the eye, for `popleft`; times in seconds since `started`.
        requests: what senders have asked for, for `popleft`: REQUESTs with their `device`.
    """

    def __init__(self, devices: Devices, ledger: Path | None = None, clock: Any = None) -> None:
        self.devices = devices
        self.pairing = Pairing(devices)
        self.clock = clock or OurClock()
        self.started: float = self.clock()
        self.recordings = Recordings(ledger)
        self.links: dict[str, PhoneLink] = {}
        self.frames: deque[FaceFrame] = deque(maxlen=_TO_POLL)
        self.requests: deque[dict[str, Any]] = deque(maxlen=100)
        self._streams: dict[str, dict[int, Stream]] = {}

    def join(self, link: PhoneLink, device: Device) -> None:
        """A sender was welcomed; its earlier connection, if any, is cut."""
        earlier = self.links.get(device.id)
        if earlier is not None:
            earlier.end()
        self.links[device.id] = link

    def leave(self, link: PhoneLink) -> None:
        """A connection has ended."""
        if link.device is not None and self.links.get(link.device.id) is link:
            del self.links[link.device.id]
            self._show_nobody(link.device)

    def stream(self, device: Device, number: int) -> Stream:
        """A sender's run, known or new. A new one's name is the device's, so that a take has one
        source for each phone."""
        streams = self._streams.setdefault(device.id, {})
        if number not in streams:
            while len(streams) >= _STREAMS:
                del streams[next(iter(streams))]
            streams[number] = Stream(FrameDecoder(device.name))
        return streams[number]

    def show(self, device: Device, stream: Stream, frame: FaceFrame, live: bool) -> float:
        """Make a decoded frame ours, and show it if it is the newest of a run that is live.

        Returns:
            When it was captured, by our clock.
        """
        for face in frame.faces:
            face.id = actor_of(device.slot, face.id)
        frame.source = device.name
        ours = self._clock_of(device, stream).to_ours(frame.time)
        if live and stream.decoder.sequence > stream.newest:
            stream.newest = stream.decoder.sequence
            shown = FaceFrame(
                ours - self.started, frame.source, frame.frame, frame.width, frame.height,
                list(frame.faces),
            )  # fmt: skip
            self.frames.append(shown)
        return ours

    def start_recording(self, path: Path, count_in: float = 0.0, resume: bool = False) -> Recording:
        """Begin a take for all senders, after a count-in. Raises TakeError."""
        if self.recordings.current is not None:
            raise TakeError(f"{self.recordings.current.path}: is being recorded already")
        if resume:
            recording = self.recordings.resume(path)
        else:
            at = self.clock() + min(max(count_in, 0.0), _COUNT_IN)
            recording = self.recordings.start(path, at, "Phones")
        for link in self.links.values():
            link.tell_record(recording)
        return recording

    def finish_recording(self) -> Path | None:
        """End the take under way; late frames still get in. None where there was none."""
        finished = self.recordings.finish(self.clock())
        if finished is None:
            return None
        for link in self.links.values():
            link.tell_finish(finished)
        return finished.path

    def tick(self) -> None:
        """To be called some ten times a second: acknowledge, ask for the time, tidy up."""
        for (device, take, stream), sequences in self.recordings.saved().items():
            link = self.links.get(device)
            if link is not None:
                link.tell_saved(take, stream, sequences)
        for link in list(self.links.values()):
            link.tick()
        self.recordings.close_quiet(self.clock())
        self.pairing.renew_if_old()

    def rename(self, device_id: str, name: str) -> None:
        """Call a device otherwise: its frames come from a source of the new name from now on."""
        for device in self.devices.all():
            if device.id == device_id:
                self._show_nobody(device)
                self.devices.rename(device_id, name)

    def forget(self, device_id: str) -> None:
        """Revoke a device's key, and cut its connection."""
        self.devices.forget(device_id)
        self._streams.pop(device_id, None)
        link = self.links.get(device_id)
        if link is not None:
            link.refuse("token", "This device was forgotten: pair it again")

    def to_ours(self, device: Device, stream: int, time: float) -> float:
        """A time of one run of a sender, in our clock."""
        return self._clock_of(device, self.stream(device, stream)).to_ours(time)

    def _clock_of(self, device: Device, stream: Stream) -> ClockEstimate:
        """A run's clock; of one that was never measured, the same device's newest that was."""
        if stream.clock.known:
            return stream.clock
        streams = reversed(self._streams[device.id].values())
        return next((each.clock for each in streams if each.clock.known), ClockEstimate())

    def _show_nobody(self, device: Device) -> None:
        """Whom a device has seen is in view no more."""
        self.frames.append(FaceFrame(self.clock() - self.started, device.name, 0, 1, 1, []))


def actor_of(slot: int, face_id: int) -> int:
    """The actor of a phone's face. Phones number their faces from 1, each for itself."""
    if face_id == NO_ID:
        return NO_ID
    return slot * _ACTORS + (face_id - 1) % (_ACTORS - 1) + 1


def slot_of(actor: int) -> int:
    """The slot of the phone that sees an actor."""
    return actor // _ACTORS
