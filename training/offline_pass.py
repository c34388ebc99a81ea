# SPDX-License-Identifier: GPL-3.0-or-later
"""The offline pass beside the live one, as docs/results.md shows.

    python -m training.offline_pass

Held-back photographs: how each group of shapes follows the fitted weights, read once or in
close-ups. Clips of one face: how restless each pass is, and whether blinks keep the height and the
moment that they have in the close-ups before these are smoothed.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from tqdm import tqdm

from mfn_addon.capture.footage import Footage
from mfn_addon.capture.solve import TRACKED_SCORE, solve_picture
from mfn_addon.face import EXPRESSION_INDEX, FaceFrame
from mfn_addon.network import FaceNetwork
from mfn_addon.network.closeup import CloseUps
from mfn_addon.track import Tracker, TrackerOptions
from mfn_addon.track.offline import smooth_performance
from training import measures, photos
from training.evaluate import photographs
from training.results import RESULTS, put, table

GROUPS = {
    "brows": ("brow",),
    "lids and gaze": ("eye",),
    "jaw": ("jaw",),
    "mouth": ("mouth",),
    "cheeks and nose": ("cheek", "nose"),
}
FITTED = "shapes, against the fitted weights"
LEAST_BLINK = 0.3  # of eyeBlink: what is lower is no blink


def on_photographs(network: FaceNetwork, data: Path, fitted: Path, most: int) -> str:
    """A table: correlation of each group, and the errors of marks and head."""
    rows = {}
    for name, reader in (("live", network), ("offline", CloseUps(network))):
        found = photographs(reader, data, fitted, most)
        row = {
            f"{group}: correlation": float(np.nanmean([
                figures["r"] for shape, figures in found[FITTED].items()
                if shape.startswith(begins)
            ]))
            for group, begins in GROUPS.items()
        }  # fmt: skip
        row["landmark error, % of the eye distance"] = (
            100 * found["landmark error, constant offsets removed"]
        )
        turned = found["centred error of yaw, pitch, roll, degrees"]
        rows[name] = row | dict(zip(("yaw error, degrees", "pitch", "roll"), turned, strict=True))
    return table(rows)


def on_clips(network: FaceNetwork, data: Path) -> str:
    """A table: unrest of each pass, and what became of the blinks that the close-ups see."""
    close = CloseUps(network)
    unrest: dict[str, list[np.ndarray]] = {"close-ups alone": [], "live": [], "offline": []}
    blinks: dict[str, list[tuple[float, float]]] = {name: [] for name in unrest}
    for path in sorted((data / "clips").glob("single_*.mp4")):
        live_tracker, tracker = Tracker(), Tracker(TrackerOptions(smoothing=None))
        live, unsmoothed = [], []
        for picture in tqdm(Footage(path), desc=path.stem, disable=None):
            live.append(solve_picture(picture, network, live_tracker, path.name))
            unsmoothed.append(solve_picture(picture, close, tracker, path.name))
        passes = (unsmoothed, live, smooth_performance(unsmoothed))
        for name, frames in zip(unrest, passes, strict=True):
            unrest[name].append(restlessness(frames))
            blinks[name] += blinks_of(frames, unsmoothed)
    rows = {}
    for name, parts in unrest.items():
        height, late = np.mean(blinks[name], axis=0)
        head, shapes = np.mean(parts, axis=0)
        rows[name] = {
            "unrest of the head, degrees a frame²": head,
            "unrest of the shapes, 1/1000": shapes,
            f"height of {len(blinks[name])} blinks, %": 100 * height,
            "their lag, frames": round(float(late), 3),
        }
    return table(rows)


def blinks_of(frames: list[FaceFrame], seen: list[FaceFrame]) -> list[tuple[float, float]]:
    """The height of each blink over what is seen of it, and by how many frames it comes later."""
    found = []
    for side in ("Left", "Right"):
        at = EXPRESSION_INDEX[f"eyeBlink{side}"]
        raw, ours = (weights(each)[:, at] for each in (seen, frames))
        for peak in peaks(raw):
            first = max(peak - 3, 0)
            highest = first + int(ours[first : peak + 4].argmax())
            found.append((ours[highest] / raw[peak], summit(ours, highest) - summit(raw, peak)))
    return found


def summit(values: np.ndarray, i: int) -> float:
    """Where between the frames the highest value about `i` lies: the parabola's through three."""
    if not 0 < i < len(values) - 1:
        return float(i)
    before, at, after = values[i - 1 : i + 2]
    bend = before - 2 * at + after
    return i + 0.5 * float((before - after) / bend) if bend else float(i)


def weights(frames: list[FaceFrame]) -> np.ndarray:
    """(N, 52) of the one face, over the frames that show it."""
    return np.array([frame.faces[0].expression for frame in frames if frame.faces])


def restlessness(frames: list[FaceFrame]) -> np.ndarray:
    """Median over the frames of the mean second difference: of yaw, pitch and roll in degrees,
    and of the 52 weights in thousandths. Medians, so that what is performed counts little."""
    rotation = np.array([frame.faces[0].rotation for frame in frames if frame.faces])
    head = np.abs(np.diff(measures.angles(rotation), 2, axis=0)).mean(1)
    shapes = np.abs(np.diff(weights(frames), 2, axis=0)).mean(1)
    return np.array([np.median(head), 1000 * np.median(shapes)])


def peaks(values: np.ndarray) -> list[int]:
    """Frames at which a value is at least LEAST_BLINK and the highest of its 15 neighbours."""
    return [
        i
        for i in range(1, len(values) - 1)
        if values[i] >= LEAST_BLINK and values[i] == values[max(i - 7, 0) : i + 8].max()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--network", type=Path, help="default: models/mfn.onnx")
    parser.add_argument("--fitted", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--most", type=int, default=250, help="photographs a set; 0: all")
    parser.add_argument("--output", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    data = photos.data_folder()
    if data is None or not arguments.fitted.is_file():
        raise SystemExit("the photographs and clips are not there: skipped")
    network = FaceNetwork(arguments.network, least_score=TRACKED_SCORE)
    text = "\n\n".join([
        on_photographs(network, data, arguments.fitted, arguments.most),
        on_clips(network, data),
    ])  # fmt: skip
    print(text)
    put(arguments.output, "offline", text)


if __name__ == "__main__":
    main()
