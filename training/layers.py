# SPDX-License-Identifier: GPL-3.0-or-later
"""What both networks are built of: Fire modules (SqueezeNet, Iandola et al. 2016) with
squeeze-and-excitation (Hu et al., CVPR 2018), and MFN's trunk of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import nn

GREY, CONTRAST = 114.0, 64.0
"""The grey that networks take for nothing, and the grey levels that are one to them."""
LEAK = 0.1
Conv3 = Callable[..., nn.Sequential]
"""(inputs, outputs, stride=1) to a 3x3 convolution, normalised and rectified: `dense` or `thin`."""


def normalised(pictures: torch.Tensor) -> torch.Tensor:
    """Pixels 0..255 as the networks' layers are given them."""
    return (pictures - GREY) / CONTRAST


def leaky() -> nn.LeakyReLU:
    """What follows layers that nothing normalises (Maas et al., ICML 2013).

    Their inputs are all above 0, so a layer's outputs drift up and down together, and what has
    drifted below 0 in every face is never heard nor taught again: after thirty hours a rectified
    layer of 160 had 7 features left (docs/decisions/0029).
    """
    return nn.LeakyReLU(LEAK, inplace=True)


def conv(inputs: int, outputs: int, size: int = 1, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, size // 2, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def dense(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 from every input to every output."""
    return conv(inputs, outputs, 3, stride)


def thin(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
    """3x3 between a quarter of the inputs and a quarter of the outputs, 1x1 before and after.

    What a trained `dense` one takes and gives lies nearly in so small spaces (Tucker-2, Kim et
    al., ICLR 2016): it can be cut to this (`training.thinning`) and does an eighth of the work.
    Channels come in eights, as processors like them; few ones stay as they are
    (docs/decisions/0012).
    """
    if inputs <= 8:
        return dense(inputs, outputs, stride)
    squeezed = inputs if inputs <= 16 else eights(inputs / 4)
    rank = max(16, eights(outputs / 4))
    return nn.Sequential(
        nn.Sequential(
            nn.Identity() if squeezed == inputs else nn.Conv2d(inputs, squeezed, 1, bias=False),
            nn.Conv2d(squeezed, rank, 3, stride, 1, bias=False),
            nn.Conv2d(rank, outputs, 1, bias=False),
        ),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


def eights(count: float) -> int:
    """Rounded up to a multiple of eight."""
    return math.ceil(count / 8) * 8


class Fire(nn.Module):
    """Squeeze to few channels, expand by 1x1 and 3x3, weigh the channels by a global look."""

    def __init__(
        self, inputs: int, squeeze: int, outputs: int, conv3: Conv3 = dense, excite: bool = True
    ) -> None:
        super().__init__()
        self.squeeze = conv(inputs, squeeze)
        self.expand1 = conv(squeeze, outputs // 2)
        self.expand3 = conv3(squeeze, outputs // 2)
        self.excite = (
            nn.Sequential(
                nn.AdaptiveAvgPool2d(1),
                nn.Conv2d(outputs, outputs // 8, 1),
                nn.ReLU(inplace=True),
                nn.Conv2d(outputs // 8, outputs, 1),
                nn.Sigmoid(),
            )
            if excite
            else None
        )
        self.residual = inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.squeeze(x)
        y = torch.cat([self.expand1(y), self.expand3(y)], 1)
        if self.excite is not None:
            y = y * self.excite(y)
        return x + y if self.residual else y


class Deeper(nn.Module):
    """What is added to a map by looking further around each cell: nothing, before it has learned.

    Between few channels, as in `Fire`; without normalisation, so that a trained network can be
    given it and go on.
    """

    def __init__(self, channels: int, squeeze: int) -> None:
        super().__init__()
        self.squeeze = nn.Conv2d(channels, squeeze, 1)
        self.expand = nn.Conv2d(squeeze, channels, 3, padding=1)
        nn.init.zeros_(self.expand.weight)
        nn.init.zeros_(self.expand.bias)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.expand(torch.relu(self.squeeze(x)))


class Trunk(nn.Module):
    """The picture itself and its feature maps: number k has a stride of 2**k px.

    `channels` says how many each has.
    """

    channels = (3, 16, 64, 128, 256, 256)

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(3, 16, 3, 2)
        self.pool = nn.MaxPool2d(3, 2, 1)
        self.stage4 = nn.Sequential(Fire(16, 8, 64), Fire(64, 8, 64))
        self.stage8 = nn.Sequential(Fire(64, 16, 128), Fire(128, 16, 128))
        self.stage16 = nn.Sequential(
            Fire(128, 24, 192),
            Fire(192, 24, 192),
            Fire(192, 32, 256),
            Fire(256, 32, 256),
        )
        self.stage32 = nn.Sequential(Fire(256, 40, 256), Fire(256, 40, 256))

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        maps = [x, self.stem(x)]
        for stage in (self.stage4, self.stage8, self.stage16, self.stage32):
            maps.append(stage(self.pool(maps[-1])))
        return maps
