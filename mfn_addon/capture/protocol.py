# SPDX-License-Identifier: GPL-3.0-or-later
"""The live protocol between a capture process (or a phone) and Blender: bytes only, no sockets.

Every message is `u32 length, u8 kind, payload`, little-endian; `length` counts the payload. The
sender opens with HELLO (JSON: version, token, source, schema); the receiver answers WELCOME or
REFUSED; then FRAMEs and PREVIEWs flow one way and CONTROL the other. docs/protocol.md has the
tables. What phones say beyond that (recorded frames, clocks) is in `phone/messages.py`.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import asdict, dataclass, field, fields
from enum import IntEnum
from typing import Any

import numpy as np

from ..face import EXPRESSIONS, IDENTITY_COUNT, LANDMARK_COUNT, NO_ID, Face, FaceFrame
from ..track.rotation import quaternion_from_matrix, quaternion_to_matrix

VERSION = 3
MAX_PAYLOAD = 8 << 20
"""Bytes: no message is longer; a longer one is an attack or noise."""
MAX_HELLO = 64 << 10
"""Bytes: the longest message from a sender that has not shown its token."""

LATEST = 1e11
"""Seconds: no clock shows more, and sums of such times stay exact enough."""
TOKEN_VARIABLE = "MFN_TOKEN"
"""The environment variable that carries the receiver's token to the sender: unlike an argument,
other users of the computer cannot read it."""

_HEAD = struct.Struct("<IB")
_FRAME = struct.Struct("<IdIHHB")  # sequence, time, frame number, width, height, faces
_FACE = struct.Struct("<hBB4f4h3f")  # id, parts that follow, score, box, quaternion, translation
_COMPACT_FACE = struct.Struct("<hBB4h4h3f")
_WAITED = struct.Struct("<H")  # after the faces
_PREVIEW = struct.Struct("<IHHB")  # frame number, width, height, encoding

_HAS_IDENTITY, _HAS_LANDMARKS, _COMPACT = 1, 2, 4
_IDENTITY_UNIT = 1 / 4096  # weights up to 8 standard deviations
_PIXEL_UNIT = 1 / 16384  # of the picture's longer side; up to twice that side
_WAITED_UNIT = 1e-4  # seconds; up to 6.5
_COMPACT_WEIGHT = 4095  # the largest number of 12 bits
_COMPACT_WEIGHTS = len(EXPRESSIONS) * 12 // 8  # bytes
_IDENTITY_EVERY = 30  # frames: identity weights hardly change, so they are sent now and then


class Kind(IntEnum):
    """What a message is."""

    HELLO = 1
    WELCOME = 2
    REFUSED = 3
    FRAME = 4
    PREVIEW = 5
    STATUS = 6
    CONTROL = 7
    RECORDED = 8
    SAVED = 9
    CLOCK = 10
    CLOCK_ANSWER = 11
    REQUEST = 12


class ProtocolError(ValueError):
    """The other side does not speak this protocol, or another version of it.

    Attributes:
        code: what REFUSED calls it: "protocol", "version", "vocabulary", "token" or "full".
    """

    def __init__(self, reason: str, code: str = "protocol") -> None:
        super().__init__(reason)
        self.code = code


@dataclass
class Hello:
    """Who sends, and what its frames hold: said once.

    Attributes:
        token: the secret that the receiver gave to the sender.
        source: the name that its frames carry.
        expressions: the names of the expression weights, in order.
        identity_count, landmark_count: as in `face`.
        stream: a number of the sender's present run, to which its sequence numbers and its clock
            belong; u32.
    """

    token: str
    source: str
    version: int = VERSION
    expressions: list[str] = field(default_factory=lambda: list(EXPRESSIONS))
    identity_count: int = IDENTITY_COUNT
    landmark_count: int = LANDMARK_COUNT
    stream: int = 0


@dataclass(frozen=True)
class Preview:
    """A small picture for the eye.

    Attributes:
        frame: the number of the frame that it shows.
        width, height: px.
        encoding: "rgb" or "jpeg"; data: the bytes.
    """

    frame: int
    width: int
    height: int
    encoding: str
    data: bytes

    def image(self) -> np.ndarray:
        """(height, width, 3) uint8 RGB. Only a JPEG needs OpenCV."""
        if self.encoding == "rgb":
            return np.frombuffer(self.data, np.uint8).reshape(self.height, self.width, 3)
        import cv2

        picture = cv2.imdecode(np.frombuffer(self.data, np.uint8), cv2.IMREAD_COLOR)
        return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def pack(kind: Kind, payload: bytes) -> bytes:
    """One message."""
    return _HEAD.pack(len(payload), kind) + payload


def pack_json(kind: Kind, data: dict[str, Any]) -> bytes:
    """One message whose payload is JSON."""
    return pack(kind, json.dumps(data, separators=(",", ":")).encode())


def pack_hello(hello: Hello) -> bytes:
    """The sender's first message."""
    return pack_json(Kind.HELLO, asdict(hello))


def unpack_json(payload: bytes) -> dict[str, Any]:
    """The inverse of `pack_json`'s payload. Raises ProtocolError."""
    try:
        data = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise ProtocolError(f"a message is no JSON ({error})") from error
    if not isinstance(data, dict):
        raise ProtocolError("a message is no JSON object")
    return data


def unpack_hello(payload: bytes) -> Hello:
    """The sender's first message.

    Raises:
        ProtocolError: another version, or faces of another vocabulary; the message tells which
            side is to be updated.
    """
    data = unpack_json(payload)
    version = data.get("version")
    if version != VERSION:
        older = "sender" if isinstance(version, int) and version < VERSION else "receiver"
        raise ProtocolError(
            f"the sender speaks protocol {version!r:.20}, the receiver {VERSION}: "
            f"update the {older} (a phone: reload the page)",
            "version",
        )
    try:
        hello = Hello(**{key.name: data[key.name] for key in fields(Hello) if key.name in data})
    except TypeError as error:
        raise ProtocolError(f"the sender's hello is malformed ({error})") from error
    texts, stream = (hello.token, hello.source), hello.stream
    if not all(isinstance(text, str) for text in texts) or not isinstance(stream, int):
        raise ProtocolError("the sender's hello is malformed (token, source or stream)")
    counts = (hello.identity_count, hello.landmark_count)
    if hello.expressions != list(EXPRESSIONS) or counts != (IDENTITY_COUNT, LANDMARK_COUNT):
        raise ProtocolError(
            f"the sender's faces have another vocabulary: expected the {len(EXPRESSIONS)} "
            f"expression weights of ARKit, {IDENTITY_COUNT} identity weights and "
            f"{LANDMARK_COUNT} landmarks",
            "vocabulary",
        )
    hello.stream &= 0xFFFFFFFF
    return hello


class MessageReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self, longest: int = MAX_HELLO) -> None:
        self.longest = longest
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[tuple[Kind, bytes]]:
        """The messages that are complete with these bytes.

        Raises:
            ProtocolError: a message is too long, or of no known kind.
        """
        self._buffer += data
        messages, at = [], 0
        while len(self._buffer) - at >= _HEAD.size:
            length, number = _HEAD.unpack_from(self._buffer, at)
            if length > self.longest:
                raise ProtocolError(f"a message of {length} bytes (at most {self.longest})")
            end = at + _HEAD.size + length
            if len(self._buffer) < end:
                break
            try:
                kind = Kind(number)
            except ValueError:
                raise ProtocolError(f"a message of unknown kind {number}") from None
            messages.append((kind, bytes(self._buffer[at + _HEAD.size : end])))
            at = end
        del self._buffer[:at]
        return messages


class FrameEncoder:
    """FaceFrames to FRAME messages: 144 bytes a face, 110 if compact, and 80 more with identity
    weights, 272 more with landmarks."""

    def __init__(self, landmarks: bool = True, sequence: int = 0, compact: bool = False) -> None:
        self._landmarks = landmarks
        self._sequence = sequence
        self._compact = compact
        self._identity_sent: dict[int, int] = {}

    def encode(self, frame: FaceFrame, waited: float | None = None) -> bytes:
        """One message.

        Args:
            frame: what it holds.
            waited: seconds from its capture until now, when it is sent; None to say nothing of it.
        """
        faces = frame.faces[:255]
        parts = [
            _FRAME.pack(
                self._sequence & 0xFFFFFFFF, frame.time, frame.frame & 0xFFFFFFFF, frame.width,
                frame.height, len(faces),
            )
        ]  # fmt: skip
        parts += [self._face(face, max(frame.width, frame.height)) for face in faces]
        if waited is not None and waited >= 0:  # rounded down: the receiver takes it for a bound
            parts.append(_WAITED.pack(min(int(waited / _WAITED_UNIT), 0xFFFF)))
        self._sequence += 1
        return pack(Kind.FRAME, b"".join(parts))

    def _face(self, face: Face, side: int) -> bytes:
        sent = self._identity_sent.get(face.id)
        with_identity = face.id == NO_ID or sent is None or self._sequence - sent >= _IDENTITY_EVERY
        if with_identity:
            self._identity_sent[face.id] = self._sequence
        flags = _HAS_IDENTITY * with_identity | _HAS_LANDMARKS * self._landmarks
        score = round(float(np.clip(face.score, 0, 1)) * 255)
        quaternion = map(int, np.round(quaternion_from_matrix(face.rotation) * 32767))
        pose = (*quaternion, *map(float, face.translation))
        weights = np.clip(face.expression, 0, 1)
        if self._compact:
            box = _clip_int16(face.box / (side * _PIXEL_UNIT)).tolist()
            parts = [
                _COMPACT_FACE.pack(face.id, flags | _COMPACT, score, *box, *pose),
                _pack_12_bits(weights),
            ]
        else:
            parts = [
                _FACE.pack(face.id, flags, score, *map(float, face.box), *pose),
                np.round(weights * 65535).astype("<u2").tobytes(),
            ]
        if with_identity:
            parts.append(_int16(face.identity / _IDENTITY_UNIT))
        if self._landmarks:
            parts.append(_int16(face.landmarks / (side * _PIXEL_UNIT)))
        return b"".join(parts)


class FrameDecoder:
    """FRAME payloads to FaceFrames of one sender."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._identity: dict[int, np.ndarray] = {}
        self.sequence = -1
        """The last frame's sequence number: a gap would show that a frame was lost."""
        self.waited: float | None = None
        """Seconds from the last frame's capture until it was first sent; None where not told."""

    def decode(self, payload: bytes) -> FaceFrame:
        """One frame. Landmarks that were not sent are the box's middle.

        Raises:
            ProtocolError: the payload is cut off or has bytes left over.
        """
        try:
            sequence, time, number, width, height, count = _FRAME.unpack_from(payload)
            at = _FRAME.size
            faces = []
            for _ in range(count):
                face, at = self._face(payload, at, max(width, height))
                faces.append(face)
        except ProtocolError:
            raise
        except (struct.error, ValueError) as error:
            raise ProtocolError(f"a frame is cut off ({error})") from error
        left = payload[at:]
        if len(left) not in (0, _WAITED.size):
            raise ProtocolError(f"a frame has {len(left)} bytes left over")
        if not abs(time) <= LATEST:  # NaN neither
            raise ProtocolError("a frame has no time")
        self.sequence = sequence
        self.waited = _WAITED.unpack(left)[0] * _WAITED_UNIT if left else None
        return FaceFrame(time, self._source, number, width, height, faces)

    def _face(self, payload: bytes, at: int, side: int) -> tuple[Face, int]:
        compact = len(payload) > at + 2 and payload[at + 2] & _COMPACT
        form = _COMPACT_FACE if compact else _FACE
        face_id, flags, score, *numbers = form.unpack_from(payload, at)
        at += form.size
        if not all(map(math.isfinite, numbers)):
            raise ProtocolError("a face's box or translation is no number")
        box = np.array(numbers[:4], np.float32) * np.float32(side * _PIXEL_UNIT if compact else 1)
        quaternion = np.array(numbers[4:8], np.float64)
        quaternion /= max(float(np.linalg.norm(quaternion)), 1e-9)
        if compact:
            stored, at = _take(payload, "u1", _COMPACT_WEIGHTS, at)
            expression = _unpack_12_bits(stored)
        else:
            stored, at = _take(payload, "<u2", len(EXPRESSIONS), at)
            expression = stored / np.float32(65535)
        if flags & _HAS_IDENTITY:
            stored, at = _take(payload, "<i2", IDENTITY_COUNT, at)
            self._identity[face_id] = stored * np.float32(_IDENTITY_UNIT)
        if flags & _HAS_LANDMARKS:
            stored, at = _take(payload, "<i2", LANDMARK_COUNT * 2, at)
            landmarks = stored.reshape(-1, 2) * np.float32(side * _PIXEL_UNIT)
        else:
            landmarks = np.tile(box[:2] / 2 + box[2:] / 2, (LANDMARK_COUNT, 1))
        face = Face(
            id=face_id,
            score=score / 255,
            box=box,
            rotation=quaternion_to_matrix(quaternion),
            translation=np.array(numbers[8:], np.float32),
            identity=self._identity.get(face_id, np.zeros(IDENTITY_COUNT, np.float32)).copy(),
            expression=expression,
            landmarks=landmarks,
        )
        return face, at


def encode_preview(preview: Preview) -> bytes:
    """One message."""
    head = _PREVIEW.pack(
        preview.frame & 0xFFFFFFFF, preview.width, preview.height, preview.encoding == "jpeg"
    )
    return pack(Kind.PREVIEW, head + preview.data)


def decode_preview(payload: bytes) -> Preview:
    """The inverse of `encode_preview`'s payload. Raises ProtocolError."""
    try:
        number, width, height, is_jpeg = _PREVIEW.unpack_from(payload)
    except struct.error as error:
        raise ProtocolError(f"a preview is cut off ({error})") from error
    data = payload[_PREVIEW.size :]
    if not is_jpeg and len(data) != width * height * 3:
        raise ProtocolError(f"a preview of {width}x{height} px has {len(data)} bytes")
    return Preview(number, width, height, "jpeg" if is_jpeg else "rgb", data)


def _clip_int16(values: np.ndarray) -> np.ndarray:
    return np.clip(np.round(values), -32768, 32767).astype("<i2")


def _int16(values: np.ndarray) -> bytes:
    return _clip_int16(values).tobytes()


def _pack_12_bits(weights: np.ndarray) -> bytes:
    """Weights 0..1, each two of them in three bytes: the first is in the lower bits."""
    first, second = np.round(weights * _COMPACT_WEIGHT).astype(np.uint16).reshape(-1, 2).T
    packed = np.stack([first & 0xFF, first >> 8 | (second & 0xF) << 4, second >> 4], axis=1)
    return packed.astype(np.uint8).tobytes()


def _unpack_12_bits(stored: np.ndarray) -> np.ndarray:
    """(52,) float32, the inverse of `_pack_12_bits`."""
    low, middle, high = stored.astype(np.uint16).reshape(-1, 3).T
    pairs = np.stack([low | (middle & 0xF) << 8, middle >> 4 | high << 4], axis=1)
    return pairs.ravel() / np.float32(_COMPACT_WEIGHT)


def _take(payload: bytes, kind: str, count: int, at: int) -> tuple[np.ndarray, int]:
    array = np.frombuffer(payload, kind, count, at)
    return array.astype(np.float32), at + array.nbytes
