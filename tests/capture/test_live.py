# SPDX-License-Identifier: GPL-3.0-or-later
"""The capture process and its receiver: they find each other, and neither outlives its use."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from mfn_addon.capture.errors import InputError
from mfn_addon.capture.live import CameraProcess, LiveReceiver, child_environment
from mfn_addon.capture.protocol import Hello, Preview, pack_hello
from mfn_addon.capture.sender import Sender
from mfn_addon.face import FaceFrame
from mfn_addon.take import Take, TakeWriter
from tests.capture.marks import make_face

STAND_IN = [sys.executable, str(Path(__file__).with_name("disc_camera.py")), "camera"]
PATIENCE = 120.0  # seconds for a process to start on a busy machine; nothing is timed by it


def start(source, monkeypatch=None, pictures=None, **options) -> CameraProcess:
    if pictures is not None:
        monkeypatch.setenv("MFN_TEST_PICTURES", str(pictures))
    return CameraProcess(source, command=STAND_IN, **options)


def collect(process, until) -> list[FaceFrame]:
    """Poll as Blender's timer does, until a condition on the frames so far holds."""
    frames: list[FaceFrame] = []
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        frames += process.poll()
        if until(frames):
            return frames
        time.sleep(0.01)
    pytest.fail(f"in vain: {process.state} {process.message} after {len(frames)} frames")


def running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except (FileNotFoundError, ProcessLookupError):  # gone since, or a system without /proc
        return not Path("/proc/self/stat").exists()
    return status.rpartition(")")[2].split()[0] != "Z"


def wait_until_gone(pid: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while running(pid):
        assert time.monotonic() < deadline, "the process lives on"
        time.sleep(0.05)


def connected_pair() -> tuple[LiveReceiver, Sender]:
    import threading

    receiver = LiveReceiver()
    made = []
    thread = threading.Thread(
        target=lambda: made.append(Sender(receiver.address, receiver.token, "test"))
    )
    thread.start()
    while thread.is_alive():
        receiver.poll()
        time.sleep(0.005)
    return receiver, made[0]


def test_frames_of_a_camera_arrive_in_order_with_ids_and_a_preview():
    with start(9) as process:
        frames = collect(process, lambda frames: len(frames) >= 8)
        assert process.state == "running"
        assert process.source == "Camera 9"
        preview = process.preview()
        pid = process.pid
    assert [len(frame.faces) for frame in frames] == [2] * len(frames)
    assert {face.id for frame in frames for face in frame.faces} == {1, 2}
    times = [frame.time for frame in frames]
    assert times == sorted(times)
    assert preview.shape == (240, 320, 3)
    assert preview.dtype == np.uint8
    assert not running(pid)
    assert process.state == "stopped"


def test_no_frame_is_lost_while_blender_is_busy():
    receiver, sender = connected_pair()
    picture = Preview(0, 320, 180, "rgb", bytes(320 * 180 * 3))
    for number in range(500):  # 16 s at 30 a second, unpolled
        sender.send_frame(FaceFrame(number / 30, "test", number, 640, 360, [make_face(face_id=1)]))
        sender.send_preview(picture)
    frames = collect(receiver, lambda frames: len(frames) >= 500)
    assert [frame.frame for frame in frames] == list(range(500))
    receiver.stop()
    sender.close()


def test_footage_is_played_at_its_pace_and_ends(ffmpeg):
    path = ffmpeg("clip.mp4", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=1")
    with start(path) as process:
        frames = collect(process, lambda _: process.state == "ended")
        assert process.info["duration"] == pytest.approx(1.0)
        assert "clip.mp4" in process.message
    assert 1 <= len(frames) <= 10
    assert {round(frame.time * 10 - frame.frame, 3) for frame in frames} == {0}


def test_looped_footage_goes_on_in_time(ffmpeg):
    path = ffmpeg("clip.mp4", "-f", "lavfi", "-i", "testsrc=size=320x240:rate=10:duration=0.5")
    with start(path, loop=True) as process:
        frames = collect(process, lambda frames: frames and frames[-1].time > 1.2)
    assert all(a.time < b.time for a, b in itertools.pairwise(frames))
    assert max(frame.frame for frame in frames) <= 4


def test_no_camera():
    with start(7) as process:
        collect(process, lambda _: process.state == "failed")
        assert "no camera 7" in process.message or "camera 7 cannot be opened" in process.message
        wait_until_gone(process.pid)


def test_absent_footage(tmp_path):
    with start(tmp_path / "absent.mp4") as process:
        collect(process, lambda _: process.state == "failed")
        assert "no such file" in process.message


def test_a_camera_that_vanishes_while_recording_leaves_the_take(tmp_path, monkeypatch):
    path = tmp_path / "evening.mfntake"
    with start(9, monkeypatch, pictures=40) as process, TakeWriter(path) as take:
        frames = collect(process, lambda _: process.state == "failed")
        for frame in frames:
            take.add(frame)
    assert "stopped giving pictures" in process.message
    with Take(path) as take:
        assert take.frame_count == len(frames) > 0
        assert [actor.id for actor in take.actors()] == [1, 2]


def test_a_program_that_cannot_start_says_why(tmp_path):
    process = CameraProcess(0, command=[sys.executable, "-c", "raise SystemExit('no luck')"])
    collect(process, lambda _: process.state == "failed")
    assert process.message == "no luck"
    process.stop()


def test_a_process_that_is_killed_is_noticed():
    with start(9) as process:
        collect(process, lambda frames: len(frames) > 2)
        os.kill(process.pid, signal.SIGKILL)
        collect(process, lambda _: process.state == "failed")
        assert "unexpectedly" in process.message


def test_stop_ends_a_process_whose_camera_driver_hangs(monkeypatch):
    process = start(0, monkeypatch, pictures="hang")
    collect(process, lambda _: process.state == "opening")
    process.stop()
    assert process.state == "stopped"
    wait_until_gone(process.pid)
    process.stop(wait=True)  # twice is harmless


def test_a_dropped_process_is_ended():
    process = start(9)
    collect(process, lambda frames: frames)
    pid = process.pid
    del process
    assert not running(pid)


@pytest.mark.parametrize("pictures", ["1000000", "hang"])
def test_the_process_ends_when_blender_is_killed(pictures):
    """A parent that starts a process, tells its number, and is killed without a goodbye."""
    parent = (
        "import sys, time\n"
        "from mfn_addon.capture.live import CameraProcess\n"
        f"process = CameraProcess(9, command={STAND_IN!r})\n"
        "while process.state == 'waiting': process.poll(); time.sleep(0.01)\n"
        "print(process.pid, flush=True)\n"
        "while True: process.poll(); time.sleep(0.01)\n"
    )
    environment = {**child_environment(""), "MFN_TEST_PICTURES": pictures}
    with subprocess.Popen(
        [sys.executable, "-c", parent], env=environment, stdout=subprocess.PIPE, text=True
    ) as blender:
        pid = int(blender.stdout.readline())
        assert running(pid)
        blender.kill()
    wait_until_gone(pid)


def test_the_process_imports_no_bpy_and_needs_no_installation(tmp_path, repository):
    """As Blender starts it: by module path from another folder, with this search path."""
    check = (
        "import sys; from mfn_addon.commands import camera, solve; from mfn_addon import cli;"
        "sys.exit('bpy' in sys.modules)"
    )
    subprocess.run(
        [sys.executable, "-s", "-c", check],
        cwd=tmp_path, env=child_environment("t"), check=True, timeout=60,
    )  # fmt: skip
    assert "mfn_addon" not in os.environ.get("PYTHONPATH", "")


def test_as_an_extension_under_another_name(tmp_path, repository):
    """Installed as Blender does it: a package of another name, in a folder that nobody knows."""
    installed = tmp_path / "bl_ext" / "user_default" / "mfn_face_capture"
    shutil.copytree(
        repository / "mfn_addon", installed / "mfn_addon", ignore=shutil.ignore_patterns("*.pyc")
    )
    (installed / "__init__.py").touch()
    use = (
        "import time\n"
        "from bl_ext.user_default.mfn_face_capture.mfn_addon.capture.live import CameraProcess\n"
        "process = CameraProcess(7)\n"
        f"deadline = time.monotonic() + {PATIENCE}\n"
        "while process.alive and time.monotonic() < deadline: process.poll(); time.sleep(0.01)\n"
        "print(process.state, process.message)\n"
    )
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", use], env={**environment, "PYTHONPATH": str(tmp_path)},
        cwd=tmp_path, capture_output=True, text=True, check=True, timeout=2 * PATIENCE,
    )  # fmt: skip
    assert done.stdout.startswith("failed")
    assert "camera 7" in done.stdout


def test_the_receiving_end_needs_no_opencv():
    check = "import sys; import mfn_addon.capture.live; sys.exit('cv2' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], env=child_environment("t"), check=True)


def test_a_wrong_token_is_refused_and_the_right_one_still_welcome():
    receiver = LiveReceiver()
    host, port = receiver.address.split(":")
    with socket.create_connection((host, int(port))) as stranger:
        stranger.sendall(pack_hello(Hello("guess", "stranger")))
        deadline = time.monotonic() + PATIENCE
        stranger.settimeout(0.05)
        answer = b""
        while not answer and time.monotonic() < deadline:
            receiver.poll()
            with contextlib.suppress(TimeoutError):
                answer = stranger.recv(1000)
        assert b"wrong token" in answer
    assert receiver.state == "waiting"
    receiver.stop()


def test_nobody_listens():
    with pytest.raises(InputError, match="nobody listens"):
        Sender("127.0.0.1:9", "t", "x")
    with pytest.raises(InputError, match="host:port"):
        Sender("blender", "t", "x")


def test_only_this_computer_can_connect():
    receiver = LiveReceiver()
    assert receiver.address.startswith("127.0.0.1:")
    receiver.stop()
