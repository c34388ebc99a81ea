# SPDX-License-Identifier: GPL-3.0-or-later
"""Mio: a drawn-looking girl with VRM 1.0's expressions as shape keys and eyes that bones turn."""

from __future__ import annotations

import bpy
import numpy as np

from . import cutting, eyes, garment, lids, skin
from .arrays import Mesh, merge, smooth
from .drawn_hair import bob, drawn_brow
from .human import (
    BONES_OF_MAKEHUMAN,
    bust_weights,
    hang_on,
    lower_arms,
    named_weights,
    tongue_drop,
)
from .makehuman import MakeHuman, Person, expressions_of, to_blender
from .materials import linear, material
from .objects import Bone, armature, collection, empty_scene, mesh_object, soften
from .stage import set_stage
from .strands import Surface
from .warp import carry, cartoon

NAME = "Mio"
EYE_SCALE = 1.55
SLOTS = ("skin", "lips", "mouth", "sclera", "iris", "pupil", "glint", "teeth", "tongue", "lashes",
         "brows")  # fmt: skip
COLOURS = {
    "skin": "#ffd2b5", "lips": "#e58a88", "mouth": "#7a2430", "sclera": "#fbf8f6",
    "iris": "#2f9fc4", "pupil": "#0b1c2c", "glint": "#ffffff", "teeth": "#fffaf2",
    "tongue": "#e0707c", "lashes": "#2a1c2c", "brows": "#8a3f5f", "hair": "#e56f98",
    "cloth": "#3b4a7c", "collar": "#f4f1ea",
}  # fmt: skip
PERSON = Person(
    ancestry={"asian": 0.6, "caucasian": 0.4},
    male=0.0,
    old=0.0,
    child=0.45,
    local={
        "eyes/eye-height2-incr": 0.5,
        "eyes/eye-height1-incr": 0.3,
        "eyes/eye-height3-incr": 0.3,
        "eyes/eye-bag-decr": 0.5,
        "nose/nose-point-up": 0.4,
        "mouth/mouth-upperlip-volume-decr": 0.6,
        "mouth/mouth-lowerlip-volume-decr": 0.6,
        "mouth/mouth-scale-horiz-incr": 0.15,
        "mouth/mouth-angles-up": 0.8,
        "mouth/mouth-trans-down": 0.3,
        "head/head-round": 0.4,
        "ears/ear-scale-decr": 0.4,
    },
)


def _both(name: str, weight: float) -> dict[str, float]:
    return {f"{name}Left": weight, f"{name}Right": weight}


# VRM 1.0's expressions, mixed from ARKit's at full weight. The eyeballs stay: bones turn them.
# https://github.com/vrm-c/vrm-specification/blob/master/specification/VRMC_vrm-1.0/expressions.md
EXPRESSIONS: dict[str, dict[str, float]] = {
    "neutral": {},
    "aa": {"jawOpen": 0.75, **_both("mouthUpperUp", 0.2), **_both("mouthLowerDown", 0.15)},
    "ih": {"jawOpen": 0.20, **_both("mouthStretch", 0.55), **_both("mouthUpperUp", 0.35),
           **_both("mouthLowerDown", 0.35)},
    "ou": {"jawOpen": 0.22, "mouthPucker": 0.75, "mouthFunnel": 0.35},
    "ee": {"jawOpen": 0.14, **_both("mouthSmile", 0.45), **_both("mouthStretch", 0.4),
           **_both("mouthLowerDown", 0.55), **_both("mouthUpperUp", 0.3)},
    "oh": {"jawOpen": 0.50, "mouthFunnel": 0.75, "mouthPucker": 0.15},
    "blink": _both("eyeBlink", 1.0),
    "blinkLeft": {"eyeBlinkLeft": 1.0},
    "blinkRight": {"eyeBlinkRight": 1.0},
    "happy": {**_both("mouthSmile", 1.0), **_both("cheekSquint", 0.6), **_both("eyeSquint", 0.4),
              **_both("browOuterUp", 0.3), "browInnerUp": 0.25},
    "angry": {**_both("browDown", 1.0), **_both("noseSneer", 0.5), **_both("mouthFrown", 0.7),
              **_both("eyeSquint", 0.25)},
    "sad": {"browInnerUp": 1.0, **_both("mouthFrown", 1.0), "mouthShrugLower": 0.4,
            **_both("eyeBlink", 0.15)},
    "relaxed": {**_both("mouthSmile", 0.5), **_both("eyeBlink", 0.35), "browInnerUp": 0.2},
    "surprised": {"browInnerUp": 1.0, **_both("browOuterUp", 1.0), **_both("eyeWide", 1.0),
                  "jawOpen": 0.35, "mouthFunnel": 0.3},
    "lookUp": _both("eyeLookUp", 1.6),
    "lookDown": _both("eyeLookDown", 1.4),
    "lookLeft": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "lookRight": {"eyeLookInLeft": 1.0, "eyeLookOutRight": 1.0},
}  # fmt: skip


def build_stylised(human: MakeHuman, seed: int = 3) -> bpy.types.Object:
    """The character in a fresh scene; returns its armature object."""
    empty_scene()
    group = collection(NAME)
    shape = human.vertices(PERSON)
    weights = bust_weights(human, BONES_OF_MAKEHUMAN)
    body = lower_arms(human, shape, weights)

    cut = human.part(body, ("body",))
    cut.mesh.shapes = expressions_of(human, cut.source)
    cut.mesh.weights = named_weights(weights, cut.source, ("head", "neck", "jaw", "chest"))
    mask = skin.masks(human.data, cut, ("lips", "inside-mouth", "ears"))
    colours = {part: linear(COLOURS[part]) for part in ("sclera", "iris", "pupil")}
    colours["rim"] = linear("#123f63")
    balls, centres, radius = [], [], 0.0
    for side in ("l", "r"):
        ball, centre, radius = eyes.eyeball(human, body, side, colours, seed, 33.0, 14.0, 0.11)
        ball.material = ball.material + SLOTS.index("sclera")
        ball.weights = {f"eye.{side.upper()}": np.ones(len(ball.vertices))}
        ball.shapes = {}
        balls.append(ball)
        centres.append(centre)
    face = skin.find_face(cut, np.array(centres), radius, mask["lips"])
    neck = to_blender(human.joint("neck", body))
    warp = cartoon(face, neck, eye_scale=EYE_SCALE)

    lashes = _lashes(human, body)
    lids.seal(human, body, cut, lashes)
    parts = [*balls, *_mouth(human, body, weights), *lashes]
    for mesh in (cut.mesh, *parts):
        carry(mesh, warp)
        mesh.shapes = _vrm(mesh)
    joints = {
        name: warp(to_blender(human.joint(name, body))[None])[0]
        for name in ("spine-1", "neck", "head", "mouth")
    }
    centres = warp(np.array(centres))
    face = skin.find_face(cut, centres, radius * EYE_SCALE, mask["lips"])
    cut.mesh.vertices = _calm(cut.mesh, mask, face)
    floor = garment.hem_height(cut.mesh.vertices)
    for mesh in (cut.mesh, *parts):
        mesh.vertices = mesh.vertices - (0, 0, floor)
    joints = {name: at - (0, 0, floor) for name, at in joints.items()}
    centres = centres - (0, 0, floor)
    face = skin.find_face(cut, centres, radius * EYE_SCALE, mask["lips"])

    outer = cut.mesh.faces[mask["inside-mouth"][cut.mesh.faces].max(1) < 0.5]
    surface = Surface(cut.mesh.vertices, outer, cut.mesh.shapes, cut.mesh.weights)
    for eye, side in zip(centres, (1, -1), strict=True):
        brow = drawn_brow(surface, eye, side, face.radius, linear(COLOURS["brows"]))
        parts.append(_slotted(brow, "brows"))
    cut.mesh.colours = _paint(cut.mesh, mask, face)
    cut.mesh.material = skin.slots(cut.mesh, mask)
    neckline = (-0.030, 0.010)
    bare = cutting.cut(
        cut.mesh, 0.012 + garment.above_neckline(cut.mesh.vertices, joints["neck"], *neckline)
    )
    whole = merge([bare, *parts])
    whole.shapes = {
        name: whole.shapes.get(name, np.zeros_like(whole.vertices)) for name in EXPRESSIONS
    }

    rig = armature(
        NAME,
        _bones(joints, centres),
        group,
        {"mfn_profile": "vrm1", "mfn_eyes": "bones", "mfn_jaw": "shapes"},
    )
    materials = _materials()
    soften(mesh_object(f"{NAME}.face", whole, [materials[s] for s in SLOTS], group, rig))
    hair = bob(surface, face, linear(COLOURS["hair"]), seed)
    hair_object = mesh_object(f"{NAME}.hair", hair, [materials["hair"]], group)
    hang_on(hair_object, rig, "head")
    cloth = garment.top(
        cut.mesh,
        joints["neck"],
        *neckline,
        0.007,
        (linear(COLOURS["cloth"]), linear(COLOURS["collar"])),
        0.016,
    )
    soften(
        mesh_object(f"{NAME}.clothes", cloth, [materials["cloth"], materials["collar"]], group, rig)
    )
    middle = np.array([0, face.nose[1], 0.5 * face.mouth[2] + 0.5 * centres[0, 2]])
    set_stage(middle, 0.44, linear("#5d7fa8"))
    return rig


def _vrm(mesh: Mesh) -> dict[str, np.ndarray]:
    zero = np.zeros_like(mesh.vertices)
    return (
        {
            name: sum((w * mesh.shapes.get(part, zero) for part, w in mix.items()), zero)
            for name, mix in EXPRESSIONS.items()
        }
        if mesh.shapes
        else {}
    )


def _calm(mesh: Mesh, mask: dict[str, np.ndarray], face: skin.Face) -> np.ndarray:
    """The skin without creases: smoothed except at lids, lips, nostrils and ears."""
    ball = face.radius
    eyes_away = np.linalg.norm(mesh.vertices[:, None] - face.eyes, axis=-1).min(1)
    nose = np.linalg.norm(mesh.vertices - face.nose, axis=1) < 0.013
    fine = (eyes_away < 1.10 * ball) | nose
    fine |= mesh.shapes["blink"][:, 2] < -0.003  # the upper lid, folded while the eye is open
    fine |= (mask["lips"] > 0.05) | (mask["inside-mouth"] > 0.05) | (mask["ears"] > 0.05)
    hold = smooth(fine.astype(float), mesh.faces, 1) > 0.3
    return smooth(mesh.vertices, mesh.faces, 14, hold=hold)


def _paint(mesh: Mesh, mask: dict[str, np.ndarray], face: skin.Face) -> np.ndarray:
    points = mesh.vertices
    colour = np.tile(np.array(linear(COLOURS["skin"])), (len(points), 1))

    def mix(goal: str, amount: np.ndarray) -> None:
        nonlocal colour
        amount = np.clip(amount, 0, 1)[:, None]
        colour = colour * (1 - amount) + np.array(linear(goal)) * amount

    for eye, side in zip(face.eyes, (1, -1), strict=True):
        cheek = eye + (0.010 * side, -0.018, -0.040)
        mix("#f08f8a", 0.75 * np.exp(-(((points - cheek) / (0.017, 0.03, 0.011)) ** 2).sum(1) / 2))
        lid = eye + (0, -0.02, 0.024)
        mix("#e39a92", 0.5 * np.exp(-(((points - lid) / (0.024, 0.03, 0.006)) ** 2).sum(1) / 2))
    tip = np.exp(-(((points - face.nose) / 0.009) ** 2).sum(1) / 2)
    mix("#f0a090", 0.5 * tip)
    mix("#eda494", 0.4 * mask["ears"])
    mix(COLOURS["lips"], 0.8 * smooth(mask["lips"], mesh.faces, 1))
    mix(COLOURS["mouth"], (mask["inside-mouth"] > 0.5).astype(float))
    return colour


def _mouth(human: MakeHuman, body: np.ndarray, weights: dict) -> list[Mesh]:
    parts = []
    for slot, groups in (
        ("teeth", ("helper-upper-teeth", "helper-lower-teeth")),
        ("tongue", ("helper-tongue",)),
    ):
        cut = human.part(body, groups, bust=False)
        cut.mesh.shapes = expressions_of(human, cut.source)
        if slot == "tongue":
            cut.mesh.shapes["jawOpen"] = tongue_drop(cut.mesh, parts[0])
        cut.mesh.weights = named_weights(weights, cut.source, ("head", "jaw"))
        parts.append(_painted(_slotted(cut.mesh, slot), slot))
    return parts


def _lashes(human: MakeHuman, body: np.ndarray) -> list[Mesh]:
    parts = []
    for side in ("l", "r"):
        for upper, length in ((True, 0.85), (False, 0.45)):
            band = eyes.lash_band(human, body, side, upper, length)
            band.weights = {"head": np.ones(len(band.vertices))}
            if upper:  # keep the thick band before the closed lid, not inside it
                for name in ("eyeBlinkLeft", "eyeBlinkRight"):
                    if name in band.shapes:
                        band.shapes[name] = band.shapes[name] + (0, -0.0022, -0.0004)
            parts.append(_painted(_slotted(band, "lashes"), "lashes"))
    return parts


def _slotted(mesh: Mesh, slot: str) -> Mesh:
    mesh.material = np.full(len(mesh.faces), SLOTS.index(slot))
    return mesh


def _painted(mesh: Mesh, part: str) -> Mesh:
    mesh.colours = np.tile(np.array(linear(COLOURS[part])), (len(mesh.vertices), 1))
    return mesh


def _bones(joints: dict[str, np.ndarray], centres: np.ndarray) -> dict[str, Bone]:
    return {
        "chest": Bone(joints["spine-1"], None, 0.10),
        "neck": Bone(joints["neck"], "chest", 0.09),
        "head": Bone(joints["head"], "neck", 0.16),
        "jaw": Bone(joints["mouth"], "head", 0.04),
        "eye.L": Bone(centres[0], "head", 0.03),
        "eye.R": Bone(centres[1], "head", 0.03),
    }


def _materials() -> dict[str, bpy.types.Material]:
    options: dict[str, dict] = {
        "skin": {"roughness": 0.65, "subsurface": 0.15, "painted": True},
        "lips": {"roughness": 0.45, "painted": True},
        "sclera": {"roughness": 0.3, "coat": 0.6, "painted": True, "matt_view": True},
        "iris": {"roughness": 0.3, "coat": 0.6, "painted": True, "matt_view": True},
        "pupil": {"roughness": 0.3, "coat": 0.6, "matt_view": True},
        "glint": {"emission": 1.0},
        "hair": {"roughness": 0.45, "painted": True},
        "cloth": {"roughness": 0.9, "painted": True},
        "collar": {"roughness": 0.9, "painted": True},
    }
    return {
        part: material(f"{NAME} {part}", colour, **options.get(part, {"roughness": 0.6}))
        for part, colour in COLOURS.items()
    }
