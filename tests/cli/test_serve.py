# SPDX-License-Identifier: GPL-3.0-or-later
"""`mfn serve` receives what `mfn camera --connect` sends, as two people would start them."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from contextlib import contextmanager
from urllib.parse import urlsplit

import pytest

from mfn_addon.phone.client import pair, parse_fingerprint
from mfn_addon.phone.known_servers import KnownServers, join
from mfn_addon.phone.remote_sender import RemoteSender
from mfn_addon.take import Take
from tests.phone.conftest import frame_at, wait_until


@contextmanager
def serving(tmp_path, port=0):
    """The command in a process of its own, and what it printed."""
    command = [sys.executable, "-m", "mfn_addon.cli", "serve", "--address", "127.0.0.1"]
    command += ["--port", str(port), "--folder", str(tmp_path / "server")]
    command += ["--output", str(tmp_path / "take.mfntake")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process, json.loads(process.stdout.readline())
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(20)


def address_in(facts) -> str:
    return urlsplit(facts["url"]).netloc


def test_a_camera_joins_by_pin_and_everything_is_in_the_take(tmp_path):
    with serving(tmp_path) as (_, facts):
        fingerprint = parse_fingerprint(facts["fingerprint"])
        key = pair(address_in(facts), fingerprint, "Camera", pin=facts["pin"])
        sender = RemoteSender(address_in(facts), key, "Camera", fingerprint)
        for number in range(60):
            sender.send_frame(frame_at(sender.clock(), number, faces=2))
        wait_until(lambda: sender._span is not None and not sender.unsaved)
        sender.close()
    with Take(tmp_path / "take.mfntake") as take:
        assert take.finished
        assert [frame.frame for frame in take.frames()] == list(range(60))
        assert [actor.id for actor in take.actors()] == [1001, 1002]


def test_killed_and_started_again_it_misses_nothing(tmp_path):
    """What is sent while nobody listens is delivered to the next run, at its own time."""
    with serving(tmp_path) as (process, facts):
        port = urlsplit(facts["url"]).port
        key = pair(address_in(facts), None, "Camera", pin=facts["pin"])
        sender = RemoteSender(address_in(facts), key, "Camera")
        wait_until(lambda: sender._span is not None)
        for number in range(30):
            sender.send_frame(frame_at(sender.clock(), number))
        process.kill()
        process.wait(20)
    for number in range(30, 60):
        sender.send_frame(frame_at(sender.clock(), number))
    with serving(tmp_path, port):
        wait_until(lambda: not sender.unsaved, "the second run saves the rest")
        sender.close()
    with Take(tmp_path / "take.mfntake") as take:
        frames = list(take.frames())
    assert [frame.frame for frame in frames] == list(range(60))
    assert frames[-1].time - frames[0].time < 60


def test_a_camera_is_paired_once_and_forgotten_when_told(tmp_path, monkeypatch, capsys):
    from mfn_addon.cli import main

    kept = tmp_path / "home" / "servers.json"
    monkeypatch.setattr("mfn_addon.phone.folder.user_folder", lambda: kept.parent)
    known = KnownServers(kept)
    with serving(tmp_path) as (_, facts):
        address, fingerprint = address_in(facts), parse_fingerprint(facts["fingerprint"])
        with pytest.raises(ValueError, match="say --pin"):
            join(address, "Camera", known, None, None)
        join(address, "Camera", known, fingerprint, facts["pin"]).close()
        join(address, "Camera", KnownServers(kept), None, None).close()
        devices = json.loads((tmp_path / "server" / "devices.json").read_text())
        assert len(devices) == 1
        if sys.platform != "win32":
            assert stat.S_IMODE(kept.stat().st_mode) == 0o600
        assert main(["camera", "--connect", address, "--forget"]) == 0
        assert "its key is deleted" in capsys.readouterr().err
        assert KnownServers(kept).key(fingerprint) is None
    assert main(["camera", "--forget"]) == 2


def test_a_wrong_pin_is_one_clear_line(tmp_path, capsys):
    from mfn_addon.cli import main

    with serving(tmp_path) as (_, facts):
        wrong = "000000" if facts["pin"] != "000000" else "111111"
        arguments = ["camera", "--connect", address_in(facts), "--pin", wrong]
        assert main([*arguments, "--fingerprint", facts["fingerprint"]]) == 2
        assert "That is not the PIN" in capsys.readouterr().err
        assert main([*arguments, "--fingerprint", "AA:BB"]) == 2
        assert "no fingerprint" in capsys.readouterr().err
        assert main([*arguments, "--fingerprint", "AA" * 32]) == 2
        assert "another certificate" in capsys.readouterr().err


def test_the_json_line_has_what_others_need(tmp_path):
    with serving(tmp_path) as (_, facts):
        assert facts["url"].startswith("https://127.0.0.1:")
        assert len(facts["pin"]) == 6
        assert len(parse_fingerprint(facts["fingerprint"])) == 32
        with pytest.raises(ValueError, match="was used or is too old"):
            pair(address_in(facts), None, "Camera", secret="guessed")
