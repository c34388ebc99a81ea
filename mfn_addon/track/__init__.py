# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities over time, filters, and calibration to an actor's neutral. Plain numpy."""

from .calibration import Calibration
from .guided import GuidedCalibration
from .one_euro import OneEuro
from .options import Smoothing, TrackerOptions
from .tracker import Tracker

__all__ = ["Calibration", "GuidedCalibration", "OneEuro", "Smoothing", "Tracker", "TrackerOptions"]
