# SPDX-License-Identifier: GPL-3.0-or-later
"""Our figures beside the peers', as docs/results.md shows.

    mfn evaluate -- --output build/evaluation.json
    mfn evaluate -- --only detection --long-side 640 --output build/far.json
    python -m training.peers build/evaluation.json --far build/far.json

MediaPipe's face landmarker also made the labels we train on: where people have set the landmarks,
its figures come from the same evaluation. The others are constants: they were measured once, on
the same pictures. YuNet is OpenCV's face detector, its input at 320 px unless said.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from training.results import RESULTS, put

CROWDS = "crowds80 AP at overlap {}, faces of {} px and more"
MARKS = "landmark error, constant offsets removed"
OURS = "rank correlation with landmarks, ours"
TEACHERS = "rank correlation with landmarks, the teacher's scores"


def crowds(detected: dict, least: int, *overlaps: float) -> str:
    """Average precision at each overlap, of faces of so many px and more."""
    return " / ".join(f"{detected[CROWDS.format(o, least)]:.3f}" for o in overlaps)


def rows(found: dict, far: dict | None = None) -> list[tuple[str, str, str]]:
    """(what, ours, the peers') of each line of the table.

    Args:
        found: the evaluation; far: that of detection with 640 px for the network to see.
    """
    seen, detected = found["photographs"], found["detection"]
    said, taught = seen[OURS], seen[TEACHERS]
    yaw, pitch, roll = seen["centred error of yaw, pitch, roll, degrees"]
    ours, teachers = (
        seen[f"area under curve, {whose}"] for whose in ("ours", "the teacher's scores")
    )
    still = found["jitter"]["filtered: yaw (degrees), jawOpen, eyeBlinkLeft"]
    middle = found["jitter"]["filtered, middle picture: the same"]

    def read(*names: str) -> tuple[str, str]:
        mine, peer = ("; ".join(f"{who[name]:.2f}" for name in names) for who in (said, taught))
        return mine, f"MediaPipe {peer}"

    def told(name: str) -> tuple[str, str]:
        mine, peer = (f"{who[f'{name} against neutral']:.2f}" for who in (ours, teachers))
        return mine, f"MediaPipe {peer}"

    by_people = seen["the same against landmarks set by people, ours, the teacher's"]
    lines = [
        (
            "crowd photographs, AP at overlap .3 / .5, faces of 40 px and more",
            crowds(detected, 40, 0.3, 0.5),
            "YuNet .87 / .82, at 640 px .92 / .89; MediaPipe full range .52 / .46",
        ),
        (
            "the same at overlap .3, faces of 64 px and more",
            crowds(detected, 64, 0.3),
            "YuNet .92, at 640 px .95",
        ),
        (
            "false alarms a face-free photograph, at .9 precision in crowds",
            f"{detected['false alarms a photograph']:.3f}",
            "YuNet .035 to .06; MediaPipe .025",
        ),
        (
            "landmarks set by people: 51 points over the eye distance, constant offsets removed",
            f"{by_people[0]:.3f}",
            f"MediaPipe {by_people[1]:.3f}; OpenSeeFace .0485",
        ),
        ("the same against MediaPipe's landmarks", f"{seen[MARKS]:.3f}", "–"),
        ("lips apart, rank correlation with landmarks", *read("lips apart")),
        ("blink, right; left eye", *read("blink, right eye", "blink, left eye")),
        (
            "the same against the other eye (less is better)",
            *read("right blink, wrong eye", "left blink, wrong eye"),
        ),
        ("smile; brows up; brows down", *read("smile", "brows up", "brows down")),
        ("happy against neutral, area under the curve", *told("happiness")),
        ("surprised against neutral", *told("surprise")),
        (
            "head yaw / pitch / roll, centred error against MediaPipe's, degrees",
            f"{yaw:.1f} / {pitch:.1f} / {roll:.1f}",
            "–",
        ),
        (
            "still pictures with camera noise, filtered: yaw in degrees; jawOpen; eyeBlink",
            f"{still[0]:.2f}; {still[1]:.4f}; {still[2]:.4f}",
            "MediaPipe, one face .014; .0007; .001; several (no filter) .146; .0072; .0081",
        ),
        (
            "the same, the middle picture of them",
            f"{middle[0]:.2f}; {middle[1]:.4f}; {middle[2]:.4f}",
            "–",
        ),
    ]
    if far is not None:
        beyond = far["detection"]
        figures = f"{crowds(beyond, 40, 0.3, 0.5)}; {crowds(beyond, 64, 0.3)}"
        lines.insert(2, ("both with *Faces: Very Far*, 640 px", figures, "the same"))
    if "rendered" in found:
        faces = found["rendered"]
        figures = (
            f"{faces['mean correlation']:.2f}; {faces['median gain']:.2f}; "
            f"{faces['own shape strongest, of 52']} of 52"
        )
        lines.append(
            (
                "rendered faces of 120 px, exact truth: correlation; gain; own shape strongest",
                figures,
                "MediaPipe .28; .10; 20 of 52",
            )
        )
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("evaluation", type=Path, help="what mfn evaluate has written")
    parser.add_argument("--far", type=Path, help="the same of detection, at --long-side 640")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    found = json.loads(arguments.evaluation.read_text())
    far = json.loads(arguments.far.read_text()) if arguments.far else None
    lines = [("", "MFN", "peers"), ("---",) * 3, *rows(found, far)]
    text = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    print(text)
    put(arguments.output, "peers", text)


if __name__ == "__main__":
    main()
