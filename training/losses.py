# SPDX-License-Identifier: GPL-3.0-or-later
"""What MFN is trained for: finding faces, and 3DMM parameters measured on the face itself."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np
import torch
import torch.nn.functional as F

from training.look import look_from_pose, project
from training.marks import MARK_POINTS, Hints, cell_grid, mark_grid
from training.model import LEVELS
from training.sampling import REGION_MARGIN

MAP_SPREAD, PATCH_SPREAD = 0.045, 0.05
"""Of the region's and of a patch's side: 0.6 to 0.8 of a map's cell."""
GAPS = (
    *((159, 145), (160, 144), (158, 153), (386, 374), (385, 380), (387, 373)),
    *((13, 14), (82, 87), (312, 317), (81, 178), (311, 402)),
)
"""Teacher points whose distance is how far an eye or the mouth is open."""
FAR_LOSSES = ("rotation", "place", "expression", "landmarks")
"""What is asked of the far reading (`training.regions.Regions.far`), and how much it counts."""
FAR_SHARE = 0.25
NEAR_LOSSES = {"expression": 40.0, "finer": 10.0, "landmarks": 10.0, "gaps": 10.0}
"""What is asked of close-ups (`training.feeding.Closeups`), and how much it counts."""
CLOSE_LOSSES = NEAR_LOSSES | {
    "landmarks": 20.0, "rotation": 30.0, "place": 6.0, "identity": 0.15, "marks": 20.0, "maps": 0.6,
    "finer": 40.0, "steady": 5.0,
}  # fmt: skip
"""What is asked of close reading where it learns alone (docs/decisions/0021), and how much it
counts."""
STEADY_TURN, STEADY_SHAPES = 60.0, 1.5
READABLE = (20.0, 56.0)  # px: expression of smaller faces counts nothing, of larger ones fully


@dataclass
class Weights:
    """Of the losses; chosen so that each contributes about equally once learning has settled.

    At 1 and 2 the first two drowned: after 500 steps from nothing, crowds had an AP of .10 where
    boxes learned alone had .33 (docs/results.md).
    """

    find: float = 6.0
    box: float = 6.0
    verify: float = 6.0
    refine: float = 6.0
    rotation: float = 40.0
    place: float = 6.0
    identity: float = 0.15
    expression: float = 20.0
    landmarks: float = 20.0
    hints: float = 6.0
    marks: float = 20.0
    maps: float = 0.5
    finer: float = 20.0
    gaps: float = 40.0
    steady: float = 1.0

    def all(self) -> dict[str, float]:
        """By the losses' names, those of the far reading and of close-ups included."""
        own = asdict(self)
        own |= {f"far {key}": FAR_SHARE * own[key] for key in FAR_LOSSES}
        own |= {f"near {key}": weight for key, weight in NEAR_LOSSES.items()}
        return own | {f"close {key}": weight for key, weight in CLOSE_LOSSES.items()}


def assign(
    centres: torch.Tensor, levels: torch.Tensor, boxes: torch.Tensor, ignore: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Which candidate cells answer for which face of one picture.

    A cell answers for the face whose size its level covers and whose middle lies within 0.8
    strides of its own, the nearest one if several do.

    Args:
        centres: (N, 2) px, levels: (N,) of the cells; boxes: (K, 4); ignore: (K,) bool.

    Returns:
        (N,) face number or -1; (N,) bool, cells to leave out of the loss; and (K,) sizes.
    """
    size = (boxes[:, 2:] - boxes[:, :2]).amax(1)
    if len(boxes) == 0:
        none = torch.full((len(centres),), -1)
        return none, torch.zeros(len(centres), dtype=torch.bool), size
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    stride = torch.tensor([float(level.stride) for level in LEVELS])[levels]
    low = torch.tensor([level.smallest for level in LEVELS])[levels]
    high = torch.tensor([level.largest for level in LEVELS])[levels]
    away = (centres[:, None] - middle[None]).abs().amax(2) / stride[:, None]
    fits = (size[None] >= low[:, None]) & (size[None] < high[:, None]) & (away < 0.8)
    distance = torch.where(fits, away, torch.full_like(away, 9.0))
    nearest, face = distance.min(1)
    answer = torch.where(nearest < 9, face, torch.full_like(face, -1))
    # Around an ignored face, and just outside an answering cell, nothing is asked.
    inside = (centres[:, None] > boxes[None, :, :2]).all(2)
    inside &= (centres[:, None] < boxes[None, :, 2:]).all(2)
    left_out = (inside & ignore[None]).any(1)
    near_size = (size[None] >= low[:, None] * 0.7) & (size[None] < high[:, None] * 1.4)
    left_out |= ((away < 1.3) & near_size).any(1) & (answer < 0)
    answer = torch.where((answer >= 0) & ignore[answer.clamp(min=0)], -1, answer)
    return answer, left_out, size


def find_loss(logits: torch.Tensor, answer: torch.Tensor, left_out: torch.Tensor) -> torch.Tensor:
    """Focal loss (Lin et al., ICCV 2017) over all cells, divided by the number that answer."""
    target = (answer >= 0).float()
    p = torch.sigmoid(logits)
    weight = torch.where(target > 0, 0.6 * (1 - p) ** 2, 0.4 * p**2) * (~left_out)
    loss = F.binary_cross_entropy_with_logits(logits, target, reduction="none") * weight
    return loss.sum() / target.sum().clamp(min=1)


def box_loss(boxes: torch.Tensor, truth: torch.Tensor) -> torch.Tensor:
    """Generalised IoU loss (Rezatofighi et al., CVPR 2019) of (M, 4) boxes."""
    low = torch.maximum(boxes[:, :2], truth[:, :2])
    high = torch.minimum(boxes[:, 2:], truth[:, 2:])
    inter = (high - low).clamp(min=0).prod(1)
    area = (boxes[:, 2:] - boxes[:, :2]).prod(1)
    union = area + (truth[:, 2:] - truth[:, :2]).prod(1) - inter
    hull_low = torch.minimum(boxes[:, :2], truth[:, :2])
    hull = (torch.maximum(boxes[:, 2:], truth[:, 2:]) - hull_low).prod(1)
    giou = inter / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)
    return (1 - giou).mean()


def verify_loss(logits: torch.Tensor, faces: int) -> torch.Tensor:
    """Cross-entropy of (R,) logits, the first `faces` of which look at faces; both sides count
    alike, however many there are of each."""
    yes, no = F.softplus(-logits[:faces]), F.softplus(logits[faces:])
    return (yes.sum() / max(faces, 1) + no.sum() / max(len(no), 1)) / 2


def steady_loss(
    rotation: torch.Tensor, expression: torch.Tensor, size: torch.Tensor
) -> torch.Tensor:
    """How far the readings of the same faces by two cameras are apart.

    Noise, light and the box's place are nothing of the face; what they change shakes a character.

    Args:
        rotation: (R, 3, 3), expression: (R, 52) in units of each shape's deviation, and size: (R,)
            px of the faces; the second half shows the faces of the first.
    """
    turn, shapes = (
        (a - b).abs().flatten(1).mean(1)
        for a, b in (part.chunk(2) for part in (rotation, expression))
    )
    sure = readable(size).chunk(2)[0]
    return ((STEADY_TURN * turn + STEADY_SHAPES * shapes) * sure).sum() / sure.sum().clamp(min=1)


def readable(size: torch.Tensor) -> torch.Tensor:
    """How far the expression of faces of so many px can be told, 0..1."""
    return ((size - READABLE[0]) / (READABLE[1] - READABLE[0])).clamp(0, 1)


def map_loss(
    logits: torch.Tensor, places: torch.Tensor, grid: torch.Tensor, spread: float
) -> torch.Tensor:
    """(R,) cross-entropy of the marks' maps with a narrow Gaussian about each true place.

    Without it the maps stay as wide as the face (2.8 cells after 1,000 steps) and their means
    hardly follow a lid.
    """
    with torch.no_grad():
        # A Gaussian of the distance, but for what is the same in all cells of a map.
        near = 2 * places @ grid.T - grid.square().sum(1)
        target = torch.softmax(near / (2 * spread**2), 2)
    return (torch.logsumexp(logits, 2) - (target * logits).sum(2)).mean(1)


def gaps(points: torch.Tensor, pairs: torch.Tensor) -> torch.Tensor:
    """(R, P, 2) points, (G, 2) pairs -> (R, G, 2) from the first of each pair to the second."""
    return points[:, pairs[:, 1]] - points[:, pairs[:, 0]]


class FaceLoss:
    """The losses of the parameters that are read from regions.

    Args:
        neutral, basis, weight: the training surface (`training.bank.Surface`).
        numbers: (P,) which teacher point each surface point is.
        deviation: (52,) standard deviation of each expression in the training labels; errors are
            counted in it, else the rare shapes collapse to their mean.
    """

    def __init__(
        self,
        neutral: np.ndarray,
        basis: np.ndarray,
        weight: np.ndarray,
        numbers: np.ndarray,
        deviation: np.ndarray,
    ) -> None:
        self.neutral = torch.from_numpy(neutral).float()
        self.basis = torch.from_numpy(basis).float()
        self.weight = torch.from_numpy(weight).float()
        self.deviation = torch.from_numpy(deviation).float()
        self.grid = mark_grid()
        order = list(numbers)
        self.marks = torch.tensor([order.index(number) for number in MARK_POINTS])
        self.gaps = torch.tensor([[order.index(number) for number in pair] for pair in GAPS])
        self.mark_gaps = torch.tensor([[MARK_POINTS.index(n) for n in pair] for pair in GAPS])

    def to(self, device: torch.device) -> FaceLoss:
        """Move its tensors; returns itself."""
        for name, value in vars(self).items():
            setattr(self, name, value.to(device))
        return self

    def points(
        self,
        rotation: torch.Tensor,
        centre: torch.Tensor,
        scale: torch.Tensor,
        weights: torch.Tensor,
    ) -> torch.Tensor:
        """(R, P, 2) px of the surface points."""
        return project(self.neutral, self.basis, rotation, centre, scale, weights)

    def __call__(
        self,
        pose: torch.Tensor,
        identity: torch.Tensor,
        expression: torch.Tensor,
        regions: torch.Tensor,
        truth: dict,
        hints: Hints | None = None,
    ) -> dict[str, torch.Tensor]:
        """The losses of R regions; `truth` holds the labels of the faces in them."""
        rotation, centre, scale = look_from_pose(pose, regions)
        side = regions[:, 3]
        size = side / REGION_MARGIN
        clear = readable(size)
        sure = ((size - 8) / 16).clamp(0.1, 1)

        def mean(values: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
            return (values * weight).sum() / weight.sum().clamp(min=1)

        seen = self.points(truth["rotation"], truth["centre"], truth["scale"],
                           torch.cat([truth["identity"], truth["expression"]], 1))  # fmt: skip
        said = self.points(rotation, centre, scale, torch.cat([identity, expression], 1))
        off = (said - seen).abs().sum(2) / side[:, None]
        off = (off * self.weight).sum(1) / self.weight.sum()
        marked = (seen - regions[:, None, 1:3]) / side[:, None, None]
        hint_off = mark_off = heat = finer_off = torch.zeros_like(off)
        true_gaps = gaps(marked, self.gaps)
        gap_off = (gaps(said, self.gaps) / side[:, None, None] - true_gaps).abs().sum(2).mean(1)
        if hints is not None:
            for hint in hints.points:
                each = (hint[:, : marked.shape[1]] - marked).abs().sum(2)
                hint_off = hint_off + (each * self.weight).sum(1) / self.weight.sum()
            places = marked[:, self.marks]
            finer_off = (hints.marks - places).abs().sum(2).mean(1)
            gap_off = gap_off + (gaps(hints.marks, self.mark_gaps) - true_gaps).abs().sum(2).mean(1)
            mark_off = (hints.guess - places).abs().sum(2).mean(1)
            features = places[:, : hints.heat.shape[1]]
            heat = map_loss(hints.heat, features, self.grid, MAP_SPREAD)
            for patch in hints.patches:
                grid = cell_grid(round(patch.logits.shape[2] ** 0.5)).to(places)
                heat = heat + map_loss(patch.logits, patch.within(places), grid, PATCH_SPREAD)
        normal = (expression - truth["expression"]) / self.deviation
        trusted = truth["trusted"]
        expression_off = (
            F.smooth_l1_loss(normal, torch.zeros_like(normal), reduction="none", beta=5.0) * trusted
        ).sum(1) / trusted.sum(1)
        place = (centre - truth["centre"]).abs().sum(1) / side
        place = place + (scale.log() - truth["scale"].log()).abs()
        return {
            "rotation": mean((rotation - truth["rotation"]).abs().mean((1, 2)), sure),
            "place": mean(place, sure),
            "identity": mean((identity - truth["identity"]).abs().mean(1), clear),
            "expression": mean(expression_off, clear),
            "landmarks": mean(off, sure),
            "hints": mean(hint_off, sure),
            "marks": mean(mark_off, sure),
            "maps": mean(heat, sure),
            "finer": mean(finer_off, sure),
            "gaps": mean(gap_off, clear),
        }
