# SPDX-License-Identifier: GPL-3.0-or-later
"""A page that is still open while Blender's add-on has become another version."""

from __future__ import annotations

from pathlib import Path

import pytest

from mfn_addon.capture import protocol
from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.conftest import wait_until

pytestmark = pytest.mark.skipif(bool(why_no_browser()), reason=why_no_browser())


@pytest.mark.parametrize("newer_page", [True, False])
def test_an_old_page_loads_itself_anew_once_against_a_newer_server(
    tmp_path: Path, monkeypatch, newer_page: bool
) -> None:
    clip = camera_clip(CLIP, tmp_path / "clip.y4m", "-t", "1")
    folder = tmp_path / "server"
    with PhoneServer(ServerOptions(folder, port=0)) as server:
        port = server.port
        phone = Phone(server.url, clip, tmp_path)
        phone.do("connected")
    try:
        phone.do("lost")
        monkeypatch.setattr(protocol, "VERSION", 4)
        with PhoneServer(ServerOptions(folder, port=port)) as server:
            page = server._routes._pages["/"]
            wait_until(lambda: page._plain, "the page is loaded anew")
            if newer_page:  # the one that it gets then speaks as the server does
                monkeypatch.undo()
                phone.do("connected")
            else:
                phone.do("stopped")
                assert "reload the page" in phone.ask("notice")
    finally:
        phone.end()
