# SPDX-License-Identifier: GPL-3.0-or-later
"""Rusty: a fox that bones alone move: jaw, brows, lids, ears, eyes, lip corners, cheeks, tongue."""

from __future__ import annotations

import bpy
import numpy as np

from . import creature_channels
from .arrays import Mesh, merge, unit
from .cutting import divide
from .materials import linear, material
from .objects import Bone, armature, collection, empty_scene, mesh_object, soften
from .solids import blend, ellipsoid, ellipsoid_field, grid_faces, lathe, shell, star
from .stage import set_stage
from .strands import sweep

NAME = "Rusty"
HEAD = np.array([0.0, 0.0, 0.33])  # the skull's middle, metres
EYE = np.array([0.047, -0.080, 0.020])  # the left eye from there
EYE_RADIUS = 0.031
UPPER_EDGE, LOWER_EDGE = -36.0, 46.0  # degrees about x, at rest
COLOURS = {
    "fur": "#e8813a", "cream": "#fff0dd", "dark": "#4a2a22", "mouth": "#7c2b36",
    "nose": "#2a1a1c", "sclera": "#fbfaf5", "iris": "#5fae4a", "pupil": "#101510",
    "glint": "#ffffff", "lid": "#d66f2c", "tongue": "#e8808a", "teeth": "#fffdf5",
    "scarf": "#2f8f9d", "ear": "#f2b9a0",
}  # fmt: skip
SLOTS = tuple(COLOURS)
SIDES = ((".L", 1.0), (".R", -1.0))


def build_creature() -> bpy.types.Object:
    """The character in a fresh scene; returns its armature object."""
    empty_scene()
    group = collection(NAME)
    parts = [_head(), _jaw(), _tongue(), _nose(), *_body(), *_teeth(), _tuft()]
    for side, sign in SIDES:
        parts += _eye(side, sign)
        parts += [_brow(side, sign), *_ear(side, sign), _lip(side, sign), *_cheek_tufts(side, sign)]
    rig = armature(
        NAME,
        _bones(),
        group,
        {
            "mfn_profile": "bones",
            "mfn_eyes": "bones",
            "mfn_jaw": "bones",
            "mfn_bones": creature_channels.as_json(),
        },
    )
    options: dict[str, dict] = {
        "nose": {"roughness": 0.25, "coat": 0.5},
        "glint": {"emission": 1.0},
        "sclera": {"roughness": 0.3, "coat": 0.6, "matt_view": True},
        "iris": {"roughness": 0.3, "coat": 0.6, "painted": True, "matt_view": True},
        "pupil": {"roughness": 0.3, "coat": 0.6, "matt_view": True},
        "tongue": {"roughness": 0.4},
        "teeth": {"roughness": 0.3},
    }
    materials = [
        material(f"{NAME} {slot}", colour, **options.get(slot, {"roughness": 0.85}))
        for slot, colour in COLOURS.items()
    ]
    whole = merge(parts)
    whole.colours = _corner_colours(whole)
    soften(mesh_object(f"{NAME}.body", whole, materials, group, rig))
    set_stage(HEAD + (0, -0.08, 0.01), 0.50, linear("#3f6b58"))
    return rig


def _slot(mesh: Mesh, name: str) -> Mesh:
    mesh.material = np.full(len(mesh.faces), SLOTS.index(name))
    return mesh


def _on(mesh: Mesh, bone: str) -> Mesh:
    mesh.weights = {bone: np.ones(len(mesh.vertices))}
    return mesh


def _corner_colours(mesh: Mesh) -> np.ndarray:
    """(F, 4, 3) each face's material colour, so that markings have crisp edges; irises are
    painted vertex by vertex."""
    table = np.array([linear(COLOURS[slot]) for slot in SLOTS])
    colours = np.repeat(table[mesh.material][:, None], 4, 1)
    iris = mesh.material == SLOTS.index("iris")
    colours[iris] = mesh.colours[mesh.faces[iris]]
    return colours


def _head() -> Mesh:
    skull = [
        ellipsoid_field((0, 0, 0.012), (0.118, 0.105, 0.102)),
        ellipsoid_field((0, -0.018, -0.032), (0.122, 0.088, 0.068)),  # cheeks
        ellipsoid_field((0, -0.112, -0.022), (0.043, 0.078, 0.034)),  # muzzle
        ellipsoid_field((0, -0.085, 0.018), (0.030, 0.060, 0.036)),  # the muzzle's bridge
    ]
    grown = blend(skull, 0.010)

    def field(points: np.ndarray) -> np.ndarray:
        ahead = np.clip((-0.03 - points[:, 1]) / 0.03, 0, 1)
        floor = -0.050 - points[:, 2]  # the jaw closes against a flat muzzle
        return np.where(
            ahead > 0, np.maximum(grown(points), floor * ahead - 0.02 * (1 - ahead)), grown(points)
        )

    rings = np.concatenate([np.linspace(0.5, 40, 26), np.linspace(42, 179.5, 50)])
    mesh = star(field, np.array([0, -0.01, -0.012]), rings, 72, 0.25)
    points = mesh.vertices
    mesh = _slot(mesh, "fur")
    palate = np.minimum.reduce(
        [-0.0480 - points[:, 2], 0.034 - np.abs(points[:, 0]), -0.045 - points[:, 1]]
    )
    # The cream mask: the muzzle's flanks and the lower cheeks, up to under the eyes.
    mask = -0.012 - 0.30 * (points[:, 1] + 0.10) - points[:, 2] + 0.10 * np.abs(points[:, 0])
    mask = np.minimum(mask, 0.01 - points[:, 1] - 0.25 * np.abs(points[:, 0]) + 0.035)
    mesh.weights = {"mask": mask, "palate": palate}
    mesh, creamy = divide(mesh, mesh.weights["mask"])
    mesh.material[creamy] = SLOTS.index("cream")
    mesh, inner = divide(mesh, mesh.weights["palate"])
    mesh.material[inner] = SLOTS.index("mouth")
    mesh.weights = {}
    head = np.ones(len(mesh.vertices))
    for side, sign in SIDES:
        cheek = np.array([0.075 * sign, -0.060, -0.038])
        share = 0.8 * np.exp(-(((mesh.vertices - cheek) / 0.028) ** 2).sum(1))
        mesh.weights[f"cheek{side}"] = share
        head -= share
    mesh.weights["head"] = np.clip(head, 0, 1)
    mesh.vertices = mesh.vertices + HEAD
    return mesh


def _jaw() -> Mesh:
    """A shallow boat whose upper side is the mouth's floor."""
    columns = 40
    turn = np.arange(columns) * 2 * np.pi / columns
    # From the keel's middle up to the rim, then over it and in to the mouth's middle.
    out = np.array([0.02, 0.35, 0.65, 0.86, 0.97, 1.0, 0.97, 0.88, 0.7, 0.4, 0.02])
    up = np.array([-1.0, -0.94, -0.76, -0.48, -0.2, 0.0, 0.09, 0.05, -0.08, -0.16, -0.2])
    x = 0.0375 * out[:, None] * np.cos(turn)
    y = 0.066 * out[:, None] * np.sin(turn)
    taper = 1 - 0.18 * np.clip(-y / 0.066, 0, 1)
    z = 0.024 * np.broadcast_to(up[:, None], x.shape)
    vertices = np.stack([x * taper, y, z], -1).reshape(-1, 3) + HEAD + (0, -0.105, -0.0475)
    mesh = Mesh(vertices, grid_faces(len(out), columns, closed=True))
    mesh = _on(_slot(mesh, "cream"), "jaw")
    row = np.arange(len(mesh.faces)) // columns
    mesh.material[row >= 6] = SLOTS.index("mouth")
    return mesh


def _tongue() -> Mesh:
    mesh = ellipsoid((0, 0, 0), (0.021, 0.044, 0.007))
    groove = np.exp(-((mesh.vertices[:, 0] / 0.005) ** 2)) * (mesh.vertices[:, 2] > 0)
    mesh.vertices[:, 2] -= 0.002 * groove
    mesh.vertices = mesh.vertices + HEAD + (0, -0.103, -0.0535)
    return _on(_slot(mesh, "tongue"), "tongue")


def _nose() -> Mesh:
    mesh = ellipsoid((0, 0, 0), (0.0175, 0.013, 0.0125))
    mesh.vertices[:, 0] *= 1 + 18 * np.clip(mesh.vertices[:, 2], -0.012, 0.012)
    mesh.vertices = mesh.vertices + HEAD + (0, -0.187, -0.006)
    return _on(_slot(mesh, "nose"), "nose")


def _teeth() -> list[Mesh]:
    """Two small fangs in the upper jaw."""
    fangs = []
    for _, sign in SIDES:
        root = HEAD + (0.0215 * sign, -0.158, -0.047)
        path = root + np.linspace(0, 1, 6)[:, None] * np.array([0.001 * sign, 0.001, -0.0125])
        mesh = sweep(path[None], np.array([0.0036, 0.0036, 0.0032, 0.0025, 0.0015, 0.0002]), 10)
        fangs.append(_on(_slot(mesh, "teeth"), "head"))
    return fangs


def _eye(side: str, sign: float) -> list[Mesh]:
    centre = HEAD + EYE * (sign, 1, 1)
    rings = np.array([0.3, 6, 12, 15, 18, 23, 28, 32, 34, 37, 44, 56, 72, 90, 110, 135, 160, 179.7])
    ball = star(ellipsoid_field(tuple(centre), (EYE_RADIUS,) * 3), centre, rings, 32, 0.04)
    middle = np.repeat((rings[:-1] + rings[1:]) / 2, 32)
    names = np.where(middle < 15, "pupil", np.where(middle < 34, "iris", "sclera"))
    ball.material = np.array([SLOTS.index(n) for n in names])
    angle = np.repeat(rings, 32)[:, None]
    rim = np.clip((angle - 26) / 7, 0, 1)
    iris = np.array(linear(COLOURS["iris"])) * (1.25 - 0.9 * rim)
    ball.colours = np.where(
        angle <= 15,
        linear(COLOURS["pupil"]),
        np.where(angle <= 34, iris, linear(COLOURS["sclera"])),
    )
    glints = []
    for across, up, size in ((-0.24, 0.26, 0.0046), (0.20, -0.18, 0.0022)):
        way = unit(np.array([across, -1.0, up]))
        spot = ellipsoid((0, 0, 0), (size, 0.0008, size), 8, 14)
        spot.vertices = spot.vertices + centre + way * (EYE_RADIUS + 0.0001)
        glints.append(_on(_slot(spot, "glint"), f"eye{side}"))
    upper = shell(centre, EYE_RADIUS + 0.0028, -165, UPPER_EDGE, 0.0022)
    lower = shell(centre, EYE_RADIUS + 0.0018, 165, LOWER_EDGE, 0.0018)
    lashes = _edge_line(centre, EYE_RADIUS + 0.0030, UPPER_EDGE + 1.5, 0.0017)
    return [
        _on(ball, f"eye{side}"),
        *glints,
        _on(_slot(upper, "lid"), f"lid_upper{side}"),
        _on(_slot(lashes, "dark"), f"lid_upper{side}"),
        _on(_slot(lower, "lid"), f"lid_lower{side}"),
    ]


def _edge_line(centre: np.ndarray, radius: float, turn: float, thick: float) -> Mesh:
    """A dark line along a lid's edge."""
    b = np.radians(np.linspace(-80, 80, 24))
    a = np.radians(turn)
    way = np.stack([np.sin(b), -np.cos(b) * np.cos(a), -np.cos(b) * np.sin(a)], -1)
    taper = np.cos(b) ** 0.5
    return sweep((centre + radius * way)[None], thick * taper, 6)


def _brow(side: str, sign: float) -> Mesh:
    t = np.linspace(0, 1, 12)
    x = np.interp(t, (0, 1), (0.018, 0.080))
    z = 0.064 + 0.010 * np.sin(np.pi * t) - 0.006 * t
    y = -0.092 + 0.034 * t**1.6
    path = HEAD + np.stack([sign * x, y, z], -1)
    mesh = sweep(
        path[None],
        0.0066 * np.interp(t, (0, 0.15, 0.5, 1), (0.35, 0.9, 1, 0.12)),
        10,
        0.6,
        np.tile(unit(np.array([0.2 * sign, -1.0, 0.6])), (1, 12, 1)),
    )
    return _on(_slot(mesh, "dark"), f"brow{side}")


def _ear(side: str, sign: float) -> list[Mesh]:
    """A pointed ear with a hollow front, a cream-pink inside and a dark tip."""
    rows, columns = 22, 28
    t = np.linspace(0, 1, rows)
    turn = np.arange(columns) * 2 * np.pi / columns
    width = 0.052 * np.interp(t, (0, 0.2, 0.5, 0.8, 1), (0.86, 1.0, 0.80, 0.38, 0.02))
    depth = 0.45 * width
    middle = np.stack(
        [sign * (0.060 + 0.040 * t + 0.012 * t**2), 0.012 + 0.012 * t, 0.055 + 0.150 * t], -1
    )
    front = np.clip(-np.sin(turn), 0, 1)
    hollow = (
        0.85 * front[None, :] * depth[:, None] * np.sin(np.pi * np.clip(t + 0.1, 0, 1))[:, None]
    )
    x = width[:, None] * np.cos(turn)
    y = depth[:, None] * np.sin(turn) + 1.35 * hollow
    lean = -0.45 * sign  # the ear opens forwards and outwards
    vertices = np.stack(
        [x * np.cos(lean) - y * np.sin(lean) * 0, y + x * np.sin(lean) * -1, np.zeros_like(x)], -1
    )
    vertices[..., 1] = y - x * np.sin(lean) * 0.35
    mesh = Mesh(
        (vertices + middle[:, None] + HEAD).reshape(-1, 3), grid_faces(rows, columns, closed=True)
    )
    mesh = _on(_slot(mesh, "fur"), f"ear{side}")
    row, column = np.arange(len(mesh.faces)) // columns, np.arange(len(mesh.faces)) % columns
    ahead = -np.sin((column + 0.5) * 2 * np.pi / columns)
    mesh.material[(ahead > 0.30) & (row < rows * 0.80)] = SLOTS.index("ear")
    mesh.material[row >= rows * 0.74] = SLOTS.index("dark")
    return [mesh]


def _lip(side: str, sign: float) -> Mesh:
    """Half of the mouth's line: from under the nose along the muzzle to the corner."""
    t = np.linspace(0, 1, 20)
    x = np.interp(t, (0, 0.12, 0.35, 0.7, 1), (0.0, 0.012, 0.034, 0.0455, 0.062))
    y = np.interp(t, (0, 0.12, 0.35, 0.7, 1), (-0.189, -0.186, -0.160, -0.112, -0.078))
    z = np.interp(t, (0, 0.12, 0.35, 0.7, 1), (-0.036, -0.044, -0.047, -0.046, -0.036))
    path = np.stack([sign * x, y, z], -1)
    for _ in range(6):
        path[1:-1] = (path[:-2] + 2 * path[1:-1] + path[2:]) / 4
    mesh = sweep((path + HEAD)[None], 0.0026 * np.interp(t, (0, 0.8, 1), (1, 1, 0.4)), 8)
    share = np.repeat(np.clip((t - 0.25) / 0.75, 0, 1) ** 1.5, 8)
    mesh.weights = {f"lip_corner{side}": share, "head": 1 - share}
    return _slot(mesh, "dark")


def _cheek_tufts(side: str, sign: float) -> list[Mesh]:
    tufts = []
    for up, back, long, name in (
        (-0.028, 0.0, 0.050, "cream"),
        (-0.052, -0.004, 0.056, "cream"),
        (-0.006, 0.008, 0.038, "fur"),
    ):
        root = HEAD + (0.090 * sign, -0.020 + back, up)
        way = unit(np.array([sign, 0.28, -0.42]))
        t = np.linspace(0, 1, 9)
        path = root + way * (long * 1.25 * t)[:, None] + np.array([0, 0, 0.020]) * (t**2)[:, None]
        radii = 0.030 * np.interp(t, (0, 0.3, 0.7, 1), (0.9, 1.0, 0.55, 0.01))
        normals = np.tile(np.array([0.0, -1.0, 0.0]), (1, 9, 1))
        mesh = sweep(path[None], radii, 12, 0.6, normals)
        tufts.append(_on(_slot(mesh, name), "head"))
    return tufts


def _tuft() -> Mesh:
    """Three locks between the ears."""
    locks = []
    for lean, long in ((-0.35, 0.048), (0.0, 0.064), (0.38, 0.050)):
        t = np.linspace(0, 1, 10)
        root = HEAD + (0.012 * np.sign(lean), -0.022, 0.100)
        path = root + np.stack(
            [lean * long * t, -0.018 * t - 0.022 * t**2, long * (t - 0.35 * t**2)], -1
        )
        normals = np.tile(np.array([0.0, -1.0, 0.4]), (1, 10, 1))
        locks.append(
            sweep(path[None], 0.016 * np.interp(t, (0, 0.4, 1), (0.8, 1, 0.02)), 12, 0.6, normals)
        )
    return _on(_slot(merge(locks), "fur"), "head")


def _body() -> list[Mesh]:
    """Neck and shoulders, a cream bib, and a scarf."""
    z = np.array([0.0, 0.02, 0.05, 0.09, 0.125, 0.15, 0.175, 0.20, 0.23, 0.26, 0.29])
    wide = np.array([0.150, 0.155, 0.152, 0.138, 0.112, 0.092, 0.078, 0.070, 0.068, 0.070, 0.07])
    deep = np.array([0.105, 0.108, 0.106, 0.098, 0.086, 0.076, 0.068, 0.062, 0.060, 0.060, 0.06])
    fine = np.linspace(0, 0.29, 40)
    body = lathe(
        fine,
        np.interp(fine, z, wide),
        np.interp(fine, z, deep),
        np.interp(fine, (0, 0.29), (0.03, 0.0)),
        segments=96,
    )
    body = _slot(body, "fur")
    points = body.vertices
    bib = 0.062 - np.abs(points[:, 0]) - 0.16 * np.clip(0.14 - points[:, 2], 0, 1)
    body.weights = {"bib": np.minimum(bib, -points[:, 1] + 0.01)}
    body, front = divide(body, body.weights["bib"])
    body.material[front] = SLOTS.index("cream")
    body.weights = _neck_weights(body.vertices)
    turn = np.arange(65) * 2 * np.pi / 64
    ring = np.stack(
        [0.086 * np.cos(turn), 0.075 * np.sin(turn) + 0.012, 0.172 + 0.012 * np.sin(turn)], -1
    )
    scarf = sweep(ring[None], np.full(65, 0.021), 14, 0.85, np.tile([0.0, 0.0, 1.0], (1, 65, 1)))
    ends = []
    for lean in (-0.35, 0.30):
        t = np.linspace(0, 1, 10)
        path = np.array([0.0, -0.078, 0.158]) + np.stack(
            [lean * 0.07 * t, -0.022 * np.sin(np.pi * t * 0.6), -0.085 * t], -1
        )
        radii = 0.022 * np.interp(t, (0, 0.3, 0.9, 1), (0.5, 0.85, 1.1, 0.7))
        ends.append(sweep(path[None], radii, 12, 0.35, np.tile([0.0, -1.0, 0.0], (1, 10, 1))))
    knot = ellipsoid((0.0, -0.082, 0.160), (0.021, 0.019, 0.019))
    cloth = _slot(merge([scarf, *ends, knot]), "scarf")
    cloth.weights = _neck_weights(cloth.vertices)
    return [body, cloth]


def _neck_weights(points: np.ndarray) -> dict[str, np.ndarray]:
    up = np.clip((points[:, 2] - 0.13) / 0.09, 0, 1)
    top = np.clip((points[:, 2] - 0.215) / 0.06, 0, 1)
    return {"chest": 1 - up, "neck": up * (1 - top), "head": up * top}


def _bones() -> dict[str, Bone]:
    bones = {
        "chest": Bone(np.array([0, 0.02, 0.01]), None, 0.12),
        "neck": Bone(np.array([0, 0.01, 0.15]), "chest", 0.09),
        "head": Bone(np.array([0, 0.0, 0.25]), "neck", 0.18),
        "jaw": Bone(HEAD + (0, -0.042, -0.045), "head", 0.05),
        "tongue": Bone(HEAD + (0, -0.070, -0.055), "jaw", 0.02),
        "nose": Bone(HEAD + (0, -0.180, -0.006), "head", 0.02),
    }
    for side, sign in SIDES:
        eye = HEAD + EYE * (sign, 1, 1)
        bones[f"eye{side}"] = Bone(eye, "head", 0.035)
        bones[f"lid_upper{side}"] = Bone(eye, "head", 0.045)
        bones[f"lid_lower{side}"] = Bone(eye, "head", 0.025)
        bones[f"brow{side}"] = Bone(HEAD + (0.048 * sign, -0.085, 0.068), "head", 0.02)
        bones[f"ear{side}"] = Bone(HEAD + (0.062 * sign, 0.012, 0.070), "head", 0.10)
        bones[f"lip_corner{side}"] = Bone(HEAD + (0.062 * sign, -0.078, -0.036), "head", 0.02)
        bones[f"cheek{side}"] = Bone(HEAD + (0.075 * sign, -0.060, -0.038), "head", 0.02)
    return bones
