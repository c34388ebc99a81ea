# SPDX-License-Identifier: GPL-3.0-or-later
"""The measures by which faces are judged. Plain numpy; each says where its definition is from."""

from __future__ import annotations

import numpy as np


def overlap(boxes: np.ndarray, others: np.ndarray) -> np.ndarray:
    """(N, M) intersection over union of (N, 4) and (M, 4) boxes."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:])
    inter = np.clip(high - low, 0, None).prod(2)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    other_area = (others[:, 2:] - others[:, :2]).prod(1)
    return inter / np.maximum(area[:, None] + other_area[None] - inter, 1e-9)


def detections(pictures: list[dict], threshold: float) -> tuple[np.ndarray, np.ndarray, int]:
    """Scores of all detections, which of them are faces, and how many faces there are.

    Each picture has `boxes` (N, 4), `scores` (N,), `truth` (K, 4) and `ignore` (K,): detections
    that match an ignored face, or lie mostly on one, count neither way.
    """
    rows, wanted = [], 0
    for picture in pictures:
        truth, ignore = picture["truth"], picture["ignore"]
        wanted += int((~ignore).sum())
        taken = np.zeros(len(truth), bool)
        ious = overlap(picture["boxes"], truth)
        for i in np.argsort(-picture["scores"]):
            best = -1
            for k in np.argsort(-ious[i]):
                if ious[i, k] < threshold:
                    break
                if not ignore[k] and not taken[k]:
                    best = k
                    break
            if best >= 0:
                taken[best] = True
                rows.append((picture["scores"][i], 1))
            elif not on_ignored(picture["boxes"][i], truth[ignore]):
                rows.append((picture["scores"][i], 0))
    rows.sort(key=lambda row: -row[0])
    return np.array([row[0] for row in rows]), np.array([row[1] for row in rows]), wanted


def score_for_precision(pictures: list[dict], threshold: float, precision: float) -> float:
    """The lowest score that keeps at least this precision (1 if none does)."""
    scores, hits, _ = detections(pictures, threshold)
    kept = np.cumsum(hits) / np.arange(1, len(hits) + 1) >= precision
    return float(scores[np.flatnonzero(kept)[-1]]) if kept.any() else 1.0


def average_precision(pictures: list[dict], threshold: float) -> float:
    """Area under the precision-recall curve, interpolated over all points (PASCAL VOC 2010).

    For `pictures` see `detections`.
    """
    _, hits, wanted = detections(pictures, threshold)
    if not len(hits) or not wanted:
        return 0.0
    recall = np.cumsum(hits) / wanted
    precision = np.cumsum(hits) / np.arange(1, len(hits) + 1)
    precision = np.maximum.accumulate(precision[::-1])[::-1]
    return float(np.sum(np.diff(np.concatenate([[0], recall])) * precision))


def on_ignored(box: np.ndarray, ignored: np.ndarray) -> bool:
    """Whether a detection is an ignored face, or mostly covers or lies on one."""
    if not len(ignored):
        return False
    low = np.maximum(box[:2], ignored[:, :2])
    high = np.minimum(box[2:], ignored[:, 2:])
    inter = np.clip(high - low, 0, None).prod(1)
    smaller = np.minimum((box[2:] - box[:2]).prod(), (ignored[:, 2:] - ignored[:, :2]).prod(1))
    return bool((inter > 0.4 * np.maximum(smaller, 1e-9)).any())


def correlation(a: np.ndarray, b: np.ndarray) -> float:
    """Pearson's r; NaN where either is constant or too few are finite."""
    ok = np.isfinite(a) & np.isfinite(b)
    if ok.sum() < 8 or a[ok].std() < 1e-4 or b[ok].std() < 1e-4:
        return float("nan")
    return float(np.corrcoef(a[ok], b[ok])[0, 1])


def angles(rotation: np.ndarray) -> np.ndarray:
    """(N, 3, 3) -> (N, 3) yaw, pitch, roll in degrees, rotation = Ry(yaw) Rx(pitch) Rz(roll)."""
    yaw = np.arctan2(rotation[:, 0, 2], rotation[:, 2, 2])
    pitch = np.arcsin(np.clip(-rotation[:, 1, 2], -1, 1))
    roll = np.arctan2(rotation[:, 1, 0], rotation[:, 1, 1])
    return np.degrees(np.stack([yaw, pitch, roll], 1))


def relative_to_sight(
    rotation: np.ndarray, translation: np.ndarray, share: float = 1.0
) -> np.ndarray:
    """How heads are turned relative to the line of sight: what a picture shows of a rotation
    whatever focal length was assumed. The rotation of the camera's axis onto the line is the
    shortest one, as in `mfn_addon.face.camera.sight_rotation`.

    Args:
        rotation: (..., 3, 3) and translation: (..., 3) in the camera frame.
        share: of that rotation to take away, for what is given in a frame between the two.
    """
    ray = translation / np.linalg.norm(translation, axis=-1, keepdims=True)
    zero = np.zeros_like(ray[..., 0])
    a, b = ray[..., 1], -ray[..., 0]  # the axis, times the sine
    cross = np.stack([zero, zero, b, zero, zero, -a, -b, a, zero], -1).reshape(*zero.shape, 3, 3)
    sine = np.hypot(a, b)
    angle = np.arctan2(sine, -ray[..., 2]) * share
    cross = cross / np.maximum(sine, 1e-12)[..., None, None]
    sight = (
        np.eye(3)
        + np.sin(angle)[..., None, None] * cross
        + (1 - np.cos(angle))[..., None, None] * cross @ cross
    )
    return np.swapaxes(sight, -1, -2) @ rotation


def landmark_error(points: np.ndarray, truth: np.ndarray) -> tuple[float, float]:
    """Mean error of the 51 inner points over the distance of the outer eye corners.

    Args:
        points, truth: (N, 68, 2), iBUG order, NaN rows left out.

    Returns:
        The error as it is, and with each point's constant offset (in the face's own turned and
        scaled frame) removed: definitions of landmarks differ.
    """
    ok = np.isfinite(points).all((1, 2)) & np.isfinite(truth).all((1, 2))
    points, truth = points[ok, 17:], truth[ok, 17:]
    eyes = truth[:, 45 - 17] - truth[:, 36 - 17]
    span = np.linalg.norm(eyes, axis=1)
    x = eyes / span[:, None]
    frame = np.stack([x, np.stack([-x[:, 1], x[:, 0]], 1)], 2)
    off = np.einsum("npi,nij->npj", points - truth, frame) / span[:, None, None]
    plain = float(np.linalg.norm(off, axis=2).mean())
    return plain, float(np.linalg.norm(off - off.mean(0), axis=2).mean())


def area_under_curve(positive: np.ndarray, negative: np.ndarray) -> float:
    """How often a positive scores above a negative (Mann-Whitney)."""
    if not len(positive) or not len(negative):
        return float("nan")
    both = np.concatenate([positive, negative])
    rank = np.empty(len(both))
    rank[np.argsort(both, kind="stable")] = np.arange(1, len(both) + 1)
    first = rank[: len(positive)].sum() - len(positive) * (len(positive) + 1) / 2
    return float(first / (len(positive) * len(negative)))
