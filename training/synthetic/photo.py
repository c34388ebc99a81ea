# SPDX-License-Identifier: GPL-3.0-or-later
"""What a camera makes of a picture: lamps, backgrounds, exposure, blur, noise, compression."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np

from .head import light_axes


@dataclass(frozen=True)
class Light:
    """Ambient light (9, 3) by spherical harmonics and two lamps (2, 3) with colours (2, 3)."""

    ambient: np.ndarray
    lamps: np.ndarray
    colours: np.ndarray
    axes: np.ndarray  # (3, 3) view along the first lamp, for its shadow map


def random_light(rng: np.random.Generator) -> Light:
    """Soft rooms, hard sun, light from one side or from a screen below."""
    level = rng.uniform(0.18, 0.65)
    warm = np.exp(rng.normal(0, 0.12)) ** np.array([1.0, 0, -1.0])
    ambient = level * (rng.normal(0, 0.16, (9, 1)) + rng.normal(0, 0.05, (9, 3)))
    ambient[0] = level * warm
    ambient[1] += level * rng.uniform(0.15, 0.55)  # the sky is brighter than the ground
    ambient[4:] *= 0.5
    lamps = rng.normal(0, 1, (2, 3))
    lamps[0, 2] = abs(lamps[0, 2]) + 0.25
    lamps[:, 1] += rng.uniform(0.3, 1.5)
    if rng.random() < 0.12:
        lamps[0, 1] = -abs(lamps[0, 1]) * 0.5
    lamps /= np.linalg.norm(lamps, axis=1, keepdims=True)
    tint = np.exp(rng.normal(0, 0.15, (2, 1))) ** np.array([1.0, 0.1, -1.0])
    strength = np.array([rng.uniform(0.15, 1.5), rng.uniform(0, 0.7) * (rng.random() < 0.6)])
    return Light(
        ambient.astype(np.float32), lamps.astype(np.float32),
        (strength[:, None] * tint).astype(np.float32), light_axes(lamps[0]),
    )  # fmt: skip


@lru_cache(maxsize=1)
def load_backgrounds(path: Path | None) -> tuple[np.ndarray, ...]:
    """The pictures in a tar file, RGB; none where there is no such file."""
    if path is None or not Path(path).is_file():
        return ()
    pictures = []
    with tarfile.open(path) as tar:
        for member in tar:
            if member.name.lower().endswith((".jpg", ".jpeg", ".png")):
                data = np.frombuffer(tar.extractfile(member).read(), np.uint8)
                picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
                if picture is not None:
                    pictures.append(np.ascontiguousarray(picture[..., ::-1]))
    return tuple(pictures)


def random_background(
    pictures: tuple[np.ndarray, ...], width: int, height: int, rng: np.random.Generator
) -> np.ndarray:
    """(h, w, 3) linear float32: part of a photograph, or walls and shapes made up."""
    if pictures and rng.random() < 0.85:
        picture = pictures[rng.integers(len(pictures))]
        ph, pw = picture.shape[:2]
        scale = min(pw / width, ph / height) * rng.uniform(0.45, 1)
        cw, ch = max(8, int(width * scale)), max(8, int(height * scale))
        cw, ch = min(cw, pw), min(ch, ph)
        x, y = rng.integers(0, pw - cw + 1), rng.integers(0, ph - ch + 1)
        part = picture[y : y + ch, x : x + cw]
        if rng.random() < 0.5:
            part = part[:, ::-1]
        part = cv2.resize(
            np.ascontiguousarray(part), (width, height), interpolation=cv2.INTER_LINEAR
        )
    else:
        part = made_up_background(width, height, rng)
    if rng.random() < 0.5:  # out of focus behind the people
        sigma = np.exp(rng.uniform(np.log(0.6), np.log(width / 24)))
        part = cv2.GaussianBlur(part, (0, 0), float(sigma))
    out = TO_LINEAR[part]
    gain = np.exp(rng.normal(0, 0.35)) * np.exp(rng.normal(0, 0.08, 3))
    return (out * gain.astype(np.float32)).astype(np.float32)


TO_LINEAR = ((np.arange(256) / 255) ** 2.2).astype(np.float32)


def made_up_background(width: int, height: int, rng: np.random.Generator) -> np.ndarray:
    """(h, w, 3) uint8: gradients, furniture-like boxes, noise."""
    corners = rng.uniform(20, 235, (2, 2, 1)) + rng.normal(0, 22, (2, 2, 3))
    out = cv2.resize(np.clip(corners, 0, 255).astype(np.uint8), (width, height),
                     interpolation=cv2.INTER_LINEAR)  # fmt: skip
    for _ in range(rng.integers(0, 9)):
        x, y = rng.integers(-width // 4, width), rng.integers(-height // 4, height)
        w, h = rng.integers(4, width), rng.integers(4, height)
        colour = tuple(int(c) for c in rng.uniform(10, 245, 3))
        if rng.random() < 0.6:
            cv2.rectangle(out, (x, y), (x + w, y + h), colour, -1)
        else:
            cv2.ellipse(out, (x, y), (w // 3, h // 3), rng.uniform(0, 180), 0, 360, colour, -1)
    if rng.random() < 0.5:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.6, 6)))
    return out


def develop(linear: np.ndarray, rng: np.random.Generator, plain: bool = False) -> np.ndarray:
    """(h, w, 3) linear light to the uint8 RGB picture a camera would store.

    `plain` leaves out all that spoils a picture (for clips).
    """
    height, width = linear.shape[:2]
    level = float(np.percentile(linear[::4, ::4].mean(2), 60)) + 1e-3
    if plain:
        exposure = min(3.0, 0.32 / level)
        return _curve(linear * np.float32(exposure), 2.2, 0.15)
    wanted = np.exp(rng.normal(np.log(0.26), 0.45))
    exposure = np.clip(wanted / level, 0.3, 4.0)
    cast = np.exp(rng.normal(0, 0.07, 3)) if rng.random() < 0.6 else np.ones(3)
    image = linear * (exposure * cast).astype(np.float32)
    if rng.random() < 0.18:  # moved while the shutter was open
        length = rng.uniform(1.5, width / 22)
        image = cv2.filter2D(image, -1, motion_kernel(length, rng.uniform(0, np.pi)))
    if rng.random() < 0.45:
        sigma = np.exp(rng.uniform(np.log(0.3), np.log(1.6)))
        image = cv2.GaussianBlur(image, (0, 0), float(sigma))
    small = 1.0
    if rng.random() < 0.3:
        small = rng.uniform(0.35, 0.95)
        size = (max(8, int(width * small)), max(8, int(height * small)))
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    if rng.random() < 0.7:  # shot noise grows with the light, read noise does not
        shot, read = rng.uniform(0, 0.05), rng.uniform(0, 0.012)
        grain = NOISE[_corner(rng) :, _corner(rng) :][: image.shape[0], : image.shape[1]]
        grain = (
            cv2.resize(grain, image.shape[1::-1]) if grain.shape[:2] != image.shape[:2] else grain
        )
        image = image + grain * (shot * np.sqrt(np.maximum(image, 0)) + read)
    out = _curve(image, rng.uniform(1.9, 2.5), rng.uniform(0, 0.35))
    if small != 1.0:
        out = cv2.resize(out, (width, height), interpolation=int(rng.choice([1, 2])))
    if rng.random() < 0.25:  # saturation
        grey = cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None].astype(np.float32)
        mix = rng.uniform(0.2, 1.4)
        out = np.clip(grey + mix * (out - grey), 0, 255).astype(np.uint8)
    if rng.random() < 0.2:  # a sharpening camera
        soft = cv2.GaussianBlur(out, (0, 0), 1.0)
        amount = rng.uniform(0.3, 1.2)
        out = cv2.addWeighted(out, 1 + amount, soft, -amount, 0)
    if rng.random() < 0.12:
        out = np.repeat(cv2.cvtColor(out, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)
    if rng.random() < 0.6:
        quality = int(rng.uniform(28, 96))
        done, data = cv2.imencode(".jpg", out[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done:
            out = cv2.imdecode(data, cv2.IMREAD_COLOR)[..., ::-1]
    return np.ascontiguousarray(out)


NOISE = np.random.default_rng(5).standard_normal((1200, 1200, 3)).astype(np.float32)


def _corner(rng: np.random.Generator) -> int:
    return int(rng.integers(0, 560))


def _curve(image: np.ndarray, gamma: float, shoulder: float) -> np.ndarray:
    """Tone curve by table: gamma, with highlights rolled off by `shoulder`."""
    x = np.arange(2048, dtype=np.float32) / 1024  # 0 .. 2 of linear light
    y = x / (1 + shoulder * x) * (1 + shoulder)
    table = np.clip(255 * np.minimum(y, 1) ** (1 / gamma), 0, 255).astype(np.uint8)
    return table[np.clip(image * 1024, 0, 2047).astype(np.uint16)]


def motion_kernel(length: float, angle: float) -> np.ndarray:
    """A line of `length` px through the middle of a small kernel."""
    half = int(np.ceil(length / 2))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    reach = length / 2 * np.array([np.cos(angle), np.sin(angle)])
    start = tuple(int(v) for v in (half - reach) * 16)
    end = tuple(int(v) for v in (half + reach) * 16)
    cv2.line(kernel, start, end, (1.0,), 1, cv2.LINE_AA, 4)
    return kernel / max(float(kernel.sum()), 1e-6)
