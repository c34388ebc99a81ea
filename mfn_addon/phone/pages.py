# SPDX-License-Identifier: GPL-3.0-or-later
"""The files that the server hands out: a list made once, so that no request can name another."""

from __future__ import annotations

import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
PAGE = _ROOT / "companion" / "dist"
NETWORKS = tuple(_ROOT / "models" / name for name in ("mfn.onnx", "mfn_light.onnx"))
"""What phones run, and what slow phones do."""
ROOT = "/certificate.crt"
"""The address of the root's certificate, which phones offer to install."""

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mjs": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".json": "application/json",
    ".webmanifest": "application/manifest+json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
    ".onnx": "application/octet-stream",
    ".bin": "application/octet-stream",
    ".crt": "application/x-x509-ca-cert",
}
_PACKED = {".html", ".js", ".mjs", ".css", ".json", ".svg", ".wasm", ".onnx", ".bin"}

SECURITY_HEADERS = (
    (
        "Content-Security-Policy",
        (
            "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self' blob:; "
            "style-src 'self'; img-src 'self' data: blob:; media-src 'self' blob:; "
            "connect-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
    ),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Embedder-Policy", "require-corp"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Permissions-Policy", "camera=(self), microphone=(self), screen-wake-lock=(self)"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("Cache-Control", "no-cache"),
)

NO_PAGE = (
    b"The phone's page has not been built: run `make companion` in the checkout, "
    b"or install the released extension.\n"
)


@dataclass
class Page:
    """A file to hand out, read when it is first asked for."""

    path: Path
    _plain: bytes = b""
    _gzipped: bytes = b""

    @property
    def content_type(self) -> str:
        """The media type."""
        return _TYPES[self.path.suffix]

    def body(self, gzipped: bool) -> tuple[bytes, bool]:
        """The bytes, and whether they are gzipped. Raises OSError where the file is gone."""
        if not self._plain:
            self._plain = self.path.read_bytes()
        if not gzipped or self.path.suffix not in _PACKED:
            return self._plain, False
        if not self._gzipped:
            self._gzipped = gzip.compress(self._plain, 6)
        return self._gzipped, True


def list_pages(folder: Path = PAGE, networks: Sequence[Path] = NETWORKS) -> dict[str, Page]:
    """All files that may be asked for, by the address's path. Empty where no page was built."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix in _TYPES)
    pages = {f"/{path.relative_to(folder).as_posix()}": Page(path) for path in files}
    if "/index.html" in pages:
        pages["/"] = pages["/index.html"]
    pages |= {f"/{path.name}": Page(path) for path in networks if path.is_file()}
    return pages
