# SPDX-License-Identifier: GPL-3.0-or-later
"""What each network is and what it is trained for: the losses of one batch."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import IterableDataset

from training.feeding import LABELS, Crops, NearFaces, Scenes
from training.layers import dense, thin
from training.look import look_from_pose
from training.losses import (
    CLOSE_LOSSES,
    FAR_LOSSES,
    NEAR_LOSSES,
    FaceLoss,
    assign,
    box_loss,
    find_loss,
    steady_loss,
    verify_loss,
)
from training.model import Mfn, cell_centres
from training.regions import Survey
from training.running import fast_bf16
from training.sampling import REGION_MARGIN, regions_of
from training.sfn import Sfn

CLOSE = tuple(
    f"regions.{part}"
    for part in (
        *("local2", "local4", "local8", "joined", "details", "felt", "marks", "geometry"),
        *("pose_out", "expression_out", "refine"),
    )
)
"""Layers of close reading, by how their names begin: finding does not hear of them."""
PATCHES = tuple(f"regions.details.{part}" for part in ("face", "eye", "mouth", "glabella"))
"""Those of `training.marks.Details`: they learn from squares (`training.patches`)."""
LIKELIEST, FALSE_LIKELY, FALSE_RANDOM = 32, 4, 1
"""Of so many cells of a picture, the likeliest, some are looked at again; and of any cells."""
MANY_FALSE = 16
"""How many of the likeliest, where the second look learns alone."""


@dataclass(frozen=True)
class Task:
    """A network to train.

    Attributes:
        network: makes it. dataset: (arguments, batch size, first step) to endless batches.
        losses: (network, batch, face loss, device) to named losses.
        closeup_losses: the same of a batch of close-ups, which are learned from in turn, if any.
        learns: how the names of the layers that learn begin; the others stay as they are.
        read: (network, pictures (B, 3, H, W), regions (B, 4)) to pose, identity, expression of
            the face in each picture's region.
    """

    network: Callable[[argparse.Namespace], nn.Module]
    dataset: Callable[[argparse.Namespace, int, int], IterableDataset]
    losses: Callable[..., dict[str, torch.Tensor]]
    read: Callable[..., tuple[torch.Tensor, torch.Tensor, torch.Tensor]]
    closeup_losses: Callable[..., dict[str, torch.Tensor]] | None = None
    learns: tuple[str, ...] = ("",)


def pixels(batch: dict, device: torch.device) -> torch.Tensor:
    """(B, 3, H, W) float32 0..255 in the memory layout that convolutions like."""
    pictures = batch["pictures"].to(device).permute(0, 3, 1, 2).float()
    return pictures.contiguous(memory_format=torch.channels_last)


def jittered(regions: torch.Tensor, much: float = 1.0) -> torch.Tensor:
    """Regions as an imperfect detector would place them; `much`: over how it usually is."""
    out = regions.clone()
    out[:, 1:3] += torch.randn(len(out), 2) * 0.035 * much * regions[:, 3:4]
    out[:, 3] *= torch.exp(torch.randn(len(out)) * 0.06 * much)
    return out


@torch.no_grad()
def false_proposals(
    logits: torch.Tensor, boxes: torch.Tensor, batch: dict, likely_ones: int = FALSE_LIKELY
) -> torch.Tensor:
    """(M, 4) regions of what the cells propose where no face is, the likeliest above all.

    Args:
        logits: (B, N), boxes: (B, N, 4) of all cells. likely_ones: of a picture, at most.
    """
    regions = []
    for i in range(len(logits)):
        score, box = logits[i].detach().cpu(), boxes[i].detach().cpu()
        likely = score.topk(min(LIKELIEST, len(score))).indices
        some = likely[torch.randperm(len(likely))[:likely_ones]]
        some = torch.cat([some, torch.randint(len(score), (FALSE_RANDOM,))])
        mine = batch["picture"] == i
        truth, ignore = batch["box"][mine], batch["ignore"][mine]
        box = box[some]
        low = torch.maximum(box[:, None, :2], truth[None, :, :2])
        high = torch.minimum(box[:, None, 2:], truth[None, :, 2:])
        common = (high - low).clamp(min=0).prod(2)
        area = (box[:, 2:] - box[:, :2]).prod(1)[:, None]
        union = area + (truth[:, 2:] - truth[:, :2]).prod(1)[None] - common
        # Of faces that are not asked for, nothing is asked.
        allowed = torch.where(ignore[None], common / area < 0.3, common / union < 0.3).all(1)
        picked = box[allowed]
        regions.append(regions_of(picked, torch.full((len(picked),), i)))
    return torch.cat(regions)


def mfn_losses(
    model: Mfn, batch: dict, face_loss: FaceLoss, device: torch.device, *, boxes_alone: bool = False
) -> dict:
    """All losses of one batch of scenes, or those of finding faces alone."""
    pictures = pixels(batch, device)
    size = torch.tensor([float(pictures.shape[3]), float(pictures.shape[2])], device=device)
    with torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)):
        maps, pyramid = model.features(pictures)
    logits, boxes = model.candidates(pyramid)
    losses = cell_losses(logits, boxes, batch, (pictures.shape[3], pictures.shape[2]))
    keep = ~batch["ignore"]
    if keep.sum() > 1 and not boxes_alone:
        places = regions_of(batch["box"][keep], batch["picture"][keep])
        regions = jittered(places).to(device)
        others = false_proposals(logits, boxes, batch).to(device)
        looks = torch.cat([regions, jittered(places, 2.2).to(device), others])
        with torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)):
            survey, scores, exact = look_again(model, maps, pyramid, looks, size)
            survey = survey.of(torch.arange(len(regions), device=device))
            pose, identity, expression, hints = model.regions.near(maps, regions, size, survey)
            far_pose, far_expression = model.regions.far(survey)
        faces = 2 * len(regions)
        losses["verify"] = verify_loss(scores, faces)
        losses["refine"] = box_loss(exact[:faces], batch["box"][keep].to(device).repeat(2, 1))
        truth = {key: batch[key][keep].to(device) for key in LABELS}
        identity = identity.float()
        losses |= face_loss(
            pose.float(), identity, expression.float(), regions, truth, hints.float()
        )
        far = face_loss(
            far_pose.float(), survey.identity.float(), far_expression.float(), regions, truth
        )
        losses |= {f"far {key}": far[key] for key in FAR_LOSSES}
        losses["steady"] = steadiness(batch, pose, expression, regions, face_loss)
    return losses


def cell_losses(
    logits: torch.Tensor, boxes: torch.Tensor, batch: dict, size: tuple[int, int]
) -> dict[str, torch.Tensor]:
    """Those of finding faces, of all cells' logits (B, N) and boxes (B, N, 4) in pictures of a
    width and height in px."""
    centres, levels = cell_centres(*size)
    answers, left_out, wanted, given = [], [], [], []
    for i in range(len(logits)):
        mine = batch["picture"] == i
        answer, out, _ = assign(centres, levels, batch["box"][mine], batch["ignore"][mine])
        answers.append(answer)
        left_out.append(out)
        cells = torch.nonzero(answer >= 0)[:, 0]
        given.append(boxes[i, cells.to(boxes.device)])
        wanted.append(batch["box"][mine][answer[cells]])
    answer, out = (torch.stack(each).to(logits.device) for each in (answers, left_out))
    given_boxes, wanted_boxes = torch.cat(given), torch.cat(wanted).to(boxes.device)
    box = box_loss(given_boxes, wanted_boxes) if len(given_boxes) else logits.sum() * 0
    return {"find": find_loss(logits, answer, out), "box": box}


def find_losses(
    model: Mfn, batch: dict, face_loss: FaceLoss, device: torch.device
) -> dict[str, torch.Tensor]:
    """The same, with the maps that regions are read from as they are."""
    pictures = pixels(batch, device)
    with (
        torch.no_grad(),
        normalised_as_landed(model),
        torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)),
    ):
        pyramid = model.features(pictures)[1]
    logits, boxes = model.candidates(pyramid)
    return cell_losses(logits, boxes, batch, (pictures.shape[3], pictures.shape[2]))


def look_again(
    model: Mfn,
    maps: list[torch.Tensor],
    pyramid: list[torch.Tensor],
    looks: torch.Tensor,
    size: torch.Tensor,
    *,
    from_below: bool = True,
) -> tuple[Survey, torch.Tensor, torch.Tensor]:
    """The survey of (R, 4) regions in any order, and what the second look makes of them: score
    logits (R,) and boxes (R, 4). `from_below`: gradients reach what was surveyed."""
    order = torch.argsort(looks[:, 0], stable=True)
    back, looks = torch.argsort(order), looks[order]
    with torch.set_grad_enabled(from_below and torch.is_grad_enabled()):
        survey = model.regions.survey(maps, pyramid[0], looks, size)
    scores, exact = model.verify(maps, looks, size, survey)
    return survey.of(back), scores[back], exact[back]


def verify_losses(
    model: Mfn, batch: dict, face_loss: FaceLoss, device: torch.device
) -> dict[str, torch.Tensor]:
    """Those of the second look alone, with all that is below it as it is."""
    pictures = pixels(batch, device)
    size = torch.tensor([float(pictures.shape[3]), float(pictures.shape[2])], device=device)
    keep = ~batch["ignore"]
    places = regions_of(batch["box"][keep], batch["picture"][keep])
    with (
        normalised_as_landed(model, but=model.verify),
        torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)),
    ):
        with torch.no_grad():
            maps, pyramid = model.features(pictures)
            logits, boxes = model.candidates(pyramid)
        others = false_proposals(logits, boxes, batch, MANY_FALSE)
        looks = torch.cat([jittered(places), jittered(places, 2.2), others]).to(device)
        _, scores, exact = look_again(model, maps, pyramid, looks, size, from_below=False)
    faces = 2 * len(places)
    truth = batch["box"][keep].to(device).repeat(2, 1)
    refine = box_loss(exact[:faces], truth) if faces else exact.sum() * 0
    return {"verify": verify_loss(scores, faces), "refine": refine}


def steadiness(
    batch: dict,
    pose: torch.Tensor,
    expression: torch.Tensor,
    regions: torch.Tensor,
    face_loss: FaceLoss,
) -> torch.Tensor:
    """How far what was read of twins is apart; 0 where there are none."""
    if not batch["twins"]:
        return pose.sum() * 0
    rotation = look_from_pose(pose.float(), regions)[0]
    shapes = expression.float() / face_loss.deviation
    return steady_loss(rotation, shapes, regions[:, 3] / REGION_MARGIN)


@contextmanager
def normalised_as_landed(model: nn.Module, but: nn.Module | None = None) -> Iterator[None]:
    """Within, normalise by the running statistics: a batch of close-ups has others than the
    pictures that MFN is for. `but`: a part that is left out of this."""
    learning = set(but.modules()) if but is not None else set()
    layers = [m for m in model.modules() if isinstance(m, nn.BatchNorm2d) and m not in learning]
    for layer in layers:
        layer.eval()
    try:
        yield
    finally:
        for layer in layers:
            layer.train()


def whole(pictures: torch.Tensor, much: float) -> torch.Tensor:
    """(B, 4) regions that are the whole of their square pictures, jittered."""
    count, side = len(pictures), float(pictures.shape[3])
    regions = torch.tensor([[0, side / 2, side / 2, side]]).repeat(count, 1)
    regions[:, 0] = torch.arange(count)
    return jittered(regions, much).to(pictures.device)


def closeup_losses(
    model: Mfn, batch: dict, face_loss: FaceLoss, device: torch.device
) -> dict[str, torch.Tensor]:
    """NEAR_LOSSES of faces whose region is the whole of their picture, read by MFN."""
    return near_losses(model, batch, face_loss, device, "near", tuple(NEAR_LOSSES), much=0.5)


def close_losses(
    model: Mfn, batch: dict, face_loss: FaceLoss, device: torch.device
) -> dict[str, torch.Tensor]:
    """CLOSE_LOSSES of such faces, placed as a detector would, with what is below close reading as
    it is."""
    return near_losses(
        model, batch, face_loss, device, "close", tuple(CLOSE_LOSSES), much=1.0, from_below=False
    )


def near_losses(
    model: Mfn,
    batch: dict,
    face_loss: FaceLoss,
    device: torch.device,
    name: str,
    asked: tuple[str, ...],
    *,
    much: float,
    from_below: bool = True,
) -> dict[str, torch.Tensor]:
    """The losses that are asked for, with `name` before theirs. `much`: as for `jittered`;
    `from_below`: gradients reach the trunk."""
    pictures = pixels(batch, device)
    regions = whole(pictures, much)
    finer = batch.get("finer", 1)
    size = torch.tensor([pictures.shape[3] / finer] * 2, device=device)
    seen = torch.cat([regions[:, :1], regions[:, 1:] / finer], 1)
    with (
        normalised_as_landed(model),
        torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)),
    ):
        with torch.set_grad_enabled(from_below):
            below = batch.get("below") or model.features(F.avg_pool2d(pictures, finer), pictures)
            maps, pyramid = below
            survey = model.regions.survey(maps, pyramid[0], seen, size)
        if not from_below:
            batch["below"] = below  # it stays the same, should the batch come again
        pose, identity, expression, hints = model.regions.near(maps, seen, size, survey)
    truth = {key: batch[key].to(device) for key in LABELS}
    losses = face_loss(
        pose.float(), identity.float(), expression.float(), regions, truth, hints.float()
    )
    losses["steady"] = steadiness(batch, pose, expression, regions, face_loss)
    return {f"{name} {key}": losses[key] for key in asked}


def sfn_losses(model: Sfn, batch: dict, face_loss: FaceLoss, device: torch.device) -> dict:
    """All losses of one batch of crops; each crop is its face's region."""
    pictures = pixels(batch, device)
    with torch.autocast(device.type, torch.bfloat16, enabled=fast_bf16(device)):
        pose, identity, expression, hints = model.read(pictures)
    regions = whole(pictures, 0.0)
    truth = {key: batch[key].to(device) for key in LABELS}
    return face_loss(
        pose.float(), identity.float(), expression.float(), regions, truth, hints.float()
    )


def mfn_read(model: Mfn, pictures: torch.Tensor, regions: torch.Tensor) -> tuple:
    """As `Task.read`; the places are known, so nothing has to be found."""
    maps, pyramid = model.features(pictures)
    size = torch.tensor([pictures.shape[3], pictures.shape[2]], device=pictures.device)
    return model.regions(maps, pyramid[0], regions, size.float())


def sfn_read(model: Sfn, pictures: torch.Tensor, regions: torch.Tensor) -> tuple:
    """As `Task.read`; each picture is its face's region."""
    return model(pictures)


def new_mfn(arguments: argparse.Namespace) -> Mfn:
    return Mfn(thin if arguments.thin else dense)


TASKS = {
    "mfn": Task(new_mfn, Scenes, mfn_losses, mfn_read, closeup_losses),
    "detector": Task(new_mfn, Scenes, partial(mfn_losses, boxes_alone=True), mfn_read),
    "find": Task(new_mfn, Scenes, find_losses, mfn_read, learns=("around", "find")),
    "verify": Task(new_mfn, Scenes, verify_losses, mfn_read, learns=("verify",)),
    "close": Task(new_mfn, NearFaces, close_losses, mfn_read, learns=CLOSE),
    "sfn": Task(lambda arguments: Sfn(arguments.multi_scale), Crops, sfn_losses, sfn_read),
}
