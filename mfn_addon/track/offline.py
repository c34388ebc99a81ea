# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline pass: a whole performance smoothed forward and backward at once.

A live filter knows only the past, so it lags or shakes. With the whole take at hand, each value
becomes a mean of its neighbours in time, weighed by how near they are in time *and* in value
(a bilateral filter, Tomasi and Manduchi, ICCV 1998): what differs by noise is averaged, what
differs by more, as a lid that falls, is left as it is. Nothing is delayed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..face import EXPRESSIONS, LANDMARK_COUNT, Face, FaceFrame
from .rotation import quaternion_from_matrix, quaternion_to_matrix
from .smoothing import RESTART_AFTER

_LEAST_NOISE = 1e-6
_ROBUST = 1.4826 / 6**0.5
"""Median absolute second difference to standard deviation, for white Gaussian noise."""


@dataclass(frozen=True)
class OfflineOptions:
    """How strongly a performance is smoothed.

    Attributes:
        span: seconds, standard deviation of the weight over time.
        reach: in standard deviations of the noise: neighbours that differ by more hardly count.
            The noise is taken from the quiet frames; where a face moves it is several times
            as large, so 3 left most of it in (clips of four people).
    """

    span: float = 0.08
    reach: float = 9.0


def smooth_performance(
    frames: Sequence[FaceFrame], options: OfflineOptions = OfflineOptions()
) -> list[FaceFrame]:
    """The frames of one source, each actor's faces smoothed over the whole of it.

    Args:
        frames: in the order of their times, with ids, not smoothed yet.

    Returns:
        New frames. An actor's identity is one, the mean over all its faces by score and size.
        An absence of more than RESTART_AFTER seconds parts an actor's faces: what lies before
        says nothing about what comes after.
    """
    places: dict[int, list[tuple[int, int]]] = {}
    for i, frame in enumerate(frames):
        for k, face in enumerate(frame.faces):
            places.setdefault(face.id, []).append((i, k))
    smoothed = [list(frame.faces) for frame in frames]
    for where in places.values():
        times = np.array([frames[i].time for i, _ in where])
        faces = [frames[i].faces[k] for i, k in where]
        identity = _mean_identity(faces)
        cuts = np.flatnonzero(np.diff(times) > RESTART_AFTER) + 1
        for part in np.split(np.arange(len(faces)), cuts):
            new = _smooth_part(times[part], [faces[n] for n in part], identity, options)
            for n, face in zip(part, new, strict=True):
                i, k = where[n]
                smoothed[i][k] = face
    return [replace(frame, faces=faces) for frame, faces in zip(frames, smoothed, strict=True)]


def _mean_identity(faces: list[Face]) -> np.ndarray:
    """(40,) float32: the larger and surer a face, the more it counts."""
    weight = [face.score * float((face.box[2:] - face.box[:2]).prod()) for face in faces]
    mean = np.average([face.identity for face in faces], axis=0, weights=np.maximum(weight, 1e-9))
    return mean.astype(np.float32)


def _smooth_part(
    times: np.ndarray, faces: list[Face], identity: np.ndarray, options: OfflineOptions
) -> list[Face]:
    values = np.array(
        [np.concatenate([f.box, f.translation, f.expression, f.landmarks.ravel()]) for f in faces],
        np.float64,
    )
    values = bilateral(times, values, options)
    rotations = smooth_rotations(times, np.array([f.rotation for f in faces]), options)
    ends = np.cumsum([4, 3, len(EXPRESSIONS), 2 * LANDMARK_COUNT])
    return [
        face.with_(
            box=row[: ends[0]],
            translation=row[ends[0] : ends[1]],
            expression=row[ends[1] : ends[2]].clip(0, 1),
            landmarks=row[ends[2] :].reshape(-1, 2),
            rotation=rotation,
            identity=identity,
        )
        for face, row, rotation in zip(faces, values, rotations, strict=True)
    ]


def noise_of(values: np.ndarray) -> np.ndarray:
    """(N, D) -> (D,) standard deviation of what is neither motion nor hold.

    From second differences: a steady motion has none, and their median ignores the few frames
    in which something starts or stops.
    """
    if len(values) < 3:
        return np.zeros(values.shape[1])
    second = np.abs(values[2:] - 2 * values[1:-1] + values[:-2])
    return _ROBUST * np.median(second, axis=0)


def bilateral(times: np.ndarray, values: np.ndarray, options: OfflineOptions) -> np.ndarray:
    """(N,) seconds, (N, D) values -> (N, D), each column smoothed by itself."""
    reach = np.maximum(options.reach * noise_of(values), _LEAST_NOISE)
    total, weights = values.copy(), np.ones_like(values)
    for shift, near in _neighbours(times, options.span):
        one, other = values[:-shift], values[shift:]
        weight = near[:, None] * np.exp(-(((other - one) / reach) ** 2) / 2)
        total[:-shift] += weight * other
        total[shift:] += weight * one
        weights[:-shift] += weight
        weights[shift:] += weight
    return total / weights


def smooth_rotations(
    times: np.ndarray, rotations: np.ndarray, options: OfflineOptions
) -> np.ndarray:
    """(N, 3, 3) rotations smoothed as `bilateral` does, by the angle between them."""
    turned = np.array([quaternion_from_matrix(rotation) for rotation in rotations])
    for i in range(1, len(turned)):  # q and -q are one rotation: choose the nearer
        if turned[i] @ turned[i - 1] < 0:
            turned[i] = -turned[i]
    # Between unit quaternions near each other, the angle is twice the distance.
    reach = max(options.reach * float(np.linalg.norm(noise_of(turned))), _LEAST_NOISE)
    total = turned.copy()
    for shift, near in _neighbours(times, options.span):
        apart = np.linalg.norm(turned[shift:] - turned[:-shift], axis=1)
        weight = (near * np.exp(-((apart / reach) ** 2) / 2))[:, None]
        total[:-shift] += weight * turned[shift:]
        total[shift:] += weight * turned[:-shift]
    total /= np.linalg.norm(total, axis=1, keepdims=True)
    return np.array([quaternion_to_matrix(quaternion) for quaternion in total])


def _neighbours(times: np.ndarray, span: float) -> list[tuple[int, np.ndarray]]:
    """For each distance in frames, the weights in time of the pairs that lie so far apart."""
    pairs = []
    for shift in range(1, len(times)):
        apart = times[shift:] - times[:-shift]
        if apart.min() > 3 * span:
            break
        pairs.append((shift, np.exp(-((apart / span) ** 2) / 2)))
    return pairs
