# SPDX-License-Identifier: GPL-3.0-or-later
"""Contact sheets of the sample characters: neutral and expressions, drawn by Workbench.

    python sample_rigs/render.py [NAME ...] [--size 320] [--engine workbench|eevee|cycles]

Writes build/sample_rigs/NAME.png.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

import bpy
import cv2
import numpy as np

FOLDER = Path(__file__).resolve().parent
REPOSITORY = FOLDER.parent
sys.path.insert(0, str(REPOSITORY))

SIDES = ("Left", "Right")


def both(name: str, weight: float = 1.0) -> dict[str, float]:
    """The same weight for both sides."""
    return {name + side: weight for side in SIDES}


ARKIT = {
    "neutral": {},
    "blink": both("eyeBlink"),
    "wink": {"eyeBlinkLeft": 1.0, "mouthSmileLeft": 0.5},
    "jaw open": {"jawOpen": 1.0},
    "smile": {**both("mouthSmile", 0.9), **both("cheekSquint", 0.6), "jawOpen": 0.12},
    "laugh": {**both("mouthSmile"), "jawOpen": 0.5, **both("eyeSquint", 0.8)},
    "surprise": {"jawOpen": 0.5, "browInnerUp": 1, **both("browOuterUp"), **both("eyeWide")},
    "angry": {**both("browDown"), **both("noseSneer", 0.7), **both("mouthFrown", 0.7)},
    "sad": {"browInnerUp": 1.0, **both("mouthFrown"), **both("eyeSquint", 0.3)},
    "pucker": {"mouthPucker": 1.0},
    "tongue": {"tongueOut": 1.0, "jawOpen": 0.5},
    "look left": {"eyeLookOutLeft": 1.0, "eyeLookInRight": 1.0},
    "look up": both("eyeLookUp"),
    "look down": both("eyeLookDown"),
    "puff": {"cheekPuff": 1.0},
}
VRM = {
    name: {name: 1.0}
    for name in (
        "neutral", "aa", "ih", "ou", "ee", "oh", "blink", "blinkLeft", "happy", "angry", "sad",
        "relaxed", "surprised", "lookLeft", "lookUp",
    )
}  # fmt: skip
HEADS = {"turned": (0, 40, 0), "down": (25, -20, 8), "profile": (0, 85, 0)}


def main() -> int:
    """Render what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("characters", nargs="*", metavar="NAME")
    parser.add_argument("--size", type=int, default=320, help="px of one picture")
    parser.add_argument("--engine", choices=("workbench", "eevee", "cycles"), default="workbench")
    parser.add_argument("--colour", choices=("VERTEX", "MATERIAL"), default="VERTEX")
    parser.add_argument("--zoom", type=float, default=1.0, help="longer lens")
    parser.add_argument("--columns", type=int, default=6)
    parser.add_argument("--output", type=Path, default=REPOSITORY / "build" / "sample_rigs")
    parser.add_argument("--only", nargs="*", help="names of the expressions to draw")
    options = parser.parse_args()
    names = options.characters or sorted(p.stem for p in FOLDER.glob("*.blend"))
    out = options.output
    out.mkdir(parents=True, exist_ok=True)
    for name in names:
        sheet = contact_sheet(FOLDER / f"{name}.blend", options)
        cv2.imwrite(str(out / f"{name}.png"), sheet)
        print(out / f"{name}.png")
    return 0


def contact_sheet(path: Path, options: argparse.Namespace) -> np.ndarray:
    """(H, W, 3) uint8 BGR: a picture for each expression and head pose."""
    bpy.ops.wm.open_mainfile(filepath=str(path))
    scene = bpy.context.scene
    rig = next(o for o in scene.objects if o.type == "ARMATURE")
    scene.render.resolution_x = scene.render.resolution_y = options.size
    scene.camera.data.lens *= options.zoom
    _set_engine(scene, options)
    poses = [(label, weights, (0, 0, 0)) for label, weights in _expressions(rig).items()]
    poses += [(label, {}, angles) for label, angles in HEADS.items()]
    if options.only:
        poses = [pose for pose in poses if pose[0] in options.only]
    pictures = []
    with tempfile.TemporaryDirectory() as folder:
        scene.render.filepath = str(Path(folder) / "picture.png")
        scene.render.image_settings.file_format = "PNG"
        for label, weights, angles in poses:
            pose_rig(rig, weights, angles, path)
            bpy.ops.render.render(write_still=True)
            picture = cv2.imread(scene.render.filepath)
            cv2.putText(
                picture,
                label,
                (8, options.size - 8),
                cv2.FONT_HERSHEY_SIMPLEX,
                0.5,
                (255, 255, 255),
                1,
                cv2.LINE_AA,
            )
            pictures.append(picture)
    columns = min(options.columns, len(pictures))
    while len(pictures) % columns:
        pictures.append(np.zeros_like(pictures[0]))
    rows = [np.hstack(pictures[k : k + columns]) for k in range(0, len(pictures), columns)]
    return np.vstack(rows)


def pose_rig(rig: bpy.types.Object, weights: dict, angles: tuple, path: Path) -> None:
    """Give a character expression weights, and the head angles (degrees about x, y, z)."""
    for child in rig.children_recursive:
        keys = getattr(child.data, "shape_keys", None)
        if keys:
            for block in keys.key_blocks[1:]:
                block.value = weights.get(block.name, 0.0)
            keys.update_tag()
    if rig["mfn_profile"] == "bones":
        profile = json.loads(path.with_suffix(".bones.json").read_text())
        for channel in profile["channels"]:
            value = channel["rest"] + sum(
                gain * weights.get(name, 0.0) for name, gain in channel["terms"].items()
            )
            value = min(max(value, channel["limit"][0]), channel["limit"][1])
            if channel["unit"] == "deg":
                value = math.radians(value)
            getattr(rig.pose.bones[channel["bone"]], channel["path"])[channel["axis"]] = value
    for bone, share in (("neck", 0.35), ("head", 0.65)):
        rig.pose.bones[bone].rotation_euler = [math.radians(a) * share for a in angles]
    bpy.context.view_layer.update()


def _expressions(rig: bpy.types.Object) -> dict[str, dict[str, float]]:
    return VRM if rig["mfn_profile"] == "vrm1" else ARKIT


def _set_engine(scene: bpy.types.Scene, options: argparse.Namespace) -> None:
    if options.engine == "workbench":
        scene.render.engine = "BLENDER_WORKBENCH"
        scene.display.shading.color_type = options.colour
    elif options.engine == "cycles":
        scene.render.engine = "CYCLES"
        scene.cycles.samples = 24
    else:
        new = bpy.app.version < (5, 0, 0)
        scene.render.engine = "BLENDER_EEVEE_NEXT" if new else "BLENDER_EEVEE"
        scene.eevee.taa_render_samples = 8


if __name__ == "__main__":
    sys.exit(main())
