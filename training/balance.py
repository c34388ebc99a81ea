# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes back what rounding a layer's weights changes in every face alike.

A weight stored in 8 bits is off by up to half a step. Where a layer hears values that are all above
0, such errors add up to a shift of its features that is the same in every face: shapes were off by
up to .07 for it (docs/decisions/0030). The bias takes it back ("bias correction", Nagel et al.,
"Data-Free Quantization through Weight Equalization and Bias Correction", ICCV 2019).
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from training.compress import ROUNDED_FROM, step_of


def rounded(weight: torch.Tensor) -> torch.Tensor:
    """(N, M) as `training.compress.compress` stores it, one step an output."""
    step = torch.from_numpy(step_of(weight.detach().numpy(), axis=0))
    return (weight / step).round() * step


@torch.no_grad()
def balance(model: nn.Module, show: Callable[[], object], rounded_from: int = ROUNDED_FROM) -> None:
    """Change the biases of the model's linear layers that will be rounded.

    Args:
        show: sends faces through the model; what its layers hear then is what they hear in general.
        rounded_from: as for `training.compress.compress`.
    """
    layers = [
        layer
        for layer in model.modules()
        if isinstance(layer, nn.Linear) and layer.weight.numel() >= rounded_from
    ]
    heard: dict[nn.Linear, list[torch.Tensor]] = {layer: [] for layer in layers}
    hooks = [
        layer.register_forward_pre_hook(lambda own, given: heard[own].append(given[0].clone()))
        for layer in layers
    ]
    try:
        show()
    finally:
        for hook in hooks:
            hook.remove()
    for layer, seen in heard.items():
        if seen:
            mean = torch.cat([part.flatten(0, -2) for part in seen]).mean(0)
            assert layer.bias is not None
            layer.bias += (layer.weight - rounded(layer.weight)) @ mean
