"""The certificates of one lab cluster: a CA, and what it signs for the control plane and its clients.

Keys are EC P-256: making one costs less than a millisecond. Files are readable by root only.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A certificate and its private key as PEM files."""

    certificate: Path
    key: Path


class Authority:
    """A certificate authority that lives in *directory*."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "isthmus-lab")])
        self._certificate = (
            _builder(self._name, self._name, self._key.public_key())
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .sign(self._key, hashes.SHA256())
        )

    @property
    def certificate(self) -> Path:
        return self._directory / "ca.crt"

    def save(self) -> None:
        """Write the CA's certificate; its key stays in memory and dies with this process."""
        self._directory.mkdir(parents=True, exist_ok=True)
        self.certificate.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server(self, name: str, hosts: Sequence[str], addresses: Sequence[IPv4Address]) -> KeyPair:
        """A server certificate for *hosts* and *addresses*."""
        names: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts]
        names += [x509.IPAddress(address) for address in addresses]
        return self._issue(name, name, None, x509.SubjectAlternativeName(names))

    def client(self, name: str, user: str, group: str | None = None) -> KeyPair:
        """A client certificate that Kubernetes reads as *user* in *group*."""
        return self._issue(name, user, group, None)

    def _issue(
        self, name: str, user: str, group: str | None, hosts: x509.SubjectAlternativeName | None
    ) -> KeyPair:
        key = ec.generate_private_key(ec.SECP256R1())
        attributes = [x509.NameAttribute(NameOID.COMMON_NAME, user)]
        if group is not None:
            attributes.insert(0, x509.NameAttribute(NameOID.ORGANIZATION_NAME, group))
        usage = ExtendedKeyUsageOID.CLIENT_AUTH if hosts is None else ExtendedKeyUsageOID.SERVER_AUTH
        builder = _builder(x509.Name(attributes), self._name, key.public_key()).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False
        )
        if hosts is not None:
            builder = builder.add_extension(hosts, critical=False)
        pair = KeyPair(self._directory / f"{name}.crt", self._directory / f"{name}.key")
        signed = builder.sign(self._key, hashes.SHA256())
        pair.certificate.write_bytes(signed.public_bytes(serialization.Encoding.PEM))
        _write_key(pair.key, key)
        return pair


def write_signing_keys(directory: Path) -> KeyPair:
    """The key that signs service-account tokens, and its public half in the place of a certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    pair = KeyPair(directory / "service-accounts.pub", directory / "service-accounts.key")
    public = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    pair.certificate.write_bytes(public)
    _write_key(pair.key, key)
    return pair


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey
) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        # An hour back, so that clocks that differ a little still agree on today.
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + LIFETIME)
    )


def _write_key(path: Path, key: ec.EllipticCurvePrivateKey) -> None:
    path.touch(mode=0o600)
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
    )
