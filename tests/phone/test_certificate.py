# SPDX-License-Identifier: GPL-3.0-or-later
"""The root that people install: what a client that trusts it, and nothing else, accepts."""

from __future__ import annotations

import http.client
import ssl
import stat
import sys

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from mfn_addon.phone import authority
from mfn_addon.phone.certificate import Certificate, fingerprint_of, readable
from tests.phone.test_limits import ask


def trusting(root: bytes) -> ssl.SSLContext:
    """A client that trusts one root (DER), and is as strict as its library can be."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    context.load_verify_locations(cadata=root)
    return context


def shake_hands(server: ssl.SSLContext, client: ssl.SSLContext, host: str) -> None:
    """TLS in memory. Raises ssl.SSLCertVerificationError where the client does not trust."""
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(down, up, server_hostname=host),
        server.wrap_bio(up, down, server_side=True),
    ]
    while ends:
        for end in list(ends):
            try:
                end.do_handshake()
                ends.remove(end)
            except ssl.SSLWantReadError:
                pass


def test_a_client_that_trusts_the_served_root_needs_no_exception(server):
    status, headers, root = ask(server, "GET", "/certificate.crt")
    assert status == 200
    assert headers["Content-Type"] == "application/x-x509-ca-cert"
    assert readable(fingerprint_of(root)) == server.root_fingerprint
    for host in ("127.0.0.1", "localhost"):
        connection = http.client.HTTPSConnection(host, server.port, context=trusting(root))
        connection.request("GET", "/about")
        assert connection.getresponse().status == 200
        connection.close()


@pytest.mark.parametrize("host", ["192.168.1.20", "10.1.2.3", "fd00::1", "studio.local"])
def test_the_root_is_good_for_local_addresses(tmp_path, host):
    certificate = Certificate(tmp_path, [host])
    shake_hands(certificate.context(), trusting(certificate.root.read_bytes()), host)


@pytest.mark.parametrize(
    "host", ["8.8.8.8", "172.32.0.1", "2001:db8::1", "example.com", "local.example.com"]
)
def test_the_root_is_good_for_nothing_else(tmp_path, host, monkeypatch):
    """Neither is such a certificate made, nor is one accepted that a thief of the key makes."""
    honest = Certificate(tmp_path, ["127.0.0.1", host])
    root = trusting(honest.root.read_bytes())
    with pytest.raises(ssl.SSLCertVerificationError, match=r"mismatch|is not valid"):
        shake_hands(honest.context(), root, host)
    monkeypatch.setattr("mfn_addon.phone.certificate.covers", lambda _: True)
    monkeypatch.setattr(authority, "covers", lambda _: True)
    stolen = Certificate(tmp_path, [host])
    with pytest.raises(ssl.SSLCertVerificationError, match="permitted subtree violation"):
        shake_hands(stolen.context(), root, host)


def test_the_roots_key_is_kept_nowhere(tmp_path):
    certificate = Certificate(tmp_path, ["127.0.0.1"])
    root = x509.load_der_x509_certificate(certificate.root.read_bytes())
    for path in tmp_path.iterdir():
        if b"PRIVATE KEY" in (data := path.read_bytes()):
            key = serialization.load_pem_private_key(data, password=None)
            assert key.public_key() != root.public_key()
            if sys.platform != "win32":
                assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_certificates_stay_as_they_are_until_an_address_is_missing(tmp_path):
    first, again = (Certificate(tmp_path, ["127.0.0.1"]) for _ in range(2))
    assert again.fingerprint == first.fingerprint
    moved = Certificate(tmp_path, ["127.0.0.1", "192.168.1.20"])
    assert moved.fingerprint != first.fingerprint
    assert moved.root_fingerprint == first.root_fingerprint


def test_a_lost_authority_is_replaced_with_all_that_it_signed(tmp_path):
    first = Certificate(tmp_path, ["127.0.0.1"])
    (tmp_path / "authority.pem").write_bytes(b"damaged")
    second = Certificate(tmp_path, ["127.0.0.1"])
    assert second.root_fingerprint != first.root_fingerprint
    shake_hands(second.context(), trusting(second.root.read_bytes()), "127.0.0.1")
