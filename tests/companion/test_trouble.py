# SPDX-License-Identifier: GPL-3.0-or-later
"""What a performer reads when the camera cannot be had, and that the page then goes on."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.conftest import wait_until

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())


@pytest.fixture(scope="module")
def clip(tmp_path_factory) -> Path:
    return camera_clip(CLIP, tmp_path_factory.mktemp("clip") / "clip.y4m", "-t", "1")


@contextmanager
def phone(clip: Path, folder: Path, *faults: str) -> Iterator[Phone]:
    """The page, paired with a server of its own."""
    with PhoneServer(ServerOptions(folder / "server", port=0)) as server:
        opened = Phone(server.url, clip, folder, *faults)
        try:
            yield opened
        finally:
            opened.end()


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("denied", "The camera is not allowed. Allow it for this page"),
        ("NotReadableError", "Another app is using the camera. Close it"),
        ("NotFoundError", "No camera was found on this device."),
        ("OverconstrainedError", "The camera could not be opened: It did not start"),
    ],
)
def test_a_camera_that_cannot_be_had_is_told_of_and_tried_again(clip, tmp_path, fault, words):
    with phone(clip, tmp_path, fault) as page:
        assert page.ask("notice").startswith(words)
        page.do("connected")  # pairing goes on, and takes no question away
        assert page.ask("notice").startswith(words)
        if fault == "denied":
            page.do("allow")
        page.do("again")
        page.do("seen")


def test_a_page_that_is_not_trusted_says_what_to_open(clip, tmp_path):
    with phone(clip, tmp_path, "insecure") as page:
        assert page.ask("notice").startswith("This page needs https. Open the address")


def test_a_camera_that_ends_and_a_page_out_of_sight_are_told_of(clip, tmp_path):
    with phone(clip, tmp_path) as page:
        for command in ("connected", "seen", "look_away"):
            page.do(command)
        assert page.ask("notice").startswith("Paused: the page was in the background.")
        page.do("tap_notice")  # long before it goes by itself
        for command in ("unplug", "idle"):
            page.do(command)
        assert page.ask("notice").startswith("The camera has stopped")
        # What was seen is not shown as if it still were; a picture may be under way.
        wait_until(lambda: page.ask("faces") == "", "the faces are gone")
        for command in ("again", "solving"):
            page.do(command)


def test_a_network_that_could_not_be_fetched_is_tried_again(clip, tmp_path):
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        network = server._routes._pages.pop("/mfn.onnx")
        page = Phone(server.url, clip, tmp_path)
        try:
            wait_until(lambda: page.ask("notice").startswith("The face network could not"), "word")
            server._routes._pages["/mfn.onnx"] = network
            for command in ("again", "connected", "seen"):
                page.do(command)
        finally:
            page.end()
