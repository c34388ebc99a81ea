# SPDX-License-Identifier: GPL-3.0-or-later
"""Two phones see the same claps: where these land in the take. Simulated: no time passes, but the
hub, the links, the clocks and the take are the real ones."""

from __future__ import annotations

import heapq
from collections.abc import Callable
from itertools import count

import numpy as np
import pytest

from mfn_addon.capture.protocol import (
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    pack_hello,
    unpack_json,
)
from mfn_addon.phone.devices import Devices
from mfn_addon.phone.hub import Hub
from mfn_addon.phone.link import LONGEST, PhoneLink
from mfn_addon.phone.messages import pack_clock_answer, pack_recorded, unpack_clock
from mfn_addon.take import Take
from tests.phone.conftest import frame_at

START = 1.75e9
"""Seconds: about the Unix time of today."""
CLAPS = (4.0, 18.0, 45.0)
AWAY = (14.0, 24.0)
"""When the second phone's network is gone; what was sent meanwhile arrives after it, in order."""
END = 50.0
JITTER = 0.080
RATE = 30.0


class World:
    """Simulated time, in which things happen in order."""

    def __init__(self) -> None:
        self.now = START
        self._plans: list[tuple[float, int, Callable[[], None]]] = []
        self._order = count()

    def at(self, time: float, action: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (time, next(self._order), action))

    def run(self) -> None:
        while self._plans:
            self.now, _, action = heapq.heappop(self._plans)
            action()


class Way:
    """One direction of a connection: each message takes 2 to 82 ms, and may overtake others or
    has to wait for them, as TCP has it."""

    def __init__(self, world: World, random: np.random.Generator, ordered: bool, away) -> None:
        self._world, self._random, self._ordered, self._away = world, random, ordered, away
        self._last = START

    def carry(self, receive: Callable[[bytes], None], data: bytes) -> None:
        arrival = self._world.now + 0.002 + self._random.uniform(0, JITTER)
        if self._away and START + self._away[0] <= arrival <= START + self._away[1]:
            arrival = START + self._away[1]
        if self._ordered:
            arrival = self._last = max(self._last, arrival)
        self._world.at(arrival, lambda: receive(data))


class Phone:
    """Films at 30 a second, at every clap as well, and answers as docs/protocol.md says."""

    def __init__(
        self, world: World, hub: Hub, seed: int, drift: float, ordered: bool, away=None
    ) -> None:
        random = np.random.default_rng(seed)
        device, key = hub.devices.add(f"Phone {seed}")
        self.name = device.name
        self._world, self._drift, self._offset = world, drift, random.uniform(-1000, 1000)
        self._there, self._back = (Way(world, random, ordered, away) for _ in range(2))
        self._take: int | None = None
        self._recorded_from = 0.0
        self._encoder = FrameEncoder(landmarks=False, compact=True)
        self.link = PhoneLink(hub, "simulated", self._server_speaks)
        self._send(pack_hello(Hello(key, "Phone", stream=seed)))
        filmed = np.arange(0.1 + random.uniform(0, 1 / RATE), END, 1 / RATE)  # after the hello
        for time in filmed:
            world.at(START + time, lambda: self._film(0))
        for number, time in enumerate(CLAPS, 1):
            world.at(START + time, lambda number=number: self._film(number))

    def clock(self) -> float:
        return self._world.now + self._offset + self._drift * (self._world.now - START)

    def _film(self, number: int) -> None:
        message = self._encoder.encode(frame_at(self.clock(), number), waited=0.0)
        if self._take is not None and self.clock() >= self._recorded_from:
            message = pack_recorded(self._take, self.link._stream_number, message[5:])
        self._send(message)

    def _send(self, data: bytes) -> None:
        self._there.carry(self.link.receive, data)

    def _server_speaks(self) -> None:
        if data := self.link.take_outgoing():
            self._back.carry(self._hear, data)

    def _hear(self, data: bytes) -> None:
        for kind, payload in MessageReader(LONGEST).feed(data):
            if kind == Kind.CLOCK:
                asked, now = unpack_clock(payload), self.clock()
                self._send(pack_clock_answer(asked, now, self.clock()))
            elif kind == Kind.CONTROL:
                told = unpack_json(payload)
                self._take, self._recorded_from = told["take"], told["start"]


def gaps_between_claps(path, seed: int, ordered: bool) -> list[float]:
    """Seconds between the two phones' frames of a clap in a recorded take."""
    world = World()
    hub = Hub(Devices(), clock=lambda: world.now)
    recording = hub.start_recording(path)
    phones = [
        Phone(world, hub, seed, 50e-6, ordered),
        Phone(world, hub, seed + 1, -50e-6, ordered, AWAY),
    ]
    for tick in np.arange(0, END + 1, 0.05):
        world.at(START + tick, hub.tick)
    world.run()
    hub.recordings.close()
    with Take(path) as take:
        landed = {(frame.source, frame.frame): frame.time for frame in take.frames()}
    claps = [[landed[phone.name, number] for phone in phones] for number in range(1, 4)]
    for (first, _), clap in zip(claps, CLAPS, strict=True):
        assert first == pytest.approx(START + clap - recording.epoch, abs=0.015)
    return [abs(first - second) for first, second in claps]


@pytest.mark.parametrize("ordered", [False, True])
def test_claps_of_two_phones_are_together_in_the_take(tmp_path, ordered):
    """Jitter 0–80 ms, drifts of 50 ppm both ways, and one network that is gone for ten seconds."""
    gaps = []
    for seed in range(0, 8, 2):
        gaps += gaps_between_claps(tmp_path / f"{seed}.mfntake", seed, ordered)
    assert max(gaps) < 0.005
