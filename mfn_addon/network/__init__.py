# SPDX-License-Identifier: GPL-3.0-or-later
"""The networks at run time, on ONNX Runtime."""

from .mfn import FaceNetwork

__all__ = ["FaceNetwork"]
