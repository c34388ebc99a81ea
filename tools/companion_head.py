# SPDX-License-Identifier: GPL-3.0-or-later
"""Cut the phone page's sparse head out of models/head_model.npz, with what its networks need.

    python -m tools.companion_head OUT.bin

The file: `u32` length of the header, the header as JSON (padded with spaces so that what follows
starts at a multiple of 4), then `f32` (P, 3) neutral points and `i16` (92, P, 3) offsets, identity
modes before expressions, little-endian. The first 68 points are the landmarks; the others fill the
face, so that the drawn mesh is even.
"""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import cv2
import numpy as np

from mfn_addon.face import EXPRESSIONS, HeadModel, load_head_model
from mfn_addon.network import FaceNetwork
from mfn_addon.network.amplitude import BELOW_REST
from mfn_addon.phone.pages import NETWORKS

POINTS = 220
LONGEST_EDGE = 0.05  # metres; longer ones bridge the mesh's outline


def choose_points(head: HeadModel) -> np.ndarray:
    """(POINTS,) vertex numbers: the landmarks, then always the face's point that is farthest
    from all chosen ones."""
    skin = np.unique(head.triangles_of("skin"))
    at = head.neutral
    marks = at[head.landmarks]
    low, high = marks.min(0), marks.max(0) + (0, 0.045, 0)  # the forehead has no landmarks
    inside = ((at[skin] > low) & (at[skin] < high + (0, 0, 0.05))).all(1)
    candidates = skin[inside & _faces_forward(head)[skin]]
    chosen = head.landmarks.tolist()
    nearest = np.linalg.norm(at[candidates, None] - marks, axis=2).min(1)
    while len(chosen) < POINTS:
        farthest = int(nearest.argmax())
        chosen.append(int(candidates[farthest]))
        distance = np.linalg.norm(at[candidates] - at[candidates[farthest]], axis=1)
        nearest = np.minimum(nearest, distance)
    return np.array(chosen)


def mesh_edges(points: np.ndarray) -> list[int]:
    """Point numbers in pairs: the Delaunay triangles of the face unrolled onto a cylinder."""
    around = np.arctan2(points[:, 0], points[:, 2] + 0.08) * 0.08
    flat = np.stack([around, points[:, 1]], 1)
    flat = ((flat - flat.min(0)) / np.ptp(flat) * 1000 + 10).astype(np.float32)
    subdivision = cv2.Subdiv2D((0, 0, 1100, 1100))
    subdivision.insert([(float(x), float(y)) for x, y in flat])
    ends = np.asarray(subdivision.getEdgeList()).reshape(-1, 2, 2)
    apart = np.linalg.norm(ends[:, :, None] - flat, axis=3)
    pairs = apart.argmin(2)[(apart.min(2) < 1e-3).all(1)]
    lengths = np.linalg.norm(points[pairs[:, 0]] - points[pairs[:, 1]], axis=1)
    mouth = ((pairs >= 60) & (pairs < 68)).all(1)  # the opening between the lips stays open
    return pairs[(lengths < LONGEST_EDGE) & ~mouth].ravel().tolist()


def amplitude(network: Path, head: HeadModel) -> dict[str, list[float]]:
    """What its file says of rest and gain (`mfn_addon.network.amplitude`), by expression."""
    own = FaceNetwork(network, threads=1, head_model=head).amplitude
    return {
        name: np.round(values.astype(float), 4).tolist()
        for name, values in (("rest", own.rest), ("gain", own.gain))
    }


def write(path: Path, head: HeadModel) -> None:
    """Write the file."""
    chosen = choose_points(head)
    modes = np.concatenate([head.identity[:, chosen], head.expression[:, chosen]])
    unit = float(np.abs(modes).max()) / 32767
    header = {
        "digest": head.digest,
        "expressions": EXPRESSIONS,
        "identityCount": len(head.identity),
        "landmarkCount": len(head.landmarks),
        "pointCount": len(chosen),
        "unit": unit,
        "edges": mesh_edges(head.neutral[chosen]),
        "amplitudes": {f"/{network.name}": amplitude(network, head) for network in NETWORKS},
        "belowRest": BELOW_REST,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-(4 + len(text)) % 4)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(
        struct.pack("<I", len(text))
        + text
        + head.neutral[chosen].astype("<f4").tobytes()
        + np.round(modes / unit).astype("<i2").tobytes()
    )


def _faces_forward(head: HeadModel) -> np.ndarray:
    """(V,) whether a vertex' normal points out of the face rather than into eyes or mouth."""
    triangles = head.triangles_of("skin")
    a, b, c = (head.neutral[triangles[:, n]] for n in range(3))
    normals = np.zeros_like(head.neutral)
    for n in range(3):
        np.add.at(normals, triangles[:, n], np.cross(b - a, c - a))
    return normals[:, 2] > 0.2 * np.linalg.norm(normals, axis=1)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: python -m tools.companion_head OUT.bin")
    write(Path(sys.argv[1]), load_head_model())
