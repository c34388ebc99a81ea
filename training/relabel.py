# SPDX-License-Identifier: GPL-3.0-or-later
"""Label photographs anew by networks that have learned from them.

    python -m training.relabel training/weights/mfn.pt training/weights/sfn.pt --output OUT.npz

A fit (`training.fit`) follows the teacher's mistakes in each photograph; a network that learns from
thousands of fits averages them out. So labels that lean on what networks read, as published for
MFN, whose labels are SFN's (Chaudhuri et al., CVPR 2019), are nearer than the fits
(docs/decisions/0024). Each face is read as it is and mirrored. Where people have said what a face
shows, happiness or nothing, its smile leans a little on that (docs/decisions/0026). Held-back
photographs keep their fits: those judge.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from torch import nn
from tqdm import tqdm

from mfn_addon.face import EXPRESSIONS, load_head_model
from mfn_addon.face.mirror import mirror_matrix, mirror_order, mirror_rotation
from training import scales
from training.bank import Surface, load_surface
from training.look import look_from_pose
from training.model import Mfn
from training.running import fast_bf16, read_weights
from training.sfn import SIDE, Sfn
from training.tasks import TASKS

SHARE = 0.75
"""What the networks' readings have in a label; the fit has the rest."""
MARKED_SHARE = 0.35
"""The same for shapes of LOWER where people have marked the face: their mouths are in the fit."""
LOWER = tuple(
    number
    for number, name in enumerate(EXPRESSIONS)
    if name.startswith(("jaw", "mouth", "cheekPuff", "tongue"))
)
SMILE = (EXPRESSIONS.index("mouthSmileLeft"), EXPRESSIONS.index("mouthSmileRight"))
NAMED = ("happiness", "neutral")
"""Emotions, as people have named them, that say how much a mouth smiles."""
NAMED_SHARE = 0.3
"""What the mean smile of all faces of that name has in a label."""
BATCH = 32
KEYS = ("rotation", "centre", "scale", "identity", "expression")
Reader = Callable[[Iterable[np.ndarray]], Sequence[np.ndarray]]
"""(SIDE, SIDE, 3) crops of faces' regions to the values of KEYS, in px of the crops."""


def relabel(
    photos: Path,
    output: Path,
    reader: Reader,
    surface: Surface,
    share: float = 1.0,
    marked_share: float = 1.0,
) -> int:
    """Write the photographs' file anew, with what is read in those to learn from.

    Args:
        photos: as `training.fit` writes it, its crops beside it; the copy shares them.
        share: of what is read in a label; what stood there has the rest. marked_share: the same for
            shapes of LOWER where people have marked the face.

    Returns:
        How many photographs have new labels.
    """
    with np.load(photos) as data:
        kept = {key: data[key] for key in data.files}
    rows = np.flatnonzero(~kept["held_back"])
    crops = np.load(photos.with_suffix(".crops.npy"), mmap_mode="r")
    regions = scales.face_regions(surface.project(*(kept[key][rows] for key in KEYS)))
    shown = (
        scales.region_crop(np.asarray(crops[i]), region)
        for i, region in zip(rows, regions, strict=True)
    )
    said = dict(zip(KEYS, reader(shown), strict=True))
    zoom = SIDE / regions[:, 3]
    said["centre"] = (said["centre"] - SIDE / 2) / zoom[:, None] + regions[:, 1:3]
    said["scale"] = said["scale"] / zoom
    was = {key: kept[key][rows] for key in KEYS}
    mean = between(was, said, share)
    if "by_people" in kept:
        some = np.ix_(np.flatnonzero(kept["by_people"][rows]), LOWER)
        fit, seen = was["expression"][some], said["expression"][some]
        mean["expression"][some] = marked_share * seen + (1 - marked_share) * fit
    if "emotions" in kept:
        lean_on_names(mean["expression"], kept["emotions"][rows])
    for key, values in mean.items():
        kept[key][rows] = values
    output.parent.mkdir(parents=True, exist_ok=True)
    np.savez(output, **kept)  # type: ignore[arg-type]
    beside = output.with_suffix(".crops.npy")
    beside.unlink(missing_ok=True)
    beside.symlink_to(photos.with_suffix(".crops.npy").resolve())
    return len(rows)


def lean_on_names(expression: np.ndarray, emotions: np.ndarray) -> None:
    """Draw the smiles of (N, 52) weights towards the mean of their emotion's, in place.

    Smiles that nobody sees in a neutral face, and ones that were missed in a happy one, come nearer
    to what people said; between faces of one name their order stays.
    """
    for name in NAMED:
        some = np.ix_(emotions == name, SMILE)
        if len(expression[some]):
            expression[some] += NAMED_SHARE * (expression[some].mean() - expression[some])


def between(
    was: dict[str, np.ndarray], said: dict[str, np.ndarray], share: float
) -> dict[str, np.ndarray]:
    """The means of two labels of the same faces by KEYS; `said` counts by its share."""
    mean = {key: share * said[key] + (1 - share) * was[key] for key in KEYS}
    mean["scale"] = said["scale"] ** share * was["scale"] ** (1 - share)
    mean["rotation"] = nearest_rotation(mean["rotation"])
    return mean


def nearest_rotation(matrix: np.ndarray) -> np.ndarray:
    """(N, 3, 3) means of rotations -> the rotations nearest to them (Kabsch, 1976)."""
    u, _, v = np.linalg.svd(matrix)
    u[:, :, 2] *= np.sign(np.linalg.det(u @ v))[:, None]
    return u @ v


def load(path: Path) -> tuple[str, nn.Module]:
    """The name in `TASKS` and the network of a checkpoint, or of landed weights; none is thin.

    Raises:
        ValueError: the weights are of another version of the network, which would read nonsense.
    """
    state = read_weights(path)
    name = "mfn" if any(key.startswith("verify.") for key in state) else "sfn"
    model = Mfn() if name == "mfn" else Sfn()
    try:
        model.load_state_dict(state)
    except RuntimeError as error:
        raise ValueError(
            f"{path}: its layers are not those of today's {name.upper()}; train it first, "
            "or label by others"
        ) from error
    return name, model.eval()


def by_networks(networks: Sequence[tuple[str, nn.Module]]) -> Reader:
    """Reads crops by several networks, each as they are and mirrored: the means.

    In bfloat16 where that is quick, as they have learned.
    """
    order, matrix = mirror_order(), mirror_matrix(load_head_model())
    quick = fast_bf16(torch.device("cpu"))
    for _, network in networks:
        network.to(memory_format=torch.channels_last)

    def once(name: str, network: nn.Module, pixels: torch.Tensor, *, flip: bool) -> list:
        regions = torch.tensor([[0.0, SIDE / 2, SIDE / 2, SIDE]]).repeat(len(pixels), 1)
        regions[:, 0] = torch.arange(len(pixels))
        shown = (pixels.flip(3) if flip else pixels).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), torch.autocast("cpu", torch.bfloat16, enabled=quick):
            read = TASKS[name].read(network, shown, regions)
        pose, identity, expression = (part.float() for part in read)
        look = look_from_pose(pose, regions)
        said = [part.numpy() for part in (*look, identity, expression.clamp(0, 1))]
        if not flip:
            return said
        rotation, centre, scale, identity, expression = said
        centre = np.stack([SIDE - centre[:, 0], centre[:, 1]], 1)
        return [mirror_rotation(rotation), centre, scale, identity @ matrix.T, expression[:, order]]

    def reader(crops: Iterable[np.ndarray]) -> list[np.ndarray]:
        parts, crops = [], iter(crops)
        bar = tqdm(desc="reading", unit="face", disable=None)
        while some := list(islice(crops, BATCH)):
            pixels = torch.from_numpy(np.stack(some)).permute(0, 3, 1, 2).float()
            said = [
                once(name, network, pixels, flip=flip)
                for name, network in networks
                for flip in (False, True)
            ]
            parts.append([np.mean(values, 0) for values in zip(*said, strict=True)])
            bar.update(len(some))
        rotation, *others = (np.concatenate(column) for column in zip(*parts, strict=True))
        return [nearest_rotation(rotation), *others]

    return reader


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("networks", type=Path, nargs="+", help="checkpoints or landed weights")
    parser.add_argument("--photos", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--share", type=float, default=SHARE, help="of the networks in a label")
    parser.add_argument("--marked-share", type=float, default=MARKED_SHARE,
                        help="the same for mouths that people have marked")  # fmt: skip
    arguments = parser.parse_args()
    torch.set_num_threads(os.cpu_count() or 1)
    reader = by_networks([load(path) for path in arguments.networks])
    shares = arguments.share, arguments.marked_share
    count = relabel(arguments.photos, arguments.output, reader, load_surface(), *shares)
    print(f"{arguments.output}: {count} photographs labelled anew")


if __name__ == "__main__":
    main()
