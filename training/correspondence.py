# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the teacher's 478 landmarks and iBUG's 68 lie on the head model.

    python -m training.correspondence --canonical CANONICAL.npz [--picture OUT.png]

The teacher (MediaPipe's face landmarker) marks 468 points of a canonical face, then five points
of each iris. Its canonical face is treated as one more person: pose, scale and identity weights
of the head model are fitted to it by iterated closest points, and each canonical vertex is then
dropped onto the fitted skin. The result, `training/data/teacher_points.npz`, names MakeHuman base
vertices, so that it outlives a rebuild of the head model.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

TEACHER_POINTS = Path(__file__).parent / "data" / "teacher_points.npz"

IRIS_RIGHT, IRIS_LEFT = 468, 473  # the iris centres among the 478

# iBUG point -> teacher point. Contour points follow the teacher's face oval, the inner points
# its brow, nose, eye and lip rings.
IBUG_FROM_TEACHER = np.array([
    127, 234, 93, 58, 172, 136, 149, 148, 152, 377, 378, 365, 397, 288, 323, 454, 356,  # jaw
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,  # brows
    168, 197, 5, 4, 75, 97, 2, 326, 305,  # nose
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,  # eyes
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181,  # outer lips
    78, 82, 13, 312, 308, 317, 14, 87,  # inner lips
])  # fmt: skip

# Lips and lids touch their counterparts, so the nearest skin may be the wrong one's. Which skin
# each ring may lie on is read off how far an expression pulls it down (metres).
UPPER_LIP = [
    191,
    80,
    81,
    82,
    13,
    312,
    311,
    310,
    415,
    185,
    40,
    39,
    37,
    0,
    267,
    269,
    270,
    409,
    183,
    42,
    41,
    38,
    12,
    268,
    271,
    272,
    407,
    184,
    74,
    73,
    72,
    11,
    302,
    303,
    304,
    408,
]
LOWER_LIP = [
    95,
    88,
    178,
    87,
    14,
    317,
    402,
    318,
    324,
    146,
    91,
    181,
    84,
    17,
    314,
    405,
    321,
    375,
    96,
    89,
    179,
    86,
    15,
    316,
    403,
    319,
    325,
    77,
    90,
    180,
    85,
    16,
    315,
    404,
    320,
    307,
]
UPPER_LID = {
    "Right": [246, 161, 160, 159, 158, 157, 173],
    "Left": [466, 388, 387, 386, 385, 384, 398],
}
LOWER_LID = {
    "Right": [7, 163, 144, 145, 153, 154, 155],
    "Left": [249, 390, 373, 374, 380, 381, 382],
}
JAW_SPLIT = -0.0125
LID_SPLIT = -0.0015


def load_teacher_points(source_vertex: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 468 surface points as (468, 3) head-model vertex numbers and barycentric weights.

    `source_vertex` is the head model's array of MakeHuman base vertex numbers.
    """
    with np.load(TEACHER_POINTS) as data:
        base, weights = data["base_vertices"], data["weights"].astype(np.float32)
    where = np.full(base.max() + 1, -1)
    known = source_vertex[source_vertex <= base.max()]
    where[known] = np.flatnonzero(source_vertex <= base.max())
    corners = where[base]
    if (corners < 0).any():
        raise ValueError("the head model lacks vertices that the teacher's points lie on")
    return corners, weights


def ibug_landmarks(neutral: np.ndarray, source_vertex: np.ndarray) -> np.ndarray:
    """(68,) head-model vertices nearest to the iBUG points, each used once."""
    if not TEACHER_POINTS.is_file():  # the very first build, from which they are then found
        return np.zeros(len(IBUG_FROM_TEACHER), np.int32)
    corners, weights = load_teacher_points(source_vertex)
    points = (neutral[corners] * weights[..., None]).sum(1)[IBUG_FROM_TEACHER]
    candidates = np.unique(corners)
    chosen: list[int] = []
    for point in points:
        order = candidates[np.argsort(np.linalg.norm(neutral[candidates] - point, axis=1))]
        chosen.append(next(int(v) for v in order if v not in chosen))
    return np.array(chosen, np.int32)


def closest_on_triangles(
    points: np.ndarray, vertices: np.ndarray, triangles: np.ndarray, near: int = 24
) -> tuple[np.ndarray, np.ndarray]:
    """The triangle and barycentric weights nearest to each of (N, 3) points.

    Weights are clamped to the triangle and renormalised: exact inside it, and within a fraction
    of an edge of exact along its border, which is finer than the correspondence itself.
    """
    a, b, c = (vertices[triangles[:, k]] for k in range(3))
    centre = (a + b + c) / 3
    found = np.zeros(len(points), int)
    weights = np.zeros((len(points), 3))
    for i, point in enumerate(points):
        close = np.argsort(np.linalg.norm(centre - point, axis=1))[:near]
        u, v, w = b[close] - a[close], c[close] - a[close], point - a[close]
        uu, uv, vv = (u * u).sum(1), (u * v).sum(1), (v * v).sum(1)
        wu, wv = (w * u).sum(1), (w * v).sum(1)
        scale = 1 / np.maximum(uu * vv - uv * uv, 1e-20)
        beta, gamma = (vv * wu - uv * wv) * scale, (uu * wv - uv * wu) * scale
        bary = np.clip(np.stack([1 - beta - gamma, beta, gamma], 1), 0, None)
        bary /= bary.sum(1, keepdims=True)
        at = (np.stack([a[close], b[close], c[close]], 1) * bary[..., None]).sum(1)
        best = np.argmin(np.linalg.norm(at - point, axis=1))
        found[i], weights[i] = close[best], bary[best]
    return found, weights


def similarity(source: np.ndarray, target: np.ndarray) -> tuple[float, np.ndarray, np.ndarray]:
    """Scale, rotation, translation with target = s R source + t (Umeyama, PAMI 1991)."""
    ms, mt = source.mean(0), target.mean(0)
    u, d, vt = np.linalg.svd((target - mt).T @ (source - ms))
    sign = np.diag([1, 1, np.sign(np.linalg.det(u @ vt))])
    rotation = u @ sign @ vt
    scale = (d * np.diag(sign)).sum() / ((source - ms) ** 2).sum()
    return float(scale), rotation, mt - scale * rotation @ ms


def fit_canonical(canonical: np.ndarray, model: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
    """Drop the canonical vertices onto the head model's skin.

    Returns:
        (468, 3) head-model vertices, (468, 3) weights, the canonical face brought into the head
        frame, and the fitted head's vertices.
    """
    unit = float(model["unit"])
    neutral = model["neutral"].astype(np.float64)
    modes = model["identity"].astype(np.float64) * unit
    groups = [str(name) for name in model["groups"]]
    skin = model["triangles"][model["triangle_group"] == groups.index("skin")]
    front = neutral[skin].mean(1)
    inside_mouth = mouth_interior(neutral, skin)
    skin = skin[(front[:, 2] > -0.06) & (front[:, 1] > -0.16) & ~inside_mouth]

    # Start from the eyeballs: the canonical face has its eyelids around them.
    eyes = [
        neutral[np.unique(model["triangles"][model["triangle_group"] == groups.index(name)])]
        for name in ("eyeRight", "eyeLeft")
    ]
    rings = [canonical[[33, 133, 159, 145]].mean(0), canonical[[263, 362, 386, 374]].mean(0)]
    fronts = [eye.mean(0) + np.array([0, 0, 0.012]) for eye in eyes]
    nose = neutral[np.argmax(neutral[:, 2])]
    s, rotation, t = similarity(np.array([*rings, canonical[4]]), np.array([*fronts, nose]))
    allowed = allowed_triangles(model, skin)
    head, weights_id = neutral, np.zeros(len(modes))
    for step in range(30):
        placed = s * canonical @ rotation.T + t
        corners, bary = drop(placed, head, skin, allowed)
        on_skin = (head[corners] * bary[..., None]).sum(1)
        trust = np.linalg.norm(on_skin - placed, axis=1)
        keep = trust <= np.quantile(trust, 0.9)
        s, rotation, t = similarity(canonical[keep], on_skin[keep])
        placed = s * canonical @ rotation.T + t
        basis = (modes[:, corners] * bary[None, ..., None]).sum(2)[:, keep].reshape(len(modes), -1)
        mean = (neutral[corners] * bary[..., None]).sum(1)[keep]
        right = basis @ (placed[keep] - mean).ravel()
        strength = 0.003**2 * (4 if step < 10 else 1)
        weights_id = np.linalg.solve(basis @ basis.T + strength * np.eye(len(modes)), right)
        head = neutral + np.tensordot(weights_id, modes, 1)
    corners, bary = drop(placed, head, skin, allowed)
    return corners, bary, placed, head


def allowed_triangles(model: dict[str, np.ndarray], skin: np.ndarray) -> list[tuple]:
    """Pairs of (teacher points, mask over `skin`): which triangles the point may lie on."""
    names = [str(name) for name in model["expression_names"]]

    def drops(name: str) -> np.ndarray:
        down = model["expression"][names.index(name)][:, 1] * float(model["unit"])
        return down[skin]

    jaw = drops("jawOpen")
    pairs = [(UPPER_LIP, (jaw > JAW_SPLIT).all(1)), (LOWER_LIP, (jaw < JAW_SPLIT).all(1))]
    for side in ("Left", "Right"):
        lid = drops(f"eyeBlink{side}")
        pairs.append((UPPER_LID[side], (lid < LID_SPLIT).all(1)))
        pairs.append((LOWER_LID[side], (lid > LID_SPLIT).all(1)))
    return pairs


def drop(
    points: np.ndarray, vertices: np.ndarray, skin: np.ndarray, allowed: list[tuple]
) -> tuple[np.ndarray, np.ndarray]:
    """The teacher's (468, 3) points on the skin: (468, 3) vertices and weights."""
    found, bary = closest_on_triangles(points, vertices, skin)
    corners = skin[found]
    for which, mask in allowed:
        part = skin[mask]
        found, weights = closest_on_triangles(points[which], vertices, part)
        corners[which], bary[which] = part[found], weights
    return corners, bary


def mouth_interior(neutral: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Which skin triangles look into the head: the inside of mouth and nostrils."""
    a, b, c = (neutral[triangles[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    normal /= np.linalg.norm(normal, axis=1, keepdims=True) + 1e-12
    centre = (a + b + c) / 3
    outward = centre - (0, -0.03, -0.09)  # the middle of the skull
    outward /= np.linalg.norm(outward, axis=1, keepdims=True)
    return (normal * outward).sum(1) < -0.2


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--canonical", type=Path, required=True, help="npz with v: (468, 3), cm")
    parser.add_argument("--head-model", type=Path, default=Path("models/head_model.npz"))
    parser.add_argument("--output", type=Path, default=TEACHER_POINTS)
    arguments = parser.parse_args()
    with np.load(arguments.head_model) as data:
        model = {key: data[key] for key in data.files}
    canonical = np.load(arguments.canonical)["v"] * 0.01
    corners, weights, placed, head = fit_canonical(canonical, model)
    on_skin = (head[corners] * weights[..., None]).sum(1)
    distance = np.linalg.norm(on_skin - placed, axis=1)
    print(f"distance to the skin: median {np.median(distance) * 1e3:.2f} mm, "
          f"95th percentile {np.quantile(distance, 0.95) * 1e3:.2f} mm")  # fmt: skip
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        arguments.output,
        base_vertices=model["source_vertex"][corners].astype(np.int32),
        weights=weights.astype(np.float32),
    )


if __name__ == "__main__":
    main()
