# SPDX-License-Identifier: GPL-3.0-or-later
"""A phone that cannot hold 30 pictures a second."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfn_addon.phone.pages import list_pages
from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.conftest import wait_until

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())

LIGHT = "/mfn_light.onnx"


@pytest.mark.parametrize("there", [True, False])
def test_a_slow_phone_turns_to_the_light_network_and_does_without_where_it_must(
    tmp_path: Path, there: bool
) -> None:
    assert LIGHT in list_pages()
    clip = camera_clip(CLIP, tmp_path / "clip.y4m", "-t", "2")
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        pages = server._routes._pages
        if not there:
            del pages[LIGHT]
        phone = Phone(server.url, clip, tmp_path, "slow")
        try:
            for command in ("connected", "seen", "light"):
                phone.do(command)
            if there:  # it is fetched with the next picture
                wait_until(lambda: pages[LIGHT]._gzipped or pages[LIGHT]._plain, "the network")
            newest = max(frame.frame for frame in server.poll())

            def goes_on() -> bool:
                later = [frame for frame in server.poll() if frame.frame > newest + 30]
                return any(frame.faces for frame in later)

            wait_until(goes_on, "faces after the change")
        finally:
            phone.end()
