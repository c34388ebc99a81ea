# SPDX-License-Identifier: GPL-3.0-or-later
"""What each address of the server answers, without sockets."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import Sequence

from ..capture.protocol import MAX_HELLO, VERSION, ProtocolError, unpack_json
from .connection import Answer, Request
from .hub import MOST_SENDERS, Hub
from .link import LONGEST, PhoneLink
from .pages import NO_PAGE, Page
from .pairing import PairingError
from .video import LONGEST_PIECE, Videos

_LONGEST_PAIRING = 4 << 10
_SESSION = "mfn-session"


class Routes:
    """The server's addresses."""

    def __init__(
        self,
        hub: Hub,
        pages: dict[str, Page],
        hosts: Sequence[str],
        fingerprint: str,
        root_fingerprint: str,
    ) -> None:
        """
        Args:
            hub: what the senders share.
            pages: the files by address.
            hosts: what `Host` may be, with the port.
            fingerprint: of the certificate, for people.
            root_fingerprint: of the root that signed it.
        """
        self.hub = hub
        self.videos = Videos(hub)
        self._pages, self._hosts = pages, frozenset(hosts)
        self._fingerprints = {"fingerprint": fingerprint, "root": root_fingerprint}
        self._sessions: dict[str, PhoneLink] = {}

    def check(self, request: Request) -> Answer | None:
        """Why a request is refused whatever it asks for; None where it is not."""
        host = request.headers.get("host", "")
        if host not in self._hosts:
            return Answer(421, b"this server is reached by the address that Blender shows\n")
        origin = request.headers.get("origin")
        if origin is not None and origin != f"https://{host}":
            return Answer(403, b"another site's page may not talk to this server\n")
        if request.method not in ("GET", "HEAD", "POST"):
            return Answer(405, b"only GET and POST\n", headers=(("Allow", "GET, HEAD, POST"),))
        return None

    def longest_body(self, request: Request) -> int:
        """Bytes that the request's body may have."""
        if request.method != "POST":
            return 0
        if request.target == "/live":
            return LONGEST if request.headers.get(_SESSION) in self._sessions else MAX_HELLO
        if request.target == "/video" and self.videos.sender(request.headers):
            return LONGEST_PIECE
        return _LONGEST_PAIRING

    async def answer(self, request: Request, body: bytes) -> Answer:
        """The answer to a request that `check` let through."""
        if request.method == "POST":
            if request.target == "/pair":
                return self._pair(request, body)
            if request.target == "/live":
                return self._batch(request, body)
            if request.target == "/video":
                return await self.videos.receive(request.headers, body)
            return Answer(404, b"nothing is posted there\n")
        if request.target == "/about":
            about = {"version": VERSION, "name": socket.gethostname()}
            return Answer.json(200, {**about, **self._fingerprints})
        return await self._page(request)

    def end_silent_sessions(self, silence: float) -> None:
        """Forget POST sessions from which nothing came for so many seconds, or that are over."""
        now = self.hub.clock()
        for name, link in list(self._sessions.items()):
            if link.over or now - link.heard > silence:
                link.end()
                del self._sessions[name]

    async def _page(self, request: Request) -> Answer:
        page = self._pages.get(request.target)
        if page is None:
            return Answer(404, b"there is no such page\n" if self._pages.get("/") else NO_PAGE)
        packed = "gzip" in request.headers.get("accept-encoding", "")
        try:
            body, gzipped = await asyncio.to_thread(page.body, packed)
        except OSError:
            return Answer(404, b"this file has been removed\n")
        encoding = (("Content-Encoding", "gzip"),) if gzipped else ()
        return Answer(200, body, page.content_type, (*encoding, ("Vary", "Accept-Encoding")))

    def _pair(self, request: Request, body: bytes) -> Answer:
        if not request.headers.get("content-type", "").startswith("application/json"):
            return Answer.json(400, {"reason": "pairing is asked for in JSON"})
        try:
            data = unpack_json(body)
        except ProtocolError as error:
            return Answer.json(400, {"reason": str(error)})
        secret, pin, name = data.get("secret"), data.get("pin"), data.get("name", "Phone")
        if not isinstance(name, str) or not isinstance(secret or pin, str):
            return Answer.json(400, {"reason": "pairing needs a secret or a PIN, and a name"})
        try:
            if isinstance(secret, str):
                device, key = self.hub.pairing.by_secret(secret, name)
            else:
                device, key = self.hub.pairing.by_pin(str(pin), name)
        except PairingError as error:
            wait = {"wait": round(error.wait, 1)} if error.wait else {}
            return Answer.json(403, {"code": error.code, "reason": str(error), **wait})
        return Answer.json(200, {"device": device.id, "key": key, "name": device.name})

    def _batch(self, request: Request, body: bytes) -> Answer:
        name = request.headers.get(_SESSION)
        if name is None:
            if len(self._sessions) >= 2 * MOST_SENDERS:
                return Answer(429, b"too many sessions\n", headers=(("Retry-After", "5"),))
            name = secrets.token_urlsafe(16)
            link = PhoneLink(self.hub, "HTTPS", session=name)
        else:
            link = self._sessions.get(name)
            if link is None or link.over:
                return Answer(410, b"this session is over: begin again with HELLO\n")
        link.receive(body)
        if link.device is not None and not link.over:
            self._sessions[name] = link
        return Answer(200, link.take_outgoing(), "application/octet-stream")
