# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's own certificate: made on first use, kept, and made anew where an address is
missing in it or its time is over. Its key stays the same."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from .authority import Authority, covers, private_pem
from .devices import write_private

_DAYS = 800
"""Apple's systems accept at most 825."""
_RENEW_BEFORE = timedelta(days=30)
_NAME = "MFN Face Capture"


class Certificate:
    """A key and a certificate in a folder's `certificate.pem`, and the authority that signed it.

    Attributes:
        path: the PEM file that TLS is given, readable by its user alone.
        root: the file with the root's certificate (DER), for people to install on their phones.
        fingerprint: SHA-256 of the server's certificate, 32 bytes.
        root_fingerprint: that of the root.
    """

    def __init__(self, folder: Path, addresses: Sequence[str]) -> None:
        """Load it, or make it.

        Args:
            folder: where it is kept.
            addresses: the IP addresses and host names that the server is reached by. Those outside
                of local networks are left out: browsers warn of them whatever is installed.

        Raises:
            OSError: it cannot be kept there.
        """
        self.path, self.root = folder / "certificate.pem", folder / "certificate.crt"
        authority = Authority(folder / "authority.pem")
        key, certificate = _load(self.path, authority)
        known = _addresses_of(certificate) if certificate else set()
        needed = set(filter(covers, addresses))
        if key is None or certificate is None or not needed <= known or _old(certificate):
            key = key or ec.generate_private_key(ec.SECP256R1())
            certificate = authority.sign(key.public_key(), _NAME, sorted(known | needed), _DAYS)
            chain = (certificate, authority.intermediate)
            pem = [each.public_bytes(serialization.Encoding.PEM) for each in chain]
            write_private(self.path, private_pem(key) + b"".join(pem))
        self.root.write_bytes(authority.root.public_bytes(serialization.Encoding.DER))
        self.fingerprint = certificate.fingerprint(hashes.SHA256())
        self.root_fingerprint = authority.root.fingerprint(hashes.SHA256())

    def context(self) -> ssl.SSLContext:
        """The server's side of TLS."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.set_alpn_protocols(["http/1.1"])
        context.load_cert_chain(self.path)
        return context


def fingerprint_of(certificate: bytes) -> bytes:
    """SHA-256 of a DER certificate, as a connection's other end shows it."""
    return hashlib.sha256(certificate).digest()


def readable(fingerprint: bytes) -> str:
    """AA:BB:… for people to compare."""
    return fingerprint.hex(":").upper()


def _load(
    path: Path, authority: Authority
) -> tuple[ec.EllipticCurvePrivateKey | None, x509.Certificate | None]:
    """The key, and the certificate where it is the authority's."""
    try:
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, password=None)
        certificate = x509.load_pem_x509_certificate(data)
    except (OSError, ValueError):  # none yet, or damaged: another is made
        return None, None
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        return None, None
    try:
        certificate.verify_directly_issued_by(authority.intermediate)
    except (ValueError, InvalidSignature):  # another authority's, or its own
        return key, None
    return key, certificate


def _addresses_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*map(str, addresses), *names.get_values_for_type(x509.DNSName)}


def _old(certificate: x509.Certificate) -> bool:
    return datetime.now(UTC) + _RENEW_BEFORE > certificate.not_valid_after_utc
