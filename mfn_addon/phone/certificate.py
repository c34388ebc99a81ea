# SPDX-License-Identifier: GPL-3.0-or-later
"""The server's own certificate: made on first use, kept, and made anew where an address is
missing in it or its time is over. Its key stays the same."""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .devices import write_private

_DAYS = 800
"""Apple's systems accept at most 825."""
_RENEW_BEFORE = timedelta(days=30)
_NAME = "MFN Face Capture"


class Certificate:
    """A key and a self-signed certificate in one PEM file.

    Attributes:
        path: the file, readable by its user alone.
        fingerprint: SHA-256 of the certificate, 32 bytes.
    """

    def __init__(self, path: Path, addresses: Sequence[str]) -> None:
        """Load it, or make it.

        Args:
            path: the PEM file.
            addresses: the IP addresses and host names that the server is reached by.

        Raises:
            OSError: it cannot be kept there.
        """
        self.path = path
        key, certificate = _load(path)
        known = _addresses_of(certificate) if certificate else set()
        if key is None or certificate is None or not set(addresses) <= known or _old(certificate):
            key = key or ec.generate_private_key(ec.SECP256R1())
            certificate = _sign(key, sorted(known | set(addresses)))
            _keep(path, key, certificate)
        self.fingerprint = certificate.fingerprint(hashes.SHA256())

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


def _load(path: Path) -> tuple[ec.EllipticCurvePrivateKey | None, x509.Certificate | None]:
    try:
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, password=None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            return None, None
        return key, x509.load_pem_x509_certificate(data)
    except (OSError, ValueError):  # none yet, or damaged: another is made
        return None, None


def _keep(path: Path, key: ec.EllipticCurvePrivateKey, certificate: x509.Certificate) -> None:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    write_private(path, private + certificate.public_bytes(serialization.Encoding.PEM))


def _addresses_of(certificate: x509.Certificate) -> set[str]:
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = names.get_values_for_type(x509.IPAddress)
    return {*map(str, addresses), *names.get_values_for_type(x509.DNSName)}


def _old(certificate: x509.Certificate) -> bool:
    return datetime.now(UTC) + _RENEW_BEFORE > certificate.not_valid_after_utc


def _sign(key: ec.EllipticCurvePrivateKey, addresses: Sequence[str]) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, _NAME)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + timedelta(days=_DAYS))
        .add_extension(x509.SubjectAlternativeName(map(_general_name, addresses)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(address))
    except ValueError:
        return x509.DNSName(address)
