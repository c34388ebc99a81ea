# SPDX-License-Identifier: GPL-3.0-or-later
"""The page packs a frame into the very bytes into which Python does."""

from __future__ import annotations

import json
import subprocess

import pytest

from mfn_addon.capture.protocol import FrameEncoder
from tests.capture.test_protocol import frame_of, lively_face, payload_of
from tests.companion.node import COMPANION, node_binary, why_not

pytestmark = pytest.mark.skipif(bool(why_not()), reason=why_not())


@pytest.mark.parametrize("with_identity", [True, False])
def test_page_and_python_pack_the_same_bytes(with_identity: bool) -> None:
    frame = frame_of(lively_face(3, 1), lively_face(4, 2))
    faces = [
        {
            "id": face.id, "score": face.score, "box": face.box.tolist(),
            "rotation": face.rotation.ravel().tolist(), "translation": face.translation.tolist(),
            "identity": face.identity.tolist(), "expression": face.expression.tolist(),
        }
        for face in frame.faces
    ]  # fmt: skip
    shown = {
        "time": frame.time, "frame": frame.frame, "width": frame.width, "height": frame.height,
        "faces": faces,
    }  # fmt: skip
    encoder = FrameEncoder(landmarks=False, compact=True)
    ours = encoder.encode(frame, waited=0.0235)
    if not with_identity:  # they go with the first frame of a face
        ours = encoder.encode(frame, waited=0.0235)
    given = {
        "frame": shown, "sequence": 0 if with_identity else 1, "withIdentity": with_identity,
        "sent": frame.time + 0.02355,
    }  # fmt: skip
    node = node_binary()
    assert node is not None
    done = subprocess.run(
        [node, "--no-warnings", "tests/encode.ts"], cwd=COMPANION, check=True,
        input=json.dumps(given), capture_output=True, text=True,
    )  # fmt: skip
    assert bytes.fromhex(done.stdout) == payload_of(ours)[1]
