from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from isthmus.lab.pki import Authority, KeyPair, write_signing_keys


@pytest.fixture
def authority(tmp_path):
    made = Authority(tmp_path)
    made.save()
    return made


def load(pair: KeyPair) -> x509.Certificate:
    return x509.load_pem_x509_certificate(pair.certificate.read_bytes())


def attribute(certificate: x509.Certificate, oid: x509.ObjectIdentifier) -> list[str | bytes]:
    return [each.value for each in certificate.subject.get_attributes_for_oid(oid)]


def test_a_server_certificate_is_valid_for_its_names_and_addresses(authority):
    pair = authority.server("api", ["kubernetes.default"], [IPv4Address("10.15.0.1")])

    extension = load(pair).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert extension.get_values_for_type(x509.DNSName) == ["kubernetes.default"]
    assert extension.get_values_for_type(x509.IPAddress) == [IPv4Address("10.15.0.1")]


def test_a_client_certificate_says_who_and_in_which_group(authority):
    certificate = load(authority.client("admin", "admin", "system:masters"))

    assert attribute(certificate, NameOID.COMMON_NAME) == ["admin"]
    assert attribute(certificate, NameOID.ORGANIZATION_NAME) == ["system:masters"]
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]


def test_what_it_issues_is_signed_by_the_authority_and_valid_now(authority):
    ca = x509.load_pem_x509_certificate(authority.certificate.read_bytes())
    certificate = load(authority.client("proxy", "system:kube-proxy"))

    certificate.verify_directly_issued_by(ca)
    now = datetime.now(UTC)
    assert certificate.not_valid_before_utc < now < certificate.not_valid_after_utc
    assert certificate.not_valid_after_utc - now < timedelta(days=31)


def test_private_keys_are_for_their_owner_only(authority, tmp_path):
    pairs = [authority.client("admin", "admin"), write_signing_keys(tmp_path)]

    assert [pair.key.stat().st_mode & 0o777 for pair in pairs] == [0o600, 0o600]
    assert not (tmp_path / "ca.key").exists()


def test_the_signing_keys_belong_together(tmp_path):
    pair = write_signing_keys(tmp_path)

    private = load_pem_private_key(pair.key.read_bytes(), password=None)
    public = load_pem_public_key(pair.certificate.read_bytes())
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    assert private.public_key() == public
