# SPDX-License-Identifier: GPL-3.0-or-later
"""The optimiser of every training run: Muon for matrices, AdamW for the rest."""

from __future__ import annotations

import torch
from torch import nn

DECAY = 0.02
MOMENTUM = 0.95
LEAST_SIDE = 12
"""Matrices with fewer rows or columns go to AdamW: they have few directions to be told apart."""
ITERATIONS = 5
QUINTIC = (3.4445, -4.7750, 2.0315)
"""Singular values s to a s + b s^3 + c s^5: a few times over, all of 0.01 to 1 come near 1."""
HEARD = 0.05
"""How far the running mean of what a layer hears moves towards that of a batch."""
ADAMW_STEP = 0.2
"""Root mean square of what AdamW usually moves a weight by, over the learning rate."""


def orthogonal(matrix: torch.Tensor) -> torch.Tensor:
    """Nearly the orthogonal matrix that is nearest to an (N, M) one: singular values of 0.7 to 1.2.

    Newton-Schulz iteration with Jordan's coefficients (see `Muon`). It runs on the smaller Gram
    matrix: whatever X becomes is P X with a polynomial P of X X^T, so that X itself is multiplied
    twice and not three times an iteration; and in float32, since processors without bfloat16 take
    seconds for what `torch.optim.Muon` asks of them.
    """
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.T
    wide = wide / (wide.norm() + 1e-7)
    gram = wide @ wide.T
    a, b, c = QUINTIC
    whole = turned = torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
    for _ in range(ITERATIONS):
        now = turned @ gram @ turned
        turned = (a * whole + b * now + c * now @ now) @ turned
        turned = (turned + turned.T) / 2  # as it is, but for rounding
    out = turned @ wide
    return out if matrix.shape[0] <= matrix.shape[1] else out.T


class Muon(torch.optim.Optimizer):
    """Moves a weight by the orthogonal matrix nearest to the running mean of its gradients.

    So directions that gradients rarely point to are learned as fast as others (Jordan et al.,
    "Muon: an optimizer for hidden layers in neural networks", 2024). Convolutions are matrices of
    one row an output. Steps are as large as AdamW's (Liu et al., "Muon is Scalable for LLM
    Training", 2025), so that both take the same rates.

    One direction is left out, for weights of layers that `listen` knows: the mean of what the layer
    hears. What comes from rectified layers is all above 0, so that a step along its mean moves a
    feature by the same in every face, and steps as large in all directions move it out of reach
    within a few dozen: features fall silent (docs/decisions/0030). What is the same in every face
    is for biases and normalisation to learn.
    """

    def __init__(self, parameters: list[nn.Parameter], rate: float) -> None:
        super().__init__(parameters, {"lr": rate})

    def listen(self, layer: nn.Linear | nn.Conv2d) -> None:
        """Note the running mean of what the layer hears, each channel's, while it is trained."""
        layer.register_forward_pre_hook(self._note)

    @torch.no_grad()
    def _note(self, layer: nn.Module, inputs: tuple[torch.Tensor, ...]) -> None:
        if not layer.training:
            return
        assert isinstance(layer.weight, nn.Parameter)
        state, (heard, *_) = self.state[layer.weight], inputs
        if isinstance(layer, nn.Conv2d):
            mean = heard.mean((0, 2, 3), dtype=torch.float32)
        else:
            mean = heard.flatten(0, -2).mean(0, dtype=torch.float32)
        if "heard" in state:
            state["heard"].lerp_(mean, HEARD)
        else:
            state["heard"] = mean.clone()

    @torch.no_grad()
    def step(self) -> None:  # type: ignore[override]
        """Learn from the gradients that the weights have; those without any stay."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "mean" not in state:
                    state["mean"] = torch.zeros_like(weight)
                mean = state["mean"].lerp_(weight.grad, 1 - MOMENTUM)
                ahead = weight.grad.lerp(mean, MOMENTUM).flatten(1)  # Nesterov's: as it will be
                if "heard" in state:
                    ahead = without(ahead, state["heard"])
                move = orthogonal(ahead)
                size = ADAMW_STEP * max(move.shape) ** 0.5
                weight.mul_(1 - group["lr"] * DECAY)
                weight.add_(move.reshape(weight.shape), alpha=-group["lr"] * size)


def without(matrix: torch.Tensor, direction: torch.Tensor) -> torch.Tensor:
    """(N, M) rows without their parts along a direction (M / k,), each of whose numbers stands for
    k of them, as a channel does for the cells of a convolution's window."""
    along = direction.repeat_interleave(matrix.shape[1] // len(direction))
    along = along / (along.norm() + 1e-7)
    return matrix - torch.outer(matrix @ along, along)


class Optimiser:
    """Teaches what learns of a model; biases and normalisation are not decayed."""

    def __init__(self, model: nn.Module, rate: float = 1e-3) -> None:
        self._learning = [p for p in model.parameters() if p.requires_grad]
        wide, small, plain = [], [], []
        for parameter in self._learning:
            if parameter.ndim < 2:
                plain.append(parameter)
            elif min(parameter.flatten(1).shape) >= LEAST_SIDE:
                wide.append(parameter)
            else:
                small.append(parameter)
        # Neither takes an empty list.
        self._all: dict[str, torch.optim.Optimizer] = {}
        if wide:
            self._all["muon"] = muon = Muon(wide, rate)
            chosen = {id(weight) for weight in wide}
            for layer in model.modules():
                if isinstance(layer, nn.Linear | nn.Conv2d) and id(layer.weight) in chosen:
                    muon.listen(layer)
        if small or plain:
            self._all["adamw"] = torch.optim.AdamW(
                [
                    {"params": small, "weight_decay": DECAY},
                    {"params": plain, "weight_decay": 0.0},
                ],
                lr=rate,
                fused=True,
            )

    @property
    def param_groups(self) -> list[dict]:
        """As PyTorch's optimisers have them."""
        return [group for each in self._all.values() for group in each.param_groups]

    def set_rate(self, rate: float) -> None:
        """Learn at this rate from now on."""
        for group in self.param_groups:
            group["lr"] = rate

    def zero_grad(self) -> None:
        """Forget the gradients."""
        for parameter in self._learning:
            parameter.grad = None

    def step(self) -> None:
        """Learn from the gradients that the parameters have; those without any stay."""
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
