# SPDX-License-Identifier: GPL-3.0-or-later
"""Turn photographs aside: see `training.turning`."""

from __future__ import annotations

import argparse
from pathlib import Path

from training.turning.stock import generate


def main() -> None:
    parser = argparse.ArgumentParser(description="Turn photographs of faces aside.")
    parser.add_argument("--photos", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--output", type=Path, default=Path("training/runs/turned"))
    parser.add_argument("--count", type=int, default=15_000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--workers", type=int, default=2)
    arguments = parser.parse_args()
    generate(arguments.photos, arguments.output, arguments.count, arguments.seed, arguments.workers)


if __name__ == "__main__":
    main()
