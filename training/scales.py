# SPDX-License-Identifier: GPL-3.0-or-later
"""Single-scale against multi-scale SFN, trained alike, as docs/results.md shows.

    python -m training.scales --steps 600

Both networks see the same batches in the same order and differ in one thing: whether identity
and expression are read from finer maps too (Chaudhuri et al., CVPR 2019, report 2.89 against 2.23
of landmark error). Judged on photographs of people that training never saw, by the fitted 3DMM,
and on rendered faces in which only pose, identity or place changes: how far the expression that
is read moves then is leakage.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from itertools import islice

import cv2
import numpy as np
import torch
from tqdm import tqdm

from training import measures
from training.alike import budget, trained
from training.bank import FaceBank, Surface, load_surface, photo_bank
from training.labelled import EYES
from training.look import look_from_pose
from training.marks import FEATURE_POINTS
from training.results import put, table
from training.sampling import regions_of
from training.sfn import SIDE, Sfn
from training.synthetic.scene import Studio

SCALES = ("single-scale", "multi-scale")
SERIES, PICTURES = 24, 8


def region_crop(picture: np.ndarray, region: np.ndarray) -> np.ndarray:
    """(SIDE, SIDE, 3) of a region (number, centre x, y, side) of a picture."""
    zoom = SIDE / region[3]
    shift = SIDE / 2 - region[1:3] * zoom
    matrix = np.array([[zoom, 0, shift[0]], [0, zoom, shift[1]]])
    return cv2.warpAffine(picture, matrix, (SIDE, SIDE), flags=cv2.INTER_AREA)


def face_regions(points: np.ndarray) -> np.ndarray:
    """(N, P, 2) px -> (N, 4) the region of each face: 0, centre x, y, side."""
    boxes = torch.from_numpy(np.concatenate([points.min(1), points.max(1)], 1))
    return regions_of(boxes, torch.zeros(len(boxes))).numpy()


def read(model: Sfn, crops: Iterable[np.ndarray]) -> list[np.ndarray]:
    """Rotation (N, 3, 3), centre (N, 2) and scale (N,) in the crop, identity, expression."""
    parts, crops = [], iter(crops)
    region = torch.tensor([[0.0, SIDE / 2, SIDE / 2, SIDE]])
    while some := list(islice(crops, 64)):
        pixels = torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2).float()
        with torch.no_grad():
            pose, identity, expression = model(pixels)
        look = look_from_pose(pose, region.repeat(len(pose), 1))
        parts.append([*look, identity, expression.clamp(0, 1)])
    return [torch.cat(column).numpy() for column in zip(*parts, strict=True)]


def judge(model: Sfn, bank: FaceBank, surface: Surface) -> dict[str, float]:
    """Errors on labelled faces that training never saw."""
    keys = ("rotation", "centre", "scale", "identity", "expression")
    truth = {key: np.asarray(getattr(bank, key)) for key in keys}
    points = surface.project(*(truth[key] for key in keys))
    regions = face_regions(points)
    crops = [region_crop(np.asarray(bank.crops[i]), regions[i]) for i in range(len(bank))]
    rotation, centre, scale, identity, expression = read(model, crops)
    zoom = (SIDE / regions[:, 3])[:, None]
    seen = (points - regions[:, None, 1:3]) * zoom[..., None] + SIDE / 2
    said = surface.project(rotation, centre, scale, identity, expression)
    order = list(surface.numbers)
    marks = [order.index(number) for number in FEATURE_POINTS]
    right, left = (seen[:, order.index(number)] for number in EYES)
    span = np.linalg.norm(left - right, axis=1)[:, None]
    off = np.linalg.norm(said[:, marks] - seen[:, marks], axis=2) / span
    trusted = bank.trusted > 0.5
    shapes = [measures.correlation(a, b) for a, b in zip(expression.T, truth["expression"].T,
                                                         strict=True)]  # fmt: skip
    turned = rotation.transpose(0, 2, 1) @ truth["rotation"]
    angle = np.degrees(np.arccos(np.clip((np.trace(turned, axis1=1, axis2=2) - 1) / 2, -1, 1)))
    return {
        "landmark error, % of the eye distance": 100 * float(off.mean()),
        "expression error": float(np.abs(expression - truth["expression"])[:, trusted].mean()),
        "expression correlation": float(np.nanmean(np.array(shapes)[trusted])),
        "rotation error, degrees": float(angle.mean()),
    }


def leakage(model: Sfn, spread: np.ndarray) -> dict[str, float]:
    """How far expression moves when something else does, over its spread among faces (52,)."""
    studio = Studio(192, 192)
    result = {}
    for vary in ("pose", "identity", "crop"):
        moved = []
        for k in tqdm(range(SERIES), desc=f"leakage by {vary}", disable=None):
            pictures = studio.series(np.random.default_rng([k, 7]), PICTURES, vary)
            crops = []
            for image, _, (truth, *_) in pictures:
                box = truth.box if vary != "crop" else pictures[0][2][0].box
                region = regions_of(torch.from_numpy(box[None]), torch.zeros(1)).numpy()[0]
                crops.append(region_crop(image, region))
            moved.append(read(model, crops)[4].std(0))
        result[f"leakage by {vary}"] = float((np.mean(moved, axis=0) / spread).mean())
    return result


def words_of(name: str) -> list[str]:
    """What `training.train` is told for one of SCALES."""
    return ["--network", "sfn", *(["--single-scale"] if name == "single-scale" else [])]


def main() -> None:
    arguments = budget(str(__doc__), steps=600, batch=48).parse_args()
    if not arguments.photos.is_file():
        raise SystemExit(f"{arguments.photos} is not there: make it with python -m training.fit")
    bank, surface = photo_bank(arguments.photos, held_back=True), load_surface()
    spread = np.maximum(np.asarray(bank.expression).std(0), 0.05)
    rows = {}
    for name in SCALES:
        checkpoint, minutes = trained(name, words_of(name), arguments)
        model = Sfn(name == "multi-scale")
        model.load_state_dict(torch.load(checkpoint, weights_only=True)["average"])
        model.eval()
        started = time.perf_counter()
        rows[name] = judge(model, bank, surface) | leakage(model, spread)
        rows[name]["parameters, million"] = (
            sum(value.numel() for key, value in model.named_parameters() if "hint" not in key) / 1e6
        )
        rows[name]["training, minutes"] = minutes
        print(f"{name}: judged in {time.perf_counter() - started:.0f} s")
    text = (
        f"{arguments.steps} steps of {arguments.batch} faces each, seed 0; "
        f"{len(bank)} held-back photographs.\n\n{table(rows)}"
    )
    print(text)
    put(arguments.output, "scales", text)


if __name__ == "__main__":
    main()
