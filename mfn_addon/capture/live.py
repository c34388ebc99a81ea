# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiving end of the live protocol, made to be polled from Blender's timer.

Nothing here blocks for longer than a read from memory, nothing needs OpenCV, and there is no
thread. `CameraProcess` starts the sender on this computer; `LiveReceiver` alone waits for one
that is started by hand (`mfn camera --connect`).
"""

from __future__ import annotations

import hmac
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Self

import numpy as np

from ..face import FaceFrame
from .protocol import (
    MAX_PAYLOAD,
    TOKEN_VARIABLE,
    FrameDecoder,
    Kind,
    MessageReader,
    Preview,
    ProtocolError,
    decode_preview,
    pack_json,
    unpack_hello,
    unpack_json,
)

_ROOT = Path(__file__).resolve().parents[2]
"""The folder that holds `mfn_addon`: the checkout, or the installed extension."""

_RECEIVE_AT_MOST = 16 << 20
"""Bytes a poll, so that a flood cannot hold up Blender."""


class LiveReceiver:
    """Waits on this computer for one sender, and takes what it sends.

    Attributes:
        address: "host:port" to connect to.
        token: the secret that the sender has to know.
        state: "waiting" (for the sender), "opening" (it opens its source), "running", "ended"
            (footage is over), "failed", "stopped" (by us).
        message: one line for the user where the state needs a word; empty after "failed" where
            the sender left without one.
        info: what the sender told of its source: width, height, duration, epoch.
        source: the source's name.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, token: str | None = None) -> None:
        """Listen. Raises OSError where the port is taken."""
        self.token = token or secrets.token_urlsafe(16)
        self.state, self.message = "waiting", ""
        self.info: dict[str, float] = {}
        self.source = ""
        self._listener = socket.create_server((host, port), backlog=2)
        self._listener.setblocking(False)
        self.address = f"{host}:{self._listener.getsockname()[1]}"
        self._connection: socket.socket | None = None
        self._reader = MessageReader()
        self._decoder: FrameDecoder | None = None
        self._preview: Preview | None = None

    def poll(self) -> list[FaceFrame]:
        """All frames that have arrived since the last poll, the newest last. Never waits."""
        if self._connection is None:
            self._accept()
        frames: list[FaceFrame] = []
        if self._connection is not None:
            try:
                self._receive(frames)
            except ProtocolError as error:
                self._end("failed", f"The capture process sent something unusable: {error}")
        return frames

    def captured(self, frame: FaceFrame) -> float | None:
        """`time.monotonic()` when a frame's picture was captured; None while that is unknown."""
        return self.info["epoch"] + frame.time if "epoch" in self.info else None

    def preview(self) -> np.ndarray | None:
        """The latest preview, (H, W, 3) uint8 RGB, top row first; None before the first."""
        return self._preview.image() if self._preview else None

    @property
    def preview_frame(self) -> int:
        """The number of the frame that the latest preview shows; -1 before the first."""
        return self._preview.frame if self._preview else -1

    @property
    def alive(self) -> bool:
        """Whether frames may still come."""
        return self.state in {"waiting", "opening", "running"}

    def stop(self) -> None:
        """Ask the sender to stop, and close."""
        if self._connection is not None:
            with suppress(OSError):  # it is gone already
                self._connection.send(pack_json(Kind.CONTROL, {"command": "stop"}))
        self._end("stopped" if self.alive else self.state, self.message)
        self._listener.close()

    def _accept(self) -> None:
        try:
            self._connection, _ = self._listener.accept()
        except OSError:  # nobody there yet, or we are closed
            return
        self._connection.setblocking(False)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._reader = MessageReader()
        self._decoder = None

    def _receive(self, frames: list[FaceFrame]) -> None:
        received = 0
        while self._connection is not None and received < _RECEIVE_AT_MOST:
            try:
                data = self._connection.recv(1 << 18)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._sender_left()
                return
            received += len(data)
            for kind, payload in self._reader.feed(data):
                self._handle(kind, payload, frames)
                if self._connection is None:
                    return

    def _handle(self, kind: Kind, payload: bytes, frames: list[FaceFrame]) -> None:
        if self._decoder is None:
            self._welcome(kind, payload)
        elif kind == Kind.FRAME:
            frames.append(self._decoder.decode(payload))
        elif kind == Kind.PREVIEW:
            self._preview = decode_preview(payload)
        elif kind == Kind.STATUS:
            status = unpack_json(payload)
            self.state, self.message = str(status.pop("state", "")), str(status.pop("message", ""))
            self.info.update(status)

    def _welcome(self, kind: Kind, payload: bytes) -> None:
        """Check the sender's hello. A stranger is turned away and we go on waiting."""
        assert self._connection is not None
        try:
            if kind != Kind.HELLO:
                raise ProtocolError("no hello")
            hello = unpack_hello(payload)
            if not hmac.compare_digest(hello.token.encode(), self.token.encode()):
                raise ProtocolError("wrong token")
        except ProtocolError as error:
            self._answer(pack_json(Kind.REFUSED, {"reason": str(error)}))
            self._connection.close()
            self._connection = None
            if "token" not in str(error):
                self.message = f"A capture process was refused: {error}"
            return
        self._answer(pack_json(Kind.WELCOME, {"version": hello.version}))
        self._reader.longest = MAX_PAYLOAD
        self._decoder = FrameDecoder(hello.source)
        self.source = hello.source
        self.state, self.message = "opening", ""

    def _answer(self, message: bytes) -> None:
        assert self._connection is not None
        with suppress(OSError):  # the next receive finds it gone
            self._connection.send(message)

    def _sender_left(self) -> None:
        if self._decoder is None:  # a stranger who never said hello
            assert self._connection is not None
            self._connection.close()
            self._connection = None
        elif self.state in {"ended", "failed"}:
            self._end(self.state, self.message)
        else:
            self._end("failed", "")

    def _end(self, state: str, message: str) -> None:
        self.state, self.message = state, message
        if self._connection is not None:
            self._connection.close()
            self._connection = None
            self._listener.close()


class CameraProcess:
    """A capture process on this computer and its receiver: a camera, or footage played live.

    The process opens the camera only after it was started, ends itself when this one vanishes,
    and is ended by `stop`, by the interpreter's end, or when this object is dropped.
    """

    def __init__(
        self,
        source: str | int | Path,
        *,
        loop: bool = False,
        preview_side: int = 320,
        options: Sequence[str] = (),
        command: Sequence[str] | None = None,
    ) -> None:
        """Start it.

        Args:
            source: the camera's number, or the path of footage.
            loop: play footage again and again.
            preview_side: px of the longer side of previews; 0 for none.
            options: further arguments of `mfn camera`, e.g. ["--threads", "2"].
            command: what to start instead of `python -m mfn_addon.cli camera`.

        Raises:
            OSError: the process cannot be started.
        """
        self._receiver = LiveReceiver()
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (closed by stop)
        command = list(command or [python_executable(), "-s", "-m", "mfn_addon.cli", "camera"])
        if not str(source).isdecimal():
            source = Path(str(source)).resolve()  # the process has another working folder
        command += ["--source", str(source), "--connect", self._receiver.address]
        command += ["--preview", str(preview_side), *(["--loop"] if loop else []), *options]
        try:
            self._process = subprocess.Popen(
                command,
                env=child_environment(self._receiver.token),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._errors,
                cwd=_ROOT,
                start_new_session=os.name == "posix",  # Ctrl-C in the terminal is for Blender
                creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            )
        except OSError:
            self._receiver.stop()
            self._errors.close()
            raise
        self.pid = self._process.pid
        _end_with_us(self, self._process)

    def poll(self) -> list[FaceFrame]:
        """See `LiveReceiver.poll`."""
        before = self._receiver.state
        frames = self._receiver.poll()
        if before == "waiting" == self._receiver.state and self._process.poll() is not None:
            self._receiver.stop()
            self._receiver.state = "failed"
            self._receiver.message = self._last_error_line() or (
                f"The capture process ended at once (exit status {self._process.returncode})"
            )
        elif before != "failed" == self._receiver.state and not self._receiver.message:
            said = self._last_error_line()
            self._receiver.message = "The capture process ended unexpectedly; start it again" + (
                f" ({said})" if said else ""
            )
        return frames

    def captured(self, frame: FaceFrame) -> float | None:
        """See `LiveReceiver.captured`."""
        return self._receiver.captured(frame)

    def preview(self) -> np.ndarray | None:
        """See `LiveReceiver.preview`."""
        return self._receiver.preview()

    preview_frame = property(lambda self: self._receiver.preview_frame)
    state = property(lambda self: self._receiver.state)
    message = property(lambda self: self._receiver.message)
    info = property(lambda self: self._receiver.info)
    source = property(lambda self: self._receiver.source)
    alive = property(lambda self: self._receiver.alive)

    def stop(self, wait: bool = False) -> None:
        """End the process: by asking, and where that does not help within a second, by force.

        Returns at once, since Blender must not wait; `wait` until it has ended.
        """
        self._receiver.stop()
        self._errors.close()
        # Not a daemon: the interpreter does not end before the process has.
        ending = threading.Thread(target=end_process, args=(self._process,), name="end of camera")
        ending.start()
        if wait:
            ending.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop(wait=True)

    def _last_error_line(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").strip().splitlines()
        return lines[-1].removeprefix("mfn camera: ") if lines else ""


def end_process(process: subprocess.Popen) -> None:
    """End a process: give it a second, then terminate it, then kill it."""
    for seconds, force in ((1.0, process.terminate), (0.5, process.kill)):
        try:
            process.wait(seconds)
            return
        except subprocess.TimeoutExpired:
            force()
    process.wait()


def python_executable() -> str:
    """The Python to start a child with. Inside Blender `sys.executable` is Blender's own Python
    in most builds; where it is Blender itself, the Python that lies in its folder is taken."""
    current = Path(sys.executable)
    if current.name.lower().startswith("python"):
        return str(current)
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    for name in (f"bin/{version}", "bin/python3", "bin/python", "bin/python.exe", "python.exe"):
        if (Path(sys.prefix) / name).is_file():
            return str(Path(sys.prefix) / name)
    return str(current)


def child_environment(token: str) -> dict[str, str]:
    """This process's environment, with its own search path handed on: the wheels of an installed
    extension are on Blender's `sys.path` alone."""
    path = [str(_ROOT), *(entry for entry in sys.path if entry and Path(entry).exists())]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(dict.fromkeys(path)),
        "PYTHONDONTWRITEBYTECODE": "1",  # an extension's folder is not ours to write to
        TOKEN_VARIABLE: token,
    }


def _end_with_us(owner: CameraProcess, process: subprocess.Popen) -> None:
    """End the process with the interpreter, or when its owner is dropped without a stop."""
    weakref.finalize(owner, _end_now, process)


def _end_now(process: subprocess.Popen) -> None:
    if process.poll() is None:
        process.terminate()
        end_process(process)
