# SPDX-License-Identifier: GPL-3.0-or-later
"""The optimiser of every training run: Muon for matrices, AdamW for the rest.

Muon (Jordan et al., 2024) replaces the running mean of a matrix's gradients by the orthogonal
matrix nearest to it, so that directions that gradients rarely point to are learned as fast as
others. Scaled to AdamW's steps (Liu et al., "Muon is Scalable for LLM Training", 2025), it takes
AdamW's rates. What patches learn in five minutes is a third more than AdamW teaches them
(docs/decisions/0026).
"""

from __future__ import annotations

import torch
from torch import nn

DECAY = 0.02
LEAST_SIDE = 12
"""Matrices with fewer rows or columns go to AdamW: they have few directions to be told apart."""


class Matrix:
    """A weight as Muon is given it: one row an output, in the same memory.

    Raises:
        ValueError: the weight's memory is in an order that no matrix has.
    """

    def __init__(self, weight: nn.Parameter) -> None:
        self.weight = weight
        channels_last = weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last)
        self._order = (0, 2, 3, 1) if channels_last else tuple(range(weight.ndim))
        rows = self._rows(weight.detach())
        if rows.data_ptr() != weight.data_ptr():
            raise ValueError(f"a weight of shape {tuple(weight.shape)} cannot be seen as a matrix")
        self.rows = nn.Parameter(rows)

    def _rows(self, values: torch.Tensor) -> torch.Tensor:
        return values.permute(self._order).flatten(1)

    def take_gradient(self) -> None:
        """Give the matrix the gradient that its weight has now, if any."""
        gradient = self.weight.grad
        self.rows.grad = None if gradient is None else self._rows(gradient)


class Optimiser:
    """Teaches what learns of a model; biases and normalisation are not decayed."""

    def __init__(self, model: nn.Module, rate: float = 1e-3) -> None:
        learning = [p for p in model.parameters() if p.requires_grad]
        wide = [p for p in learning if p.ndim > 1 and min(p.flatten(1).shape) >= LEAST_SIDE]
        chosen = {id(p) for p in wide}
        small = [p for p in learning if p.ndim > 1 and id(p) not in chosen]
        plain = [p for p in learning if p.ndim < 2]
        self._matrices = [Matrix(p) for p in wide]
        others = [
            {"params": small, "weight_decay": DECAY},
            {"params": plain, "weight_decay": 0.0},
        ]
        # Neither takes an empty list.
        self._all: dict[str, torch.optim.Optimizer] = {}
        if wide:
            self._all["muon"] = torch.optim.Muon(
                [matrix.rows for matrix in self._matrices],
                lr=rate,
                weight_decay=DECAY,
                adjust_lr_fn="match_rms_adamw",
            )
        if small or plain:
            self._all["adamw"] = torch.optim.AdamW(others, lr=rate, fused=True)
        self._learning = learning

    @property
    def param_groups(self) -> list[dict]:
        """As PyTorch's optimisers have them; the learning rate is set there."""
        return [group for each in self._all.values() for group in each.param_groups]

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._learning:
            parameter.grad = None

    def step(self) -> None:
        """Learn from the gradients that the parameters have; those without any stay."""
        for matrix in self._matrices:
            matrix.take_gradient()
        for each in self._all.values():
            each.step()

    def state_dict(self) -> dict:
        """What `load_state_dict` needs to go on."""
        return {name: each.state_dict() for name, each in self._all.items()}

    def load_state_dict(self, state: dict) -> None:
        """Go on from what `state_dict` gave.

        Raises:
            ValueError: it is of another version, or of other parameters.
        """
        if state.keys() != self._all.keys():
            raise ValueError(
                "this checkpoint was written with another optimiser: start a new schedule from "
                "its weights with --restart"
            )
        for name, each in self._all.items():
            each.load_state_dict(state[name])
