# SPDX-License-Identifier: GPL-3.0-or-later
"""The authority that signs the server's certificate: a root for people to install on their phones,
and the intermediate that signs for it.

Whoever installs a root trusts all that it signs. So this root signs once: its key is never written
and is gone after that. What it has signed is an intermediate that can sign for a local network's
addresses alone. The limits stand in the intermediate, as many systems do not look for any in a root
that they trust.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address, ip_network
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .devices import write_private

_YEARS = 10
_RENEW_BEFORE = timedelta(days=900)
"""A leaf lives for 800 days, and must not outlive what it was signed with."""
_LONGEST_NAME = 64  # characters of a common name, RFC 5280

NETWORKS = tuple(
    map(
        ip_network,
        (
            "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16",  # RFC 1918
            "169.254.0.0/16",  # RFC 3927: two computers on one cable
            "100.64.0.0/10",  # RFC 6598: some routers' and private overlay networks
            "127.0.0.0/8", "::1/128", "fc00::/7", "fe80::/10",
        ),
    )
)  # fmt: skip
DOMAINS = ("localhost", "local", "home.arpa")
"""These, and all names below them."""


class Authority:
    """The root and the intermediate, with the intermediate's key.

    Attributes:
        root, intermediate: certificates.
    """

    def __init__(self, path: Path) -> None:
        """Load it, or make it: where it is damaged or soon over, phones need another root.

        Args:
            path: the PEM file of the intermediate's key and both certificates, readable by its
                user alone.

        Raises:
            OSError: it cannot be kept there.
        """
        loaded = _load(path)
        if loaded is None:
            loaded = _make()
            _keep(path, *loaded)
        self._key, self.intermediate, self.root = loaded

    def sign(
        self, public_key: ec.EllipticCurvePublicKey, name: str, addresses: Iterable[str], days: int
    ) -> x509.Certificate:
        """A server's certificate for the addresses; those that `covers` refuses are left out.

        Args:
            public_key: the server's.
            name: of the server, for people.
            addresses: IP addresses and host names.
            days: how long it is valid.
        """
        names = [_general_name(address) for address in addresses if covers(address)]
        return (
            _unsigned(_name(name), self.intermediate.subject, public_key, timedelta(days=days))
            .add_extension(x509.SubjectAlternativeName(names), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_usage(signs=False), critical=True)
            .add_extension(_SERVER, critical=False)
            .add_extension(_issued_by(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )


def covers(address: str) -> bool:
    """Whether the intermediate may sign for an IP address or a host name."""
    try:
        ip = ip_address(address)
    except ValueError:
        return any(address == domain or address.endswith(f".{domain}") for domain in DOMAINS)
    return any(ip in network for network in NETWORKS)


Parts = tuple[ec.EllipticCurvePrivateKey, x509.Certificate, x509.Certificate]
"""The intermediate's key, the intermediate and the root."""
_SERVER = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def _load(path: Path) -> Parts | None:
    try:
        data = path.read_bytes()
        key = serialization.load_pem_private_key(data, password=None)
        intermediate, root = x509.load_pem_x509_certificates(data)
    except (OSError, ValueError):  # none yet, or damaged
        return None
    over = datetime.now(UTC) + _RENEW_BEFORE > intermediate.not_valid_after_utc
    if over or not isinstance(key, ec.EllipticCurvePrivateKey):
        return None
    return key, intermediate, root


def _keep(
    path: Path,
    key: ec.EllipticCurvePrivateKey,
    intermediate: x509.Certificate,
    root: x509.Certificate,
) -> None:
    certificates = [each.public_bytes(serialization.Encoding.PEM) for each in (intermediate, root)]
    write_private(path, private_pem(key) + b"".join(certificates))


def private_pem(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as a PEM file has it."""
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _make() -> Parts:
    """A new authority. The root's key lives in this function alone."""
    root_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    computer = socket.gethostname()
    lifetime = timedelta(days=365 * _YEARS)
    root_name = _name(f"MFN Face Capture on {computer}")
    root = (
        _unsigned(root_name, root_name, root_key.public_key(), lifetime)
        .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .sign(root_key, hashes.SHA256())
    )
    permitted = [*map(x509.IPAddress, NETWORKS), *map(x509.DNSName, DOMAINS)]
    limits = x509.NameConstraints(permitted_subtrees=permitted, excluded_subtrees=None)
    intermediate = (
        _unsigned(
            _name("MFN Face Capture, local network only"), root_name, key.public_key(), lifetime
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(signs=True), critical=True)
        .add_extension(limits, critical=True)
        .add_extension(_SERVER, critical=False)
        .add_extension(_issued_by(root_key.public_key()), critical=False)
        .sign(root_key, hashes.SHA256())
    )
    return key, intermediate, root


def _unsigned(
    subject: x509.Name,
    issuer: x509.Name,
    public_key: ec.EllipticCurvePublicKey,
    lifetime: timedelta,
) -> x509.CertificateBuilder:
    """What all three certificates have."""
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public_key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))  # a phone's clock may be behind
        .not_valid_after(now + lifetime)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public_key), critical=False)
    )


def _issued_by(public_key: ec.EllipticCurvePublicKey) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key)


def _usage(signs: bool) -> x509.KeyUsage:
    """What a key is for: signing certificates, or a server's handshakes."""
    return x509.KeyUsage(
        digital_signature=not signs, key_cert_sign=signs, crl_sign=False,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_LONGEST_NAME])])


def _general_name(address: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(address))
    except ValueError:
        return x509.DNSName(address)
