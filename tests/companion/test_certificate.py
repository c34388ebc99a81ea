# SPDX-License-Identifier: GPL-3.0-or-later
"""A browser whose user installed the served certificate opens the page without a warning."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mfn_addon.phone.server import PhoneServer, ServerOptions
from tests.companion.browser import CLIP, Phone, camera_clip, why_no_browser
from tests.phone.test_limits import ask

CERTUTIL = shutil.which("certutil")
WHY_NOT = why_no_browser() or (
    "" if CERTUTIL else "needs certutil: install the system's package `libnss3-tools`"
)

pytestmark = pytest.mark.skipif(bool(WHY_NOT), reason=WHY_NOT)


def install(root: bytes, home: Path) -> None:
    """Trust a root (DER) as Chromium's user does on Linux."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    (home / "certificate.crt").write_bytes(root)
    assert CERTUTIL
    for words in (
        ["-N", "--empty-password"],
        ["-A", "-t", "C,,", "-n", "MFN", "-i", str(home / "certificate.crt")],
    ):
        subprocess.run([CERTUTIL, "-d", f"sql:{database}", *words], check=True)


@pytest.mark.parametrize("installed", [True, False])
def test_who_installed_the_certificate_sees_no_warning(tmp_path: Path, installed: bool) -> None:
    clip = camera_clip(CLIP, tmp_path / "clip.y4m", "-t", "1")
    home = tmp_path / "home"
    home.mkdir()
    with PhoneServer(ServerOptions(tmp_path / "server", port=0)) as server:
        if installed:
            install(ask(server, "GET", "/certificate.crt")[2], home)
        phone = Phone(server.url, clip, tmp_path, "no-exceptions", home=home)
        try:
            if installed:
                phone.do("connected")
                assert phone.ask("carrier") == "WebSocket"
            else:
                assert "ERR_CERT_AUTHORITY_INVALID" in phone.ask("connected")
        finally:
            phone.end()
