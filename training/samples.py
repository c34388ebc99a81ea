# SPDX-License-Identifier: GPL-3.0-or-later
"""Sample predictions during training: the head model drawn over faces that are held back.

A loss can fall while faces go wrong; this is what to look at while a run is under way. The
pictures stay beside the checkpoint, in a folder that git ignores.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from torch import nn

from mfn_addon.face import EXPRESSIONS
from training import measures
from training.bank import FaceBank, Surface
from training.look import look_from_pose
from training.scenes import Composer
from training.sfn import SIDE
from training.tasks import Task

SHOWN, COLUMNS = 15, 5
JUDGED = 150
ZOOM = 2


class Samples:
    """The same held-back faces, read again at every checkpoint.

    Args:
        bank: held-back photographs (`training.bank.photo_bank`).
        backgrounds: face-free photographs, uint8 RGB.
    """

    def __init__(self, bank: FaceBank, backgrounds: list[np.ndarray], surface: Surface) -> None:
        composer = Composer([bank], [1.0], backgrounds, surface, SIDE, seed=1)
        scenes = [composer.crop() for _ in range(JUDGED)]
        self.surface = surface
        self.pictures = np.stack([scene.picture for scene in scenes])
        self.truth = np.concatenate([scene.expression for scene in scenes])

    def write(self, task: Task, model: nn.Module, folder: Path) -> None:
        """samples.png, and samples.csv: each shape's correlation with the fitted weights."""
        model.eval()
        device = next(model.parameters()).device
        pictures = torch.from_numpy(self.pictures).to(device).permute(0, 3, 1, 2).float()
        region = torch.tensor([[0.0, SIDE / 2, SIDE / 2, SIDE]], device=device)
        regions = region.repeat(len(pictures), 1)
        regions[:, 0] = torch.arange(len(pictures), device=device)
        with torch.no_grad():
            pose, identity, expression = task.read(model, pictures, regions)
        look = [part.cpu().numpy() for part in look_from_pose(pose, regions)]
        weights = [identity.cpu().numpy(), expression.clamp(0, 1).cpu().numpy()]
        self.draw(self.surface.project(*look, *weights), folder / "samples.png")
        rows = [
            f"{name},{measures.correlation(weights[1][:, i], self.truth[:, i]):.3f}"
            for i, name in enumerate(EXPRESSIONS)
        ]
        (folder / "samples.csv").write_text("expression,r\n" + "\n".join(rows) + "\n")

    def draw(self, points: np.ndarray, path: Path) -> None:
        tiles = []
        for picture, face in zip(self.pictures[:SHOWN], points, strict=False):
            large = cv2.resize(picture[..., ::-1], None, fx=ZOOM, fy=ZOOM)
            for x, y in face * ZOOM:
                cv2.circle(large, (int(x), int(y)), 1, (80, 255, 80), -1, cv2.LINE_AA)
            tiles.append(np.hstack([cv2.resize(picture[..., ::-1], large.shape[1::-1]), large]))
        rows = [np.hstack(tiles[i : i + COLUMNS]) for i in range(0, len(tiles), COLUMNS)]
        cv2.imwrite(str(path), np.vstack(rows))
