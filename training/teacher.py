# SPDX-License-Identifier: GPL-3.0-or-later
"""Run the teacher (MediaPipe's face landmarker) over clips, for comparison.

    python -m training.teacher --bundle face_landmarker.task CLIP...

Needs `mediapipe` in the running Python (it wants other versions than ours: give it a virtual
environment of its own) and its model bundle. Nothing in the product depends on it.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clips", nargs="+", type=Path)
    parser.add_argument("--bundle", type=Path, required=True)
    parser.add_argument("--output", type=Path, default=Path("training/runs/teacher.npz"))
    arguments = parser.parse_args()

    import mediapipe
    from mediapipe.tasks import python as tasks
    from mediapipe.tasks.python import vision

    results: dict[str, np.ndarray] = {}
    for clip in arguments.clips:
        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(arguments.bundle)),
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
            running_mode=vision.RunningMode.VIDEO,
            num_faces=1,
        )
        landmarks, scores, matrices, names = [], [], [], []
        capture = cv2.VideoCapture(str(clip))
        with vision.FaceLandmarker.create_from_options(options) as teacher:
            number = 0
            while True:
                ok, frame = capture.read()
                if not ok:
                    break
                height, width = frame.shape[:2]
                image = mediapipe.Image(
                    image_format=mediapipe.ImageFormat.SRGB,
                    data=np.ascontiguousarray(frame[:, :, ::-1]),
                )
                seen = teacher.detect_for_video(image, number * 33)
                number += 1
                if seen.face_landmarks:
                    points = [(p.x * width, p.y * height) for p in seen.face_landmarks[0]]
                    landmarks.append(np.array(points, np.float32))
                    names = [c.category_name for c in seen.face_blendshapes[0]]
                    scores.append(np.array([c.score for c in seen.face_blendshapes[0]], np.float32))
                    matrices.append(np.array(seen.facial_transformation_matrixes[0], np.float32))
                else:
                    landmarks.append(np.full((478, 2), np.nan, np.float32))
                    scores.append(np.full(52, np.nan, np.float32))
                    matrices.append(np.full((4, 4), np.nan, np.float32))
        key = clip.stem
        results[f"{key}/landmarks"] = np.array(landmarks)
        results[f"{key}/scores"] = np.array(scores)
        results[f"{key}/matrix"] = np.array(matrices)
        if names:
            results["names"] = np.array(names)
        print(key, len(landmarks), "frames")
    arguments.output.parent.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(arguments.output, **results)


if __name__ == "__main__":
    main()
