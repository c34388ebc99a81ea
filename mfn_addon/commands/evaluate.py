# SPDX-License-Identifier: GPL-3.0-or-later
"""Measure the network on data with known answers: detection, landmarks, each expression.

All arguments go to training/evaluate.py; `mfn evaluate -- --help` shows them. It needs a checkout
of the repository with its training environment and data."""

from __future__ import annotations

import argparse
from importlib import import_module

from ..capture.errors import InputError

EXAMPLES = (
    "mfn evaluate",
    "mfn evaluate -- --help",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("arguments", nargs="*", metavar="ARGUMENT", help="for training/evaluate.py")


def run(args: argparse.Namespace) -> int:
    """Hand over to training/evaluate.py."""
    try:
        evaluate = import_module("training.evaluate")
    except ModuleNotFoundError as error:
        raise InputError(
            f"evaluating needs the repository and its training environment ({error.name} is not "
            "there): run `make evaluate` in a checkout"
        ) from error
    return evaluate.main(args.arguments) or 0
