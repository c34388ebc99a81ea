# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is who: faces of successive pictures become actors with ids that stay.

Each frame: boxes that are one face are merged; the faces in view are assigned to the tracks by
predicted place, size, head pose and identity weights; faces that are left are recognised as
actors who were away, or else taken for who was last seen there; what is still left may become a
new actor.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from ..face import Face, FaceFrame
from ..face.boxes import contained, overlap
from .assignment import assign
from .options import TrackerOptions
from .rotation import angle_between
from .smoothing import FaceFilter, IdentityAverage, box_size

_IMPOSSIBLE = 1e6
_WORST_MATCH = 3.0
"""Place at the edge of reach costs 1, and from one frame to the next a foreign identity at most
1.5; beyond this sum, two faces are not one."""
_IDENTITY_CEILING = 6.0
"""Deviations count at most this much: one bad reading must not cost an actor its id."""
_PRIOR_SAMPLES = 2
"""So many faces' worth of trust lie in the noise that is assumed before any is measured."""
_COAST = 0.3
"""Seconds for which a hidden face is taken to go on as it went."""


class _Track:
    """One actor, or a face that may become one."""

    def __init__(self, face: Face, time: float, options: TrackerOptions) -> None:
        self.id: int | None = None
        self.time = self.sure_time = time
        self.frames = 1
        self.face = face
        self.centre, self.size = _centre(face.box), box_size(face.box)
        self.velocity = np.zeros(2)
        self.identity = IdentityAverage(span=20.0)
        self.identity(face.identity, 0.0)
        self.filter = FaceFilter(options.smoothing) if options.smoothing else None

    def predicted_centre(self, time: float) -> np.ndarray:
        return self.centre + self.velocity * min(max(time - self.time, 0.0), _COAST)

    def follow(self, face: Face, time: float, sure: bool, alone: bool) -> None:
        """Take a matched face; `alone`: no other face overlaps it, so its identity is clean."""
        dt = max(time - self.time, 1e-3)
        centre = _centre(face.box)
        if dt > _COAST:
            self.velocity = np.zeros(2)
        else:
            share = 1 - np.exp(-dt / 0.08)  # averages detector noise over about 0.1 s
            self.velocity += share * ((centre - self.centre) / dt - self.velocity)
        if sure:
            self.sure_time = time
        if sure and alone:
            self.identity(face.identity, dt)
        self.centre, self.size = centre, box_size(face.box)
        self.face, self.time = face, time
        self.frames += 1


_Cost = Callable[[_Track, Face, float], float]
"""Of a face being a track's next, at a time; from _IMPOSSIBLE on it is not."""


class Tracker:
    """Gives the faces of one source constant ids and smooths them.

    Feed it the source's frames in the order of their times, each once.
    """

    def __init__(self, options: TrackerOptions | None = None) -> None:
        self.options = options or TrackerOptions()
        self._tracks: list[_Track] = []
        self._next_id = self.options.first_id
        self._time: float | None = None
        self._before: float | None = None
        self._identity_noise = 0.25
        self._noise_samples = 0

    @property
    def next_id(self) -> int:
        """The id that the next new actor will get."""
        return self._next_id

    def update(self, frame: FaceFrame) -> FaceFrame:
        """The frame with ids and smoothed faces, by id.

        A face that is not yet sure to be one is left out. Times that go back (footage that
        starts over) restart the smoothing; the actors keep their ids.
        """
        time, first = frame.time, self._time is None
        if self._time is not None and time < self._time:
            self._start_over(time)
        self._before, self._time = self._time, time
        faces = _without_duplicates(frame.faces, self.options.duplicate_overlap)
        overlapped = _overlapped(faces, self.options.new_score)
        matched: dict[int, _Track] = {}
        self._match(faces, matched, time, self._cost_in_view)
        self._match(faces, matched, time, self._cost_returning)
        self._match(faces, matched, time, self._cost_by_place)
        for number, track in matched.items():
            if not overlapped[number] and track.frames >= 3:
                self._learn_noise(track, faces[number])
        steps: dict[int, float] = {}
        for number, track in matched.items():
            steps[number] = max(time - track.time, 0.0)
            sure = faces[number].score >= self.options.new_score
            track.follow(faces[number], time, sure, alone=not overlapped[number])
        for number, face in enumerate(faces):
            new = number not in matched and face.score >= self.options.new_score
            if new and not self._shadows(face, faces, matched):
                matched[number] = _Track(face, time, self.options)
                self._tracks.append(matched[number])
        # Actors who come together are numbered from the picture's left to its right.
        from_left = sorted(matched, key=lambda number: _centre(faces[number].box)[0])
        out = [
            self._named(matched[number], faces[number], steps.get(number, 0.0))
            for number in from_left
            if self._is_actor(matched[number], first)
        ]
        self._forget(time)
        return FaceFrame(
            frame.time, frame.source, frame.frame, frame.width, frame.height,
            sorted(out, key=lambda face: face.id),
        )  # fmt: skip

    def _match(
        self, faces: list[Face], matched: dict[int, _Track], time: float, cost: _Cost
    ) -> None:
        """Assign the faces that are still unmatched to the tracks that are still free."""
        free_faces = [n for n in range(len(faces)) if n not in matched]
        taken = set(map(id, matched.values()))
        free_tracks = [track for track in self._tracks if id(track) not in taken]
        if not free_faces or not free_tracks:
            return
        costs = np.array(
            [[cost(track, faces[n], time) for n in free_faces] for track in free_tracks]
        )
        for row, column in assign(costs):
            matched[free_faces[column]] = free_tracks[row]

    def _cost_in_view(self, track: _Track, face: Face, time: float) -> float:
        """Of a face being the track's next, by place above all; the longer it was hidden, the
        more its identity counts."""
        cost = self._cost_by_place(track, face, time)
        if cost < _WORST_MATCH:
            foreign = min(self._deviation(track, face), _IDENTITY_CEILING) - 1.0
            cost += self.options.identity_weight * (1.0 + 3.0 * (time - track.time)) * foreign
        return cost if cost < _WORST_MATCH else _IMPOSSIBLE

    def _cost_by_place(self, track: _Track, face: Face, time: float) -> float:
        """The same without identity: a face that nobody else claims, where a track is awaited,
        is that actor, however odd it looks (half hidden, say)."""
        gap = time - track.time
        sure = face.score >= self.options.new_score
        if not (self._is_awaited(track, gap) and (sure or self._may_be_unsure(track, time))):
            return _IMPOSSIBLE
        seconds = min(gap, self.options.occlusion)
        reach = self.options.reach + self.options.reach_per_second * seconds
        size = box_size(face.box)
        distance = math.dist(_centre(face.box), track.predicted_centre(time))
        place = distance / (reach * math.sqrt(size * track.size))
        if place > 1.0:
            return _IMPOSSIBLE
        growth = math.log(size / track.size) / (0.35 + 0.5 * gap)
        turn = angle_between(face.rotation, track.face.rotation) / (0.6 + 2.0 * gap)
        cost = place**2 + 0.5 * growth**2 + 0.1 * min(turn, 3.0) ** 2
        return cost if cost < _WORST_MATCH else _IMPOSSIBLE

    def _cost_returning(self, track: _Track, face: Face, time: float) -> float:
        """Of a face being an actor who was away (or whom a cut has moved), by identity."""
        if track.id is None or face.score < self.options.new_score:
            return _IMPOSSIBLE
        deviation = self._deviation(track, face)
        if deviation > self.options.recognise:
            return _IMPOSSIBLE
        gap = max(time - track.time, 0.0)
        distance = math.dist(_centre(face.box), track.centre) / track.size
        return float(deviation + 0.3 * min(distance / (2.0 + gap), 2.0))

    def _is_awaited(self, track: _Track, gap: float) -> bool:
        """Whether the track was in view not long before; who was in the last picture was hidden
        for no time at all, however long no picture came (a slow phone, a network that stalls)."""
        seen_last = self._before is not None and track.time >= self._before
        return gap <= (self.options.pause if seen_last else self.options.occlusion)

    def _may_be_unsure(self, track: _Track, time: float) -> bool:
        return track.id is not None and time - track.sure_time <= self.options.unsure

    def _deviation(self, track: _Track, face: Face) -> float:
        """Mean square difference from the track's identity; 1 is the usual noise."""
        return float(np.mean((face.identity - track.identity.mean) ** 2)) / self._identity_noise

    def _learn_noise(self, track: _Track, face: Face) -> None:
        """How much the identity weights of one face vary differs between networks: measure."""
        seen = float(np.mean((face.identity - track.identity.mean) ** 2))
        seen = min(seen, 4 * self._identity_noise)
        # The mean of all at first, so that a second's faces suffice; of the last fifty later.
        self._noise_samples += 1
        share = max(1.0 / (_PRIOR_SAMPLES + self._noise_samples), 0.02)
        noise = self._identity_noise + share * (seen - self._identity_noise)
        self._identity_noise = float(np.clip(noise, 0.001, 2.0))

    def _shadows(self, face: Face, faces: list[Face], matched: dict[int, _Track]) -> bool:
        """Whether an unknown face is but a second box around a known one."""
        return any(
            overlap(face.box, faces[number].box) > 0.5 * self.options.duplicate_overlap
            or contained(face.box, faces[number].box) > 0.7
            for number in matched
        )

    def _is_actor(self, track: _Track, first: bool) -> bool:
        if track.id is None:
            sure = first or track.face.score >= self.options.sure_score
            if not sure and track.frames < self.options.confirm_frames:
                return False
            track.id = self._next_id
            self._next_id += 1
        return True

    def _named(self, track: _Track, face: Face, dt: float) -> Face:
        smooth = track.filter(face, dt) if track.filter else face
        return smooth.with_(id=track.id)

    def _forget(self, time: float) -> None:
        def keep(track: _Track) -> bool:
            away = time - track.time
            return away <= (0.25 if track.id is None else self.options.remember)

        self._tracks = [track for track in self._tracks if keep(track)]

    def _start_over(self, time: float) -> None:
        for track in self._tracks:
            track.time = track.sure_time = time - self.options.occlusion / 2
            track.velocity = np.zeros(2)
            if track.filter:
                track.filter.reset()


def _centre(box: np.ndarray) -> np.ndarray:
    return np.array([box[0] + box[2], box[1] + box[3]], np.float64) / 2


def _without_duplicates(faces: list[Face], limit: float) -> list[Face]:
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(overlap(face.box, other.box) < limit for other in kept):
            kept.append(face)
    return kept


def _overlapped(faces: list[Face], sure: float) -> list[bool]:
    """Which faces another one covers in part, so that their identity may be mixed with its."""
    others = [face for face in faces if face.score >= sure]
    return [
        any(overlap(face.box, other.box) > 0.05 for other in others if other is not face)
        for face in faces
    ]
