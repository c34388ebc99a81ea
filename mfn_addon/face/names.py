# SPDX-License-Identifier: GPL-3.0-or-later
"""The vocabulary of a face: ARKit's 52 expressions and iBUG's 68 landmarks.

The 52 names and their meaning:
https://developer.apple.com/documentation/arkit/arfaceanchor/blendshapelocation
The 68 landmark order: https://ibug.doc.ic.ac.uk/resources/facial-point-annotations/
"""

from __future__ import annotations

from typing import Final

EXPRESSIONS: Final[tuple[str, ...]] = (
    "browDownLeft", "browDownRight", "browInnerUp", "browOuterUpLeft", "browOuterUpRight",
    "cheekPuff", "cheekSquintLeft", "cheekSquintRight",
    "eyeBlinkLeft", "eyeBlinkRight",
    "eyeLookDownLeft", "eyeLookDownRight", "eyeLookInLeft", "eyeLookInRight",
    "eyeLookOutLeft", "eyeLookOutRight", "eyeLookUpLeft", "eyeLookUpRight",
    "eyeSquintLeft", "eyeSquintRight", "eyeWideLeft", "eyeWideRight",
    "jawForward", "jawLeft", "jawOpen", "jawRight",
    "mouthClose", "mouthDimpleLeft", "mouthDimpleRight", "mouthFrownLeft", "mouthFrownRight",
    "mouthFunnel", "mouthLeft", "mouthLowerDownLeft", "mouthLowerDownRight",
    "mouthPressLeft", "mouthPressRight", "mouthPucker", "mouthRight",
    "mouthRollLower", "mouthRollUpper", "mouthShrugLower", "mouthShrugUpper",
    "mouthSmileLeft", "mouthSmileRight", "mouthStretchLeft", "mouthStretchRight",
    "mouthUpperUpLeft", "mouthUpperUpRight", "noseSneerLeft", "noseSneerRight", "tongueOut",
)  # fmt: skip
"""The 52 expression names in the order every array of expression weights uses.

Left and Right are the actor's own.
"""

EXPRESSION_INDEX: Final[dict[str, int]] = {name: i for i, name in enumerate(EXPRESSIONS)}

IDENTITY_COUNT: Final = 40
"""How many identity weights a face carries (the head model's identity modes)."""

LANDMARK_COUNT: Final = 68

LANDMARK_PARTS: Final[dict[str, range]] = {
    "jaw": range(17),
    "browRight": range(17, 22),
    "browLeft": range(22, 27),
    "noseBridge": range(27, 31),
    "noseBase": range(31, 36),
    "eyeRight": range(36, 42),
    "eyeLeft": range(42, 48),
    "lipsOuter": range(48, 60),
    "lipsInner": range(60, 68),
}
"""The 68 landmarks by part, iBUG order: point 0 is at the actor's right ear, 36 the outer
corner of the actor's right eye. The 51 inner points are 17..67."""
