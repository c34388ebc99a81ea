# SPDX-License-Identifier: GPL-3.0-or-later
"""The live protocol's bytes: what goes in comes out, and noise is refused."""

from __future__ import annotations

import contextlib
from dataclasses import asdict

import numpy as np
import pytest

from mfn_addon.capture import protocol
from mfn_addon.capture.protocol import (
    FrameDecoder,
    FrameEncoder,
    Hello,
    Kind,
    MessageReader,
    Preview,
    ProtocolError,
)
from mfn_addon.face import Face, FaceFrame
from mfn_addon.track.rotation import angle_between, quaternion_to_matrix
from tests.capture.marks import make_face


def lively_face(seed: int, face_id: int = 1) -> Face:
    rng = np.random.default_rng(seed)
    quaternion = rng.normal(size=4)
    return make_face(
        (float(rng.uniform(0, 1280)), float(rng.uniform(0, 720))),
        face_id=face_id,
        rotation=quaternion_to_matrix(quaternion / np.linalg.norm(quaternion)),
    ).with_(
        expression=rng.uniform(0, 1, 52).astype(np.float32),
        identity=rng.normal(0, 1.5, 40).astype(np.float32),
        translation=rng.normal(0, 1, 3).astype(np.float32),
    )


def frame_of(*faces: Face, number: int = 5, time: float = 1.25) -> FaceFrame:
    return FaceFrame(time, "Camera 0", number, 1280, 720, list(faces))


def payload_of(message: bytes) -> tuple[Kind, bytes]:
    ((kind, payload),) = MessageReader(protocol.MAX_PAYLOAD).feed(message)
    return kind, payload


@pytest.mark.parametrize("seed", range(5))
def test_a_frame_comes_out_as_it_went_in(seed):
    frame = frame_of(lively_face(seed, 1), lively_face(seed + 50, 2))
    kind, payload = payload_of(FrameEncoder().encode(frame))
    result = FrameDecoder("Camera 0").decode(payload)
    assert kind == Kind.FRAME
    assert (result.time, result.frame, result.width, result.height, result.source) == (
        1.25, 5, 1280, 720, "Camera 0",
    )  # fmt: skip
    for before, after in zip(frame.faces, result.faces, strict=True):
        assert after.id == before.id
        assert after.score == pytest.approx(before.score, abs=0.002)
        assert after.box == pytest.approx(before.box)
        assert after.translation == pytest.approx(before.translation)
        assert after.expression == pytest.approx(before.expression, abs=1e-5)
        assert after.identity == pytest.approx(before.identity, abs=2e-4)
        assert after.landmarks == pytest.approx(before.landmarks, abs=0.05)
        assert angle_between(after.rotation, before.rotation) < 2e-3


@pytest.mark.parametrize("seed", range(5))
def test_a_compact_frame_is_exact_enough_for_a_take(seed):
    frame = frame_of(lively_face(seed, 1), lively_face(seed + 50, 2))
    encoder, decoder = FrameEncoder(landmarks=False, compact=True), FrameDecoder("Camera 0")
    result = decoder.decode(payload_of(encoder.encode(frame, waited=0.02345))[1])
    assert decoder.waited == pytest.approx(0.02345, abs=1e-4)
    for before, after in zip(frame.faces, result.faces, strict=True):
        assert after.box == pytest.approx(before.box, abs=0.05)
        assert after.expression == pytest.approx(before.expression, abs=1.3e-4)
        assert after.identity == pytest.approx(before.identity, abs=2e-4)
        assert after.translation == pytest.approx(before.translation)
        assert angle_between(after.rotation, before.rotation) < 2e-3


def test_an_empty_frame():
    _, payload = payload_of(FrameEncoder().encode(frame_of()))
    assert FrameDecoder("x").decode(payload).faces == []


def test_a_face_takes_at_most_200_bytes_without_landmarks():
    encoder = FrameEncoder(landmarks=False)
    face = lively_face(0)
    sizes = [len(encoder.encode(frame_of(face))) for _ in range(60)]
    assert np.mean(sizes) < 200
    assert max(sizes) < 260  # with identity weights, now and then


def test_identity_weights_are_remembered_between_their_messages():
    encoder, decoder = FrameEncoder(), FrameDecoder("x")
    face = lively_face(1)
    for _ in range(5):
        (seen,) = decoder.decode(payload_of(encoder.encode(frame_of(face)))[1]).faces
        assert seen.identity == pytest.approx(face.identity, abs=2e-4)


def test_sequence_numbers_count_frames():
    encoder, decoder = FrameEncoder(), FrameDecoder("x")
    for number in range(3):
        decoder.decode(payload_of(encoder.encode(frame_of(lively_face(0))))[1])
        assert decoder.sequence == number


def test_values_out_of_range_are_clipped():
    face = make_face(score=1.5)
    face.expression[0] = 1.2
    face.identity[0] = 100
    _, payload = payload_of(FrameEncoder().encode(frame_of(face)))
    (seen,) = FrameDecoder("x").decode(payload).faces
    assert seen.score == 1.0
    assert seen.expression[0] == 1.0
    assert seen.identity[0] == pytest.approx(8, abs=0.01)


def test_messages_come_out_whole_however_the_bytes_arrive():
    stream = FrameEncoder().encode(frame_of(lively_face(0))) + protocol.pack_json(
        Kind.STATUS, {"state": "running"}
    )
    reader = MessageReader(protocol.MAX_PAYLOAD)
    found = [message for byte in stream for message in reader.feed(bytes([byte]))]
    assert [kind for kind, _ in found] == [Kind.FRAME, Kind.STATUS]


@pytest.mark.parametrize("cut", [1, 10, 30, 100, 300])
def test_a_frame_that_is_cut_off_is_refused(cut):
    _, payload = payload_of(FrameEncoder().encode(frame_of(lively_face(0))))
    with pytest.raises(ProtocolError):
        FrameDecoder("x").decode(payload[:-cut])
    with pytest.raises(ProtocolError):
        FrameDecoder("x").decode(payload + b"x" * cut)


def test_too_long_and_unknown_messages_are_refused():
    with pytest.raises(ProtocolError, match="at most"):
        MessageReader(100).feed(b"\xff\xff\xff\x7f\x04")
    with pytest.raises(ProtocolError, match="unknown kind 99"):
        MessageReader(100).feed(b"\x00\x00\x00\x00\x63")


@pytest.mark.parametrize("seed", range(30))
def test_noise_raises_nothing_but_protocol_errors(seed):
    rng = np.random.default_rng(seed)
    noise = rng.bytes(int(rng.integers(0, 600)))
    for read in (
        protocol.unpack_hello, FrameDecoder("x").decode, protocol.decode_preview,
        MessageReader().feed,
    ):  # fmt: skip
        with contextlib.suppress(ProtocolError):
            read(noise)


def test_hello():
    hello = Hello("secret", "Camera 0")
    assert protocol.unpack_hello(payload_of(protocol.pack_hello(hello))[1]) == hello


@pytest.mark.parametrize(("version", "who"), [(2, "sender"), (4, "receiver")])
def test_another_version_says_who_is_to_be_updated(version, who):
    data = {**asdict(Hello("t", "x")), "version": version, "unheard_of": 1}
    _, payload = payload_of(protocol.pack_json(Kind.HELLO, data))
    with pytest.raises(ProtocolError, match=f"update the {who}"):
        protocol.unpack_hello(payload)


def test_another_vocabulary_is_refused():
    hello = Hello("t", "x", expressions=["smile"])
    with pytest.raises(ProtocolError, match="vocabulary"):
        protocol.unpack_hello(payload_of(protocol.pack_hello(hello))[1])


def test_preview():
    picture = np.random.default_rng(0).integers(0, 255, (18, 32, 3), np.uint8)
    message = protocol.encode_preview(Preview(7, 32, 18, "rgb", picture.tobytes()))
    preview = protocol.decode_preview(payload_of(message)[1])
    assert preview.frame == 7
    assert np.array_equal(preview.image(), picture)
