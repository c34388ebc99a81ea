# SPDX-License-Identifier: GPL-3.0-or-later
"""How well anything could score in two lines of our tables: for docs/results.md.

    python -m training.limits

Exact truth: how well the 52 weights follow from landmarks, by linear regression, over how
exactly the landmarks are known. Blinks: how far people's own landmarks of the two eyes agree,
which blink together in nearly every photograph. What is measured with noise can correlate with
nothing better than the root of its own reliability (Spearman, 1904).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from mfn_addon.face import IDENTITY_COUNT
from training import measures, photos
from training.bank import Surface, load_surface
from training.correspondence import IBUG_FROM_TEACHER
from training.readings import MOST_TURNED, eye_opening, in_face_frame, rank_correlation
from training.results import RESULTS, put, table
from training.synthetic.expressions import ExpressionSampler

NOISES = (0.0, 0.1, 0.3, 1.0, 3.0)  # mm on the head, each coordinate of each landmark by itself
TURN = np.radians((10.0, 7.0, 5.0))  # one deviation of pitch, yaw and roll
HEAD_PX = 120.0 / 0.15
"""Px a metre of a face of 120 px."""
DAMPING = 1e-10


def drawn(surface: Surface, count: int, seed: int) -> tuple[np.ndarray, ...]:
    """(N, P, 2) landmarks in metres, (N, 3, 3) rotations and (N, 52) weights, as studies have."""
    random = np.random.default_rng(seed)
    sampler = ExpressionSampler()
    expression = np.stack([sampler.study(random) for _ in range(count)])
    identity = random.normal(0, 1, (count, IDENTITY_COUNT))
    rotation = turned(random.normal(0, 1, (count, 3)) * TURN)
    seen = surface.project(rotation, np.zeros((count, 2)), np.ones(count), identity, expression)
    return seen, rotation, expression


def turned(angles: np.ndarray) -> np.ndarray:
    """(N, 3) radians about x, then y, then z -> (N, 3, 3)."""
    out = np.eye(3)[None]
    for axis, angle in enumerate(angles.T):
        turn = np.zeros((len(angles), 3, 3))
        a, b = [(1, 2), (2, 0), (0, 1)][axis]
        turn[:, axis, axis] = 1
        turn[:, a, a] = turn[:, b, b] = np.cos(angle)
        turn[:, b, a], turn[:, a, b] = np.sin(angle), -np.sin(angle)
        out = turn @ out
    return out


def from_landmarks(surface: Surface, count: int) -> dict[str, dict[str, float]]:
    """For each noise: the mean correlation of the regressed weights with the true ones."""
    seen, rotation, truth = drawn(surface, count, seed=5)
    learned = slice(0, count * 4 // 5)
    judged = slice(learned.stop, count)
    columns = {}
    for noise in NOISES:
        shaken = seen + np.random.default_rng(6).normal(0, noise * 1e-3, seen.shape)
        known = np.concatenate([shaken.reshape(count, -1), rotation.reshape(count, 9)], 1)
        mean, level = known[learned].mean(0), truth[learned].mean(0)
        a = known[learned] - mean
        normal = a.T @ a + DAMPING * len(a) * np.eye(a.shape[1])
        said = (known[judged] - mean) @ np.linalg.solve(normal, a.T @ (truth[learned] - level))
        rows = [measures.correlation(s, t) for s, t in zip(said.T, truth[judged].T, strict=True)]
        columns[f"{noise:g} mm"] = {
            "px of a face of 120": noise * 1e-3 * HEAD_PX,
            "mean correlation": float(np.nanmean(rows)),
            "shapes above .8": float((np.array(rows) > 0.8).sum()),
        }
    return columns


def of_eyes(data: Path) -> dict[str, dict[str, float]]:
    """How far the openings of the two eyes agree, and what that leaves for a blink."""
    some = photos.load("p1", data)
    yaw = measures.angles(some.rotation)[:, 0]
    rows = some.held_back & np.isfinite(some.landmarks68).all((1, 2)) & (abs(yaw) < MOST_TURNED)
    columns = {}
    for who, points in (
        ("people", some.landmarks68[rows]),
        ("MediaPipe", some.landmarks[rows][:, IBUG_FROM_TEACHER]),
    ):
        right, left = (eye_opening(in_face_frame(points), side) for side in ("Right", "Left"))
        alike = rank_correlation(right, left)
        columns[who] = {
            "right eye's opening against the left's": alike,
            "so at most, a blink against one eye": max(alike, 0.0) ** 0.5,
        }
    return columns


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--count", type=int, default=12000, help="faces drawn")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    parts = [table(from_landmarks(load_surface(), arguments.count))]
    data = photos.data_folder()
    if data is not None:
        parts.append(table(of_eyes(data)))
    text = "\n\n".join(parts)
    print(text)
    put(arguments.output, "limits", text)


if __name__ == "__main__":
    main()
