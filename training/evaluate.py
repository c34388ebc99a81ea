# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn evaluate`: how good a network is, on pictures that training never saw.

    python -m training.evaluate --network models/mfn.onnx --data ../shared/data

Tables on the terminal and, with --output, as JSON. Sections that lack their data say so.
"""

from __future__ import annotations

import argparse
import csv
import json
import sys
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from mfn_addon.capture.footage import Footage
from mfn_addon.face import EXPRESSION_INDEX, EXPRESSIONS, Face, FaceFrame
from mfn_addon.network import FaceNetwork
from mfn_addon.network.mfn import LONG_SIDE
from mfn_addon.track import Tracker
from training import measures, photos
from training.readings import readings
from training.trials import false_alarms, jitter

SECTIONS = ("clips", "photographs", "detection", "jitter", "rendered")
ANGLES = ("yaw", "pitch", "roll")
COMPARED_SHAPES = ("jawOpen", "eyeBlinkLeft", "eyeBlinkRight", "mouthSmileLeft", "mouthSmileRight")


def detection(network: FaceNetwork, data: Path) -> dict:
    """AP over the crowd photographs and faces read in the group photographs."""
    rows: dict[tuple[str, str], list] = {}
    with (data / "detection" / "boxes.csv").open() as handle:
        for row in csv.DictReader(handle):
            rows.setdefault((row["set"], row["image"]), []).append(
                ([float(row[k]) for k in ("x0", "y0", "x1", "y1")], row["ignore"] not in ("0", ""))
            )
    result: dict = {}
    for name in ("crowds80", "groups16"):
        pictures = []
        with tarfile.open(data / "detection" / f"{name}.tar") as tar:
            for member in tqdm(tar.getmembers(), desc=name, disable=None):
                handle = tar.extractfile(member)
                key = next((k for k in rows if k[1] == Path(member.name).name
                            or k[1] == member.name), None)  # fmt: skip
                if handle is None or key is None:
                    continue
                image = cv2.imdecode(np.frombuffer(handle.read(), np.uint8), cv2.IMREAD_COLOR)
                faces = network.detect(np.ascontiguousarray(image[:, :, ::-1]))
                pictures.append(
                    {
                        "boxes": np.array([f.box for f in faces]).reshape(-1, 4),
                        "scores": np.array([f.score for f in faces]),
                        "truth": np.array([r[0] for r in rows[key]]).reshape(-1, 4),
                        "flag": np.array([r[1] for r in rows[key]], bool),
                    }
                )
        for least in (40, 64):
            for picture in pictures:
                height = picture["truth"][:, 3] - picture["truth"][:, 1]
                picture["ignore"] = picture["flag"] | (height < least)
            for threshold in (0.3, 0.5):
                ap = measures.average_precision(pictures, threshold)
                result[f"{name} AP at overlap {threshold}, faces of {least} px and more"] = ap
            if name == "crowds80" and least == 40:
                score = measures.score_for_precision(pictures, 0.3, 0.9)
                result |= false_alarms(network, data, score)
    return result


def face_at(faces: list[Face], box: np.ndarray) -> Face | None:
    """The face that overlaps a box by at least 0.3, the best if several do."""
    if not faces:
        return None
    ious = measures.overlap(np.array([f.box for f in faces]), box[None])[:, 0]
    return faces[int(ious.argmax())] if ious.max() >= 0.3 else None


def photographs(network: FaceNetwork, data: Path, fitted: Path, most: int) -> dict:
    """Found faces, landmarks and expressions on the held-back photographs."""
    from training.correspondence import IBUG_FROM_TEACHER

    labels = np.load(fitted) if fitted.is_file() else None
    found, points, truth, said, taught, fits, emotions = [], [], [], [], [], [], []
    by_people, turned, taught_turned = [], [], []
    start = 0
    for name in photos.SETS:
        s = photos.load(name, data)
        rows = np.flatnonzero(s.held_back)
        if most and len(rows) > most:
            rows = np.random.default_rng(0).choice(rows, most, replace=False)
            rows.sort()
        for row, picture in tqdm(s.pictures(rows), total=len(rows), desc=name, disable=None):
            marks = s.landmarks[row]
            box = np.concatenate([marks.min(0), marks.max(0)])
            margin = int(0.3 * max(box[2:] - box[:2]))  # tight crops get room around the head
            padded = cv2.copyMakeBorder(picture, *[margin] * 4, cv2.BORDER_CONSTANT,
                                        value=(114, 114, 114))  # fmt: skip
            face = face_at(network.detect(padded), box + margin)
            found.append(face is not None)
            if face is None:
                continue
            points.append(face.landmarks - margin)
            truth.append(marks[IBUG_FROM_TEACHER])
            said.append(face.expression)
            taught.append(s.scores[row])
            emotions.append(str(s.emotions[row]))
            by_people.append(s.landmarks68[row])
            turned.append(measures.relative_to_sight(face.rotation, face.translation))
            taught_turned.append(s.rotation[row])
            if labels is not None:
                fits.append(labels["expression"][start + row])
        start += len(s.members)
    plain, centred = measures.landmark_error(np.array(points), np.array(truth))
    said_a, taught_a, emotion = np.array(said), np.array(taught), np.array(emotions)
    shown = np.array(by_people)
    ours, theirs = measures.angles(np.array(turned)), measures.angles(np.array(taught_turned))
    off = (ours - theirs + 180) % 360 - 180
    taught_a = np.nan_to_num(taught_a)  # it has no score for the tongue
    result = {
        "held-back photographs": len(found),
        "found": float(np.mean(found)),
        "landmark error / eye distance": plain,
        "landmark error, constant offsets removed": centred,
        "the same against landmarks set by people, ours, the teacher's": [
            round(measures.landmark_error(np.array(p), shown)[1], 4) for p in (points, truth)
        ],
        "centred error of yaw, pitch, roll, degrees": [
            round(float(v), 2) for v in np.abs(off - np.median(off, axis=0)).mean(0)
        ],
        "area under curve, ours": told_apart(said_a, emotion),
        "area under curve, the teacher's scores": told_apart(taught_a, emotion),
        "rank correlation with landmarks, ours": readings(shown, theirs[:, 0], said_a),
        "rank correlation with landmarks, the teacher's scores": readings(
            shown, theirs[:, 0], taught_a
        ),
        "shapes, against the teacher's scores": shape_table(said_a, taught_a),
    }
    if fits:
        result["shapes, against the fitted weights"] = shape_table(said_a, np.array(fits))
    return result


def told_apart(weights: np.ndarray, emotion: np.ndarray) -> dict[str, float]:
    """How well smiles tell the happy, and brows, lids and jaw the surprised, from the neutral."""
    result = {}
    for name, shapes in (
        ("happiness", ("mouthSmileLeft", "mouthSmileRight")),
        ("surprise", ("browInnerUp", "browOuterUpLeft", "browOuterUpRight", "jawOpen",
                      "eyeWideLeft", "eyeWideRight")),
    ):  # fmt: skip
        total = weights[:, [EXPRESSION_INDEX[shape] for shape in shapes]].sum(1)
        result[f"{name} against neutral"] = measures.area_under_curve(
            total[emotion == name], total[emotion == "neutral"]
        )
    return result


def shape_table(said: np.ndarray, truth: np.ndarray) -> dict:
    """Per shape: correlation, mean error, and what always-zero and always-mean would score."""
    table = {}
    for i, name in enumerate(EXPRESSIONS):
        ok = np.isfinite(truth[:, i])
        t, p = truth[ok, i], said[ok, i]
        if not len(t):
            continue
        table[name] = {
            "r": measures.correlation(p, t),
            "error": float(np.abs(p - t).mean()),
            "always zero": float(np.abs(t).mean()),
            "always mean": float(np.abs(t - t.mean()).mean()),
        }
    return table


def rendered(network: FaceNetwork, folder: Path, most: int) -> dict:
    """Exact truth: rendered faces (crops), each put on a grey ground so that it is ~120 px."""
    crops = np.load(folder / "images.npy", mmap_mode="r")
    truth = np.load(folder / "expression.npy")
    truth = truth[:, 0] if truth.ndim == 3 else truth
    boxes = np.load(folder / "box.npy")
    boxes = boxes[:, 0] if boxes.ndim == 3 else boxes
    said, kept, found = [], [], 0
    rows = np.arange(len(crops))[-most:]
    for i in tqdm(rows, desc="rendered", disable=None):
        picture = np.full((320, 320, 3), 114, np.uint8)
        size = crops.shape[1]
        zoom = 120 / max(boxes[i, 2] - boxes[i, 0], boxes[i, 3] - boxes[i, 1])
        side = min(320, round(size * zoom))
        picture[:side, :side] = cv2.resize(np.asarray(crops[i]), (side, side))
        face = face_at(network.detect(picture), boxes[i] * side / size)
        if face is not None:
            found += 1
            said.append(face.expression)
            kept.append(truth[i])
    a, b = np.array(said), np.array(kept)
    cross = np.array([[measures.correlation(a[:, j], b[:, i]) for j in range(52)]
                      for i in range(52)])  # fmt: skip
    own = np.diag(cross)
    gain = [np.polyfit(b[:, i], a[:, i], 1)[0] for i in range(52)]
    return {
        "rendered faces of 120 px": len(rows),
        "found": found / max(len(rows), 1),
        "mean correlation": float(np.nanmean(own)),
        "median gain": float(np.median(gain)),
        "own shape strongest, of 52": int(
            sum(np.nan_to_num(cross[:, j]).argmax() == j for j in range(52))
        ),
        "shapes, against exact weights": shape_table(a, b),
    }


def clips(network: FaceNetwork, data: Path, teacher: Path) -> dict:
    """Correlation with the teacher on clips of one face; ids on the clip of two."""
    result: dict = {}
    pairs: list[tuple[np.ndarray, np.ndarray]] = []
    labels = np.load(teacher) if teacher.is_file() else None
    for path in sorted((data / "clips").glob("*.mp4")):
        tracker = Tracker()
        frames = []
        for picture in Footage(path):
            height, width = picture.image.shape[:2]
            frame = FaceFrame(picture.time, path.name, picture.frame, width, height,
                              network.detect(picture.image))  # fmt: skip
            frames.append(tracker.update(frame))
        counts = [len(frame.faces) for frame in frames]
        ids: dict[int, int] = {}
        for frame in frames:
            for face in frame.faces:
                ids[face.id] = ids.get(face.id, 0) + 1
        entry: dict = {
            "frames": len(frames),
            "frames with 1+ / 2+ faces": [float(np.mean(np.array(counts) >= n)) for n in (1, 2)],
            "frames by id": ids,
        }
        if labels is not None and f"{path.stem}/scores" in labels and "single" in path.stem:
            both = beside_teacher(frames, labels, path.stem)
            pairs.append(both)
            entry |= compared(*both)
            entry["spread of the teacher's yaw, pitch, roll, degrees"] = [
                round(float(x), 2) for x in np.nanstd(both[1][:, :3], axis=0)
            ]
        result[path.stem] = entry
    if pairs:  # some clips hardly move: together they span what a head does
        ours, theirs = (np.concatenate(part) for part in zip(*pairs, strict=True))
        result["all clips of one face together"] = compared(ours, theirs)
    return result


def beside_teacher(
    frames: list[FaceFrame], labels: Mapping, key: str
) -> tuple[np.ndarray, np.ndarray]:
    """Ours and the teacher's (frames, 6 + shapes): yaw, pitch, roll as each gives them, then
    relative to the line of sight (frame and focal length differ), COMPARED_SHAPES."""
    names = [str(name) for name in labels["names"]]
    scores, matrix = labels[f"{key}/scores"], labels[f"{key}/matrix"]
    count = min(len(frames), len(scores))
    said = np.full((count, len(EXPRESSIONS)), np.nan)
    rotation, place = np.full((count, 3, 3), np.nan), np.full((count, 3), np.nan)
    for i in range(count):
        if frames[i].faces:
            face = max(frames[i].faces, key=lambda f: float((f.box[2:] - f.box[:2]).prod()))
            said[i], rotation[i], place[i] = face.expression, face.rotation, face.translation
    ours = said[:, [EXPRESSION_INDEX[name] for name in COMPARED_SHAPES]]
    theirs = scores[:count, [names.index(name) for name in COMPARED_SHAPES]]

    matrix = matrix[:count].astype(np.float64)
    seen = measures.relative_to_sight(rotation, place)
    taught = photos.teacher_rotation(matrix)
    return (
        np.hstack([measures.angles(rotation), measures.angles(seen), ours]),
        np.hstack([measures.angles(matrix[:, :3, :3]), measures.angles(taught), theirs]),
    )


def compared(ours: np.ndarray, theirs: np.ndarray) -> dict:
    """Correlation of each column, and the centred error of the angles."""
    result = {}
    seen = [f"{name} to the line of sight" for name in ANGLES]
    for k, name in enumerate((*ANGLES, *seen, *COMPARED_SHAPES)):
        result[f"r {name}"] = measures.correlation(ours[:, k], theirs[:, k])
    for k, name in enumerate((*ANGLES, *seen)):
        off = ours[:, k] - theirs[:, k]
        result[f"centred error {name}, degrees"] = float(np.nanmean(np.abs(off - np.nanmean(off))))
    return result


def show(title: str, value: Any, indent: int = 0) -> None:
    """Print nested results as an indented table."""
    pad = "  " * indent
    if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()) \
            and "r" in next(iter(value.values())):  # fmt: skip
        columns = list(next(iter(value.values())))
        print(f"{pad}{title}\n{pad}  {'':22}" + "".join(f"{c:>12}" for c in columns))
        for name, row in value.items():
            print(f"{pad}  {name:22}" + "".join(f"{row[c]:12.3f}" for c in columns))
        means = {c: float(np.nanmean([row[c] for row in value.values()])) for c in columns}
        print(f"{pad}  {'mean':22}" + "".join(f"{means[c]:12.3f}" for c in columns))
    elif isinstance(value, dict):
        print(f"{pad}{title}")
        for key, inner in value.items():
            show(str(key), inner, indent + 1)
    else:
        shown = f"{value:.3f}" if isinstance(value, float) else value
        print(f"{pad}{title}: {shown}")


def parse(words: list[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="mfn evaluate", description="How good a network is, on pictures it never saw."
    )
    parser.add_argument("--network", type=Path, help="default: models/mfn.onnx")
    parser.add_argument("--data", type=Path, default=photos.data_folder())
    parser.add_argument("--fitted", type=Path, default=Path("training/runs/photos.npz"))
    parser.add_argument("--teacher", type=Path, default=Path("training/runs/teacher.npz"))
    parser.add_argument("--rendered", type=Path, help="a folder of held-out rendered crops")
    parser.add_argument("--most", type=int, default=0, help="photographs a set; 0: all")
    parser.add_argument("--only", choices=SECTIONS)
    parser.add_argument("--long-side", type=int, default=LONG_SIDE, help="px that a picture is "
                        f"shrunk or enlarged to (default: {LONG_SIDE})")  # fmt: skip
    parser.add_argument("--output", type=Path, help="write the figures as JSON")
    return parser.parse_args(words)


def main(words: list[str] | None = None) -> int:
    arguments = parse(words)
    network = FaceNetwork(arguments.network, long_side=arguments.long_side)
    results: dict = {}
    wanted = [arguments.only] if arguments.only else list(SECTIONS)
    if arguments.data is None:
        print("no development data: give --data or set MFN_DATA; only rendered faces are judged",
              file=sys.stderr)  # fmt: skip
        wanted = [name for name in wanted if name == "rendered"]
    if "clips" in wanted:
        results["clips"] = clips(network, arguments.data, arguments.teacher)
    if "photographs" in wanted:
        results["photographs"] = photographs(
            network, arguments.data, arguments.fitted, arguments.most
        )
    if "detection" in wanted:
        permissive = FaceNetwork(arguments.network, least_score=0.06, long_side=arguments.long_side)
        results["detection"] = detection(permissive, arguments.data)
    if "jitter" in wanted:
        results["jitter"] = jitter(network, arguments.data)
    if "rendered" in wanted and arguments.rendered:
        results["rendered"] = rendered(network, arguments.rendered, arguments.most or 2000)
    for name, value in results.items():
        show(name, value)
    if arguments.output:
        arguments.output.write_text(json.dumps(results, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
