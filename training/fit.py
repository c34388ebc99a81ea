# SPDX-License-Identifier: GPL-3.0-or-later
"""Fit the head model to labelled photographs: one vocabulary for all that the networks learn.

    python -m training.fit --data ../shared/data --output training/runs/photos.npz

The teacher's 52 scores have gains and resting levels of their own, and stay at zero for some
shapes. So each photograph gets pose, identity and expression weights of *our* head model by
regularised least squares on the teacher's 478 landmarks, with its trustworthy scores, freed of
their resting level, as a prior (as 3DMM labels are made in the field: Blanz and Vetter, PAMI
2003). Weights stay in 0..1 by an active set. Photographs of one person share their identity; what
people have marked of the mouth counts where there is some (`training.people_marks`).
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from tqdm import tqdm

from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS, HeadModel, load_head_model
from mfn_addon.face.camera import VIEWING_DISTANCE
from training import photos
from training.correspondence import IRIS_LEFT, IRIS_RIGHT, LOWER_LIP, UPPER_LIP, load_teacher_points

# What the teacher never answers, or answers the same to everything: no evidence, so zero.
UNSEEN_BY_TEACHER = (
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight", "noseSneerLeft", "noseSneerRight",
    "jawForward", "jawLeft", "jawRight", "tongueOut", "mouthDimpleLeft", "mouthDimpleRight",
    "mouthShrugUpper", "mouthClose",
)  # fmt: skip
PRIOR_DEVIATION = 0.08  # how far a weight may stray from the teacher's score, one sigma
UNSEEN_DEVIATION = 0.06
LANDMARK_DEVIATION = 0.0035  # metres on the head, correlated errors counted in
EYE_LIP_GAIN = 2.0  # lids and lips are small and matter most
CLOSED_EYE_SHAPES = ("eyeLookDown", "eyeLookUp", "eyeSquint")
CLOSED_EYE_SHARE = 0.85
"""How much of these shapes' expectation and freedom a closed eye takes away. All three move the
lids, so that least squares share a blink among them; animators, and the rigs' makers, do not."""
PITCH_DEVIATION = np.radians(0.7)
"""How far a fit's pitch may stray from the teacher's. Brows, jaw and the nose's length explain a
nod nearly as well as a nod does: landmarks alone leave two degrees open, and fill them with what
the face does (docs/decisions/0008)."""
FRONT = np.sin(np.radians(25))  # profiles are left out where pitches are compared
IDENTITY_DEVIATION = 1.0
SHARED_IDENTITY_DEVIATION = 0.25


@dataclass
class Points:
    """The teacher's points on the head model: the 468 of the skin, then the two iris centres.

    Attributes:
        neutral: (470, 3); basis: (92, 470, 3) identity modes then expressions, metres.
        weight: (470,) of each point's residual.
    """

    neutral: torch.Tensor
    basis: torch.Tensor
    weight: torch.Tensor


def teacher_points(model: HeadModel, source_vertex: np.ndarray) -> Points:
    """The points that the teacher's landmarks 0..467 and its iris centres stand for."""
    corners, weights = load_teacher_points(source_vertex)

    def on_skin(array: np.ndarray) -> np.ndarray:
        return (array[..., corners, :] * weights[..., None]).sum(-2)

    irises = []
    for name in ("eyeRight", "eyeLeft"):
        ball = np.unique(model.triangles_of(name))
        front = model.neutral[ball, 2]
        irises.append(ball[front > front.max() - 0.0012])  # the cornea's tip

    def at(array: np.ndarray) -> np.ndarray:
        tips = [array[..., iris, :].mean(-2, keepdims=True) for iris in irises]
        return np.concatenate([on_skin(array), *tips], axis=-2)

    weight = np.ones(470, np.float32)
    lids = [246, 161, 160, 159, 158, 157, 173, 7, 163, 144, 145, 153, 154, 155,
            466, 388, 387, 386, 385, 384, 398, 249, 390, 373, 374, 380, 381, 382]  # fmt: skip
    weight[lids + UPPER_LIP + LOWER_LIP + [61, 291, 78, 308, 468, 469]] = EYE_LIP_GAIN
    basis = np.concatenate([at(model.identity), at(model.expression)])
    return Points(*(torch.from_numpy(np.float32(a)) for a in (at(model.neutral), basis, weight)))


def prior_scores(scores: np.ndarray) -> np.ndarray:
    """The teacher's (N, 52) scores without their resting level, 0..1."""
    rest = np.nan_to_num(np.nanquantile(np.nan_to_num(scores), 0.2, axis=0))
    prior = np.clip((np.nan_to_num(scores) - rest) / (1 - rest), 0, 1)
    prior[:, [EXPRESSION_INDEX[name] for name in UNSEEN_BY_TEACHER]] = 0
    return prior.astype(np.float32)


def lid_closure(prior: np.ndarray) -> np.ndarray:
    """(N, 52) -> (N, 52): the blink expected of the same eye where a shape moves lids, else 0."""
    closed = np.zeros_like(prior)
    for side in ("Left", "Right"):
        for name in CLOSED_EYE_SHAPES:
            blink = prior[:, EXPRESSION_INDEX["eyeBlink" + side]]
            closed[:, EXPRESSION_INDEX[name + side]] = blink
    return closed


def observed_points(landmarks: np.ndarray) -> np.ndarray:
    """(N, 478, 2) -> (N, 470, 2): the skin points and the two iris centres."""
    return np.concatenate([landmarks[:, :468], landmarks[:, [IRIS_RIGHT, IRIS_LEFT]]], 1)


def rotations(vector: torch.Tensor) -> torch.Tensor:
    """(N, 3) axis-angle -> (N, 3, 3), by the matrix exponential."""
    zero = torch.zeros_like(vector[:, 0])
    x, y, z = vector.unbind(1)
    skew = torch.stack([zero, -z, y, z, zero, -x, -y, x, zero], 1).view(-1, 3, 3)
    return torch.linalg.matrix_exp(skew)


@dataclass
class Fit:
    """Result of a fit to N faces: what `face.camera.project_local` takes, and the weights."""

    rotation: np.ndarray  # (N, 3, 3) relative to the line of sight
    centre: np.ndarray  # (N, 2) px
    scale: np.ndarray  # (N,) px a metre
    identity: np.ndarray  # (N, 40)
    expression: np.ndarray  # (N, 52)
    error: np.ndarray  # (N,) rms residual over the face box's longer side


def solve(
    points: Points,
    observed: np.ndarray,
    prior: np.ndarray,
    identity: np.ndarray | None = None,
    pitch: np.ndarray | None = None,
    steps: int = 9,
) -> Fit:
    """Gauss-Newton on N faces at once.

    Args:
        points: where the landmarks lie on the head model.
        observed: (N, 470, 2) px.
        prior: (N, 52) expected expression weights.
        identity: (N, 40) expected identity, held tightly, or None for the mean head, loosely.
        pitch: (N,) expected pitch relative to the line of sight, radians, or None.
    """
    seen = torch.from_numpy(observed).float() * torch.tensor([1.0, -1.0])  # y up
    count, modes = len(seen), len(points.basis) - len(EXPRESSIONS)
    # Start facing the camera, in the plane's best similarity to the mean head.
    plain = points.neutral[:, :2] - points.neutral[:, :2].mean(0)
    middle = seen.mean(1)
    turn = torch.einsum("npi,pj->nij", seen - middle[:, None], plain) / plain.pow(2).sum()
    along = turn[:, 0, 0] + turn[:, 1, 1]
    across = turn[:, 1, 0] - turn[:, 0, 1]
    scale = torch.hypot(along, across)
    roll = torch.atan2(across, along)
    rotation = rotations(torch.stack([0 * roll, 0 * roll, roll], 1))
    offset = rotation[:, :2, :2] @ points.neutral[:, :2].mean(0)
    centre = middle - scale[:, None] * offset
    deviation = torch.full((len(EXPRESSIONS),), PRIOR_DEVIATION)
    deviation[[EXPRESSION_INDEX[name] for name in UNSEEN_BY_TEACHER]] = UNSEEN_DEVIATION
    left = 1 - CLOSED_EYE_SHARE * torch.from_numpy(lid_closure(prior)).float()
    expected = torch.cat(
        [
            torch.zeros(count, modes) if identity is None else torch.from_numpy(identity).float(),
            torch.from_numpy(prior).float() * left,
        ],
        1,
    )
    loose = IDENTITY_DEVIATION if identity is None else SHARED_IDENTITY_DEVIATION
    stiffness = torch.cat([torch.full((count, modes), loose), deviation * left], 1) ** -2
    weights = expected.clone()
    row_weight = (points.weight / LANDMARK_DEVIATION).repeat_interleave(2)
    for step in range(steps):
        shape = points.neutral + torch.einsum("nk,kpc->npc", weights, points.basis)
        turned = shape @ rotation.transpose(1, 2)
        depth = VIEWING_DISTANCE / (VIEWING_DISTANCE - turned[..., 2:])
        plane = turned[..., :2] * depth
        residual = (seen - centre[:, None]) / scale[:, None, None] - plane
        # Columns: rotation (3), centre (2, metres), log scale, then the weights.
        cross = torch.zeros(count, turned.shape[1], 3, 3)
        x, y, z = turned.unbind(-1)
        cross[..., 0, 1], cross[..., 0, 2] = z, -y  # d(turned)/d(rotation vector), transposed
        cross[..., 1, 0], cross[..., 1, 2] = -z, x
        cross[..., 2, 0], cross[..., 2, 1] = y, -x
        moved = cross.transpose(2, 3)  # (N, P, vector, xyz)

        def to_plane(
            offset: torch.Tensor, at: torch.Tensor = plane, d: torch.Tensor = depth
        ) -> torch.Tensor:
            # offset (N, K, P, 3): derivative of the perspective division
            return d[:, None] * offset[..., :2] + at[:, None] * offset[..., 2:] * (
                d[:, None] / VIEWING_DISTANCE
            )

        directions = torch.einsum("kpc,ndc->nkpd", points.basis, rotation)
        jacobian = torch.cat(
            [
                to_plane(moved.permute(0, 2, 1, 3)),
                torch.eye(2)[None, :, None].expand(count, 2, turned.shape[1], 2),
                plane[:, None],
                to_plane(directions),
            ],
            1,
        ).flatten(2)  # (N, 6 + 92, P * 2)
        weighted = jacobian * row_weight
        normal = weighted @ weighted.transpose(1, 2)
        right = (weighted @ (residual.flatten(1) * row_weight)[..., None])[..., 0]
        normal[:, 6:, 6:] += torch.diag_embed(stiffness)
        right[:, 6:] += stiffness * (expected - weights)
        normal[:, :6, :6] += 1e2 * torch.eye(6)
        if pitch is not None:
            now = torch.asin((-rotation[:, 1, 2]).clamp(-1, 1))
            axis = F.normalize(rotation[:, :, 2] * torch.tensor([1.0, 0.0, 1.0]), dim=1)
            axis = torch.stack([axis[:, 2], axis[:, 1], -axis[:, 0]], 1)  # about which heads nod
            normal[:, :3, :3] += axis[:, :, None] * axis[:, None] / PITCH_DEVIATION**2
            off = (torch.from_numpy(pitch).float() - now) / PITCH_DEVIATION**2
            right[:, :3] += axis * off[:, None]
        # Active set: a weight at its bound that wants to go beyond it stays.
        free = torch.ones_like(right, dtype=torch.bool)
        part = weights[:, modes:]
        pull = right[:, 6 + modes :]
        free[:, 6 + modes :] = ~(((part <= 0) & (pull < 0)) | ((part >= 1) & (pull > 0)))
        if step < 3:  # pose first
            free[:, 6:] = False
        mask = free.float()
        normal = normal * mask[:, :, None] * mask[:, None] + torch.diag_embed(1 - mask)
        delta = torch.linalg.solve(normal, (right * mask)[..., None])[..., 0]
        rotation = rotations(delta[:, :3].clamp(-0.5, 0.5)) @ rotation
        centre = centre + delta[:, 3:5] * scale[:, None]
        scale = scale * torch.exp(delta[:, 5].clamp(-0.3, 0.3))
        weights = weights + delta[:, 6:]
        weights[:, modes:].clamp_(0, 1)
    span = (seen.amax(1) - seen.amin(1)).amax(1)
    error = residual.pow(2).sum(-1).mean(1).sqrt() * scale / span
    return Fit(
        rotation=rotation.numpy(),
        centre=(centre * torch.tensor([1.0, -1.0])).numpy(),
        scale=scale.numpy(),
        identity=weights[:, :modes].numpy(),
        expression=weights[:, modes:].numpy(),
        error=error.numpy(),
    )


def solve_all(
    points: Points,
    observed: np.ndarray,
    prior: np.ndarray,
    identity: np.ndarray | None = None,
    pitch: np.ndarray | None = None,
    batch: int = 64,
) -> Fit:
    """`solve` in batches, with a progress bar."""
    parts = [
        solve(
            points,
            observed[i : i + batch],
            prior[i : i + batch],
            None if identity is None else identity[i : i + batch],
            None if pitch is None else pitch[i : i + batch],
        )
        for i in tqdm(range(0, len(observed), batch), desc="fitting", unit="batch")
    ]
    return Fit(*(np.concatenate([getattr(p, f) for p in parts]) for f in Fit.__annotations__))


def thinned(points: Points, keep: np.ndarray) -> Points:
    """Some of the points: the cheeks have more of them than they have information."""
    return Points(points.neutral[keep], points.basis[:, keep], points.weight[keep])


def learn_definition(points: Points, observed: np.ndarray, fit: Fit) -> torch.Tensor:
    """(470, 3) constant offsets of the teacher's points against ours, head frame, metres.

    Each point's mean residual over many poses, by least squares; what a constant offset
    explains is a difference of definition and none of the face.
    """
    rotation = torch.from_numpy(fit.rotation)
    weights = torch.from_numpy(np.concatenate([fit.identity, fit.expression], 1))
    shape = points.neutral + torch.einsum("nk,kpc->npc", weights, points.basis)
    turned = shape @ rotation.transpose(1, 2)
    depth = VIEWING_DISTANCE / (VIEWING_DISTANCE - turned[..., 2:])
    plane = (torch.from_numpy(observed) - torch.from_numpy(fit.centre)[:, None]) / torch.from_numpy(
        fit.scale
    )[:, None, None]
    residual = plane * torch.tensor([1.0, -1.0]) - turned[..., :2] * depth
    rows = rotation[:, :2]  # (N, 2, 3): image displacement of a head-frame offset
    normal = torch.einsum("nij,nik->jk", rows, rows) + 0.05 * len(rows) * torch.eye(3)
    right = torch.einsum("nij,npi->pj", rows, residual)
    return torch.linalg.solve(normal, right.T).T


def mean_identity(fit: Fit, persons: np.ndarray) -> np.ndarray:
    """(N, 40): each person's identity averaged over their photographs, shrunk to the mean head."""
    _, person = np.unique(persons, return_inverse=True)
    trust = 1 / np.maximum(fit.error, 0.008) ** 2 * (np.abs(fit.rotation[:, 0, 2]) < 0.6)
    trust += 1e-3
    total = np.bincount(person, trust)
    total_identity = np.stack([np.bincount(person, trust * column) for column in fit.identity.T], 1)
    return (total_identity / total[:, None])[person].astype(np.float32)


def teacher_pitch(fit: Fit, rotation: np.ndarray) -> np.ndarray:
    """(N,) the teacher's pitch, radians, with the gain and the level of the fits' own.

    Args:
        rotation: (N, 3, 3) the teacher's, relative to the line of sight.
    """
    theirs, ours = (np.arcsin(np.clip(-r[:, 1, 2], -1, 1)) for r in (rotation, fit.rotation))
    front = np.abs(fit.rotation[:, 0, 2]) < FRONT
    gain = ours[front].std() / theirs[front].std()
    return (gain * (theirs - theirs[front].mean()) + ours[front].mean()).astype(np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=photos.data_folder())
    parser.add_argument("--output", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--definition-faces", type=int, default=1500)
    arguments = parser.parse_args()
    if arguments.data is None:
        raise SystemExit("no development data: give --data or set MFN_DATA")
    from training import people_marks  # it builds on this module

    model = load_head_model()
    with np.load("models/head_model.npz") as data:
        points = teacher_points(model, data["source_vertex"])
    sets = [photos.load(name, arguments.data) for name in photos.SETS]
    landmarks = np.concatenate([s.landmarks for s in sets])
    observed = observed_points(landmarks)
    important = np.flatnonzero(points.weight.numpy() > 1)
    keep = np.union1d(important, np.arange(0, len(points.weight), 2))
    points, observed = thinned(points, keep), observed[:, keep]
    prior = np.concatenate([prior_scores(s.scores) for s in sets])
    persons = np.concatenate([[f"{s.name}/{p}" for p in s.persons] for s in sets])
    random = np.random.default_rng(0)
    some = random.choice(len(observed), min(arguments.definition_faces, len(observed)), False)
    for _ in range(2):
        fit = solve_all(points, observed[some], prior[some])
        offset = learn_definition(points, observed[some], fit)
        points.neutral += offset
        print(f"median error {np.median(fit.error):.4f} of the face; "
              f"definition moved by {offset.norm(dim=1).mean() * 1e3:.2f} mm")  # fmt: skip
    fit = solve_all(points, observed, prior)
    print(f"alone: median error {np.median(fit.error):.4f}")
    pitch = teacher_pitch(fit, np.concatenate([s.rotation for s in sets]))
    fit = solve_all(points, observed, prior, pitch=pitch)
    print(f"with the teacher's pitch: median error {np.median(fit.error):.4f}")
    fit = solve_all(points, observed, prior, mean_identity(fit, persons), pitch)
    print(f"one identity a person: median error {np.median(fit.error):.4f}")
    by_people = np.concatenate([s.landmarks68 for s in sets])
    held_back = np.concatenate([s.held_back for s in sets])
    marked = people_marks.usable(by_people, fit, held_back)
    fit = people_marks.refit(model, points, observed, by_people, prior, fit, pitch, marked)
    print(f"with what people have marked: median error {np.median(fit.error):.4f}")
    save(arguments.output, sets, fit, points, keep, persons, marked)


def save(
    output: Path,
    sets: list,
    fit: Fit,
    points: Points,
    keep: np.ndarray,
    persons: np.ndarray,
    marked: np.ndarray,
) -> None:
    """Crops and labels, in crop pixels, ready for training; `marked` are the rows in which what
    people have marked counts."""
    crops, matrices = [], []
    total = sum(len(s.members) for s in sets)
    with tqdm(total=total, desc="cropping", unit="face") as bar:
        for s in sets:
            for row, picture in s.pictures():
                matrix = photos.crop_matrix(s.landmarks[row])
                matrices.append(matrix)
                crops.append(photos.crop(picture, matrix))
                bar.update()
    matrix = np.array(matrices)
    zoom = matrix[:, 0, 0]
    landmarks = np.concatenate([s.landmarks for s in sets])
    output.parent.mkdir(parents=True, exist_ok=True)
    np.save(output.with_suffix(".crops.npy"), np.array(crops))
    np.savez(
        output,
        landmarks=(landmarks * zoom[:, None, None] + matrix[:, None, :, 2]).astype(np.float32),
        rotation=fit.rotation,
        centre=(fit.centre * zoom[:, None] + matrix[:, :, 2]).astype(np.float32),
        scale=(fit.scale * zoom).astype(np.float32),
        identity=fit.identity,
        expression=fit.expression,
        error=fit.error,
        by_people=np.isin(np.arange(total), marked),
        scores=np.concatenate([s.scores for s in sets]),
        held_back=np.concatenate([s.held_back for s in sets]),
        persons=persons,
        emotions=np.concatenate([s.emotions for s in sets]).astype(str),
        set=np.concatenate([np.full(len(s.members), s.name) for s in sets]),
        zoom=zoom,
        definition=points.neutral.numpy(),
        definition_points=keep,
    )
    print(f"{output}: {len(crops)} faces")


if __name__ == "__main__":
    main()
