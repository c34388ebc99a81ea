# SPDX-License-Identifier: GPL-3.0-or-later
"""How the fox's bones answer to ARKit's 52: written to creature.bones.json and into the file.

Bones stand upright, so a bone's axes are the head's: x the character's left, y up, z out of the
face. Turning about +x nods down, about +y to the character's left, about +z tilts the top towards
the character's right.
"""

from __future__ import annotations

import json

DEGREES, METRES = ("rotation_euler", "deg"), ("location", "m")
X, Y, Z = range(3)


def channels() -> list[dict]:
    """Each channel: a bone's property is rest + sum(terms * weights), kept within its limit."""
    made: list[dict] = []

    def add(
        bone: str,
        kind: tuple[str, str],
        axis: int,
        terms: dict[str, float],
        limit: tuple[float, float],
    ) -> None:
        path, unit = kind
        made.append(
            {
                "bone": bone,
                "path": path,
                "axis": axis,
                "unit": unit,
                "rest": 0.0,
                "terms": terms,
                "limit": list(limit),
            }
        )

    add(
        "jaw",
        DEGREES,
        X,
        {
            "jawOpen": 26.0,
            "mouthClose": -9.0,
            "mouthFunnel": 3.0,
            "mouthLowerDownLeft": 2.0,
            "mouthLowerDownRight": 2.0,
            "tongueOut": 6.0,
        },
        (0, 30),
    )
    add(
        "jaw",
        DEGREES,
        Y,
        {"jawLeft": 8.0, "jawRight": -8.0, "mouthLeft": 3.0, "mouthRight": -3.0},
        (-10, 10),
    )
    add("jaw", METRES, Z, {"jawForward": 0.008}, (0, 0.01))
    add(
        "nose",
        METRES,
        Y,
        {
            "noseSneerLeft": 0.003,
            "noseSneerRight": 0.003,
            "mouthUpperUpLeft": 0.0015,
            "mouthUpperUpRight": 0.0015,
            "mouthPucker": 0.002,
        },
        (0, 0.008),
    )
    add("nose", DEGREES, Z, {"mouthLeft": -6.0, "mouthRight": 6.0}, (-6, 6))
    add("tongue", METRES, Z, {"tongueOut": 0.036}, (0, 0.036))
    add("tongue", DEGREES, X, {"tongueOut": 10.0}, (0, 14))
    for side, end, left in (("Left", ".L", 1.0), ("Right", ".R", -1.0)):
        add(
            f"eye{end}",
            DEGREES,
            X,
            {f"eyeLookDown{side}": 22.0, f"eyeLookUp{side}": -20.0},
            (-22, 24),
        )
        add(
            f"eye{end}",
            DEGREES,
            Y,
            {f"eyeLookOut{side}": 26.0 * left, f"eyeLookIn{side}": -26.0 * left},
            (-28, 28),
        )
        add(
            f"lid_upper{end}",
            DEGREES,
            X,
            {
                f"eyeBlink{side}": 64.0,
                f"eyeSquint{side}": 16.0,
                f"eyeWide{side}": -16.0,
                f"eyeLookDown{side}": 12.0,
                f"eyeLookUp{side}": -8.0,
                f"browDown{side}": 10.0,
            },
            (-20, 64),
        )
        add(
            f"lid_lower{end}",
            DEGREES,
            X,
            {
                f"eyeBlink{side}": -26.0,
                f"eyeSquint{side}": -16.0,
                f"eyeWide{side}": 6.0,
                f"cheekSquint{side}": -12.0,
                f"mouthSmile{side}": -8.0,
            },
            (-26, 8),
        )
        add(
            f"brow{end}",
            METRES,
            Y,
            {"browInnerUp": 0.008, f"browOuterUp{side}": 0.012, f"browDown{side}": -0.012},
            (-0.014, 0.018),
        )
        add(f"brow{end}", METRES, Z, {f"browDown{side}": 0.009}, (0, 0.01))  # over the lids
        add(
            f"brow{end}",
            DEGREES,
            Z,
            {
                "browInnerUp": -16.0 * left,
                f"browOuterUp{side}": 8.0 * left,
                f"browDown{side}": 18.0 * left,
            },
            (-24, 24),
        )
        add(
            f"ear{end}",
            DEGREES,
            X,
            {f"browDown{side}": -26.0, f"noseSneer{side}": -14.0, f"eyeWide{side}": 10.0},
            (-40, 15),
        )
        add(
            f"ear{end}",
            DEGREES,
            Z,
            {
                f"mouthFrown{side}": -34.0 * left,
                "browInnerUp": -10.0 * left,
                f"browOuterUp{side}": 14.0 * left,
                f"mouthSmile{side}": -8.0 * left,
                f"eyeBlink{side}": -4.0 * left,
            },
            (-42, 42),
        )
        add(
            f"lip_corner{end}",
            METRES,
            Y,
            {
                f"mouthSmile{side}": 0.016,
                f"mouthDimple{side}": 0.004,
                f"mouthFrown{side}": -0.012,
                f"mouthStretch{side}": -0.003,
            },
            (-0.014, 0.018),
        )
        add(
            f"lip_corner{end}",
            METRES,
            X,
            {
                f"mouthSmile{side}": 0.004 * left,
                f"mouthStretch{side}": 0.004 * left,
                f"mouthDimple{side}": 0.003 * left,
                "mouthPucker": -0.008 * left,
                "mouthFunnel": -0.006 * left,
                "mouthLeft": 0.005,
                "mouthRight": -0.005,
            },
            (-0.012, 0.012),
        )
        add(
            f"lip_corner{end}",
            METRES,
            Z,
            {"mouthPucker": 0.012, "mouthFunnel": 0.008, f"mouthSmile{side}": -0.002},
            (-0.004, 0.014),
        )
        add(f"cheek{end}", METRES, Z, {"cheekPuff": 0.014, f"mouthSmile{side}": 0.003}, (0, 0.016))
        add(f"cheek{end}", METRES, X, {"cheekPuff": 0.010 * left}, (-0.012, 0.012))
        add(
            f"cheek{end}",
            METRES,
            Y,
            {f"cheekSquint{side}": 0.007, f"mouthSmile{side}": 0.006},
            (0, 0.012),
        )
    return made


def as_json() -> str:
    """The channel list as text, a channel a line."""
    lines = ",\n".join("    " + json.dumps(channel) for channel in channels())
    return (
        '{\n  "profile": "bones",\n  "source": "sample_rigs/creature.blend",\n'
        '  "axes": "Bones stand upright: local x is the character\'s left, y up, z out of the '
        'face; Euler XYZ.",\n  "head": {"bone": "head", "neck": "neck", "neck_share": 0.35},\n'
        f'  "channels": [\n{lines}\n  ]\n}}\n'
    )
