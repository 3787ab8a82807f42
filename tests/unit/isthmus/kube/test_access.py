import ssl
from pathlib import Path

import pytest

from isthmus.kube.access import Access
from tests.apiserver import make_authority

CREDENTIAL = "s3cret"


def test_a_token_file_is_read_again_at_every_use(tmp_path: Path):
    token = tmp_path / "token"
    access = Access("https://east", token=token)

    token.write_text("first\n")
    assert access.headers() == {"Authorization": "Bearer first"}
    token.write_text("second\n")
    assert access.headers() == {"Authorization": "Bearer second"}


def test_a_missing_token_file_is_an_error(tmp_path: Path):
    with pytest.raises(OSError, match="No such file"):
        Access("https://east", token=tmp_path / "token").headers()


@pytest.mark.parametrize("text", ["one\ntwo", "t\u00f6ken", "\x00"])
def test_a_file_that_holds_no_token_is_an_error(tmp_path: Path, text: str):
    (tmp_path / "token").write_text(text, encoding="utf-8")

    with pytest.raises(ValueError, match=r"ascii|something else than one token"):
        Access("https://east", token=tmp_path / "token").headers()


def test_without_credentials_there_is_no_header():
    assert Access("https://east").headers() == {}


def test_a_complete_header_goes_first():
    assert Access("https://east", token=CREDENTIAL, authorization="Basic abc").headers() == {
        "Authorization": "Basic abc"
    }


def test_no_secret_is_in_the_repr():
    shown = repr(Access("https://east", ca="PEM", token=CREDENTIAL, authorization=f"Bearer {CREDENTIAL}"))

    assert CREDENTIAL not in shown
    assert "https://east" in shown


def test_a_server_must_prove_itself_unless_told_otherwise():
    strict, lax = Access("https://east").tls(), Access("https://east", insecure=True).tls()

    assert (strict.verify_mode, strict.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert (lax.verify_mode, lax.check_hostname) == (ssl.CERT_NONE, False)
    assert not strict.verify_flags & ssl.VERIFY_X509_STRICT


def test_only_the_given_ca_is_believed_as_text_and_as_a_file(tmp_path: Path):
    file = make_authority(tmp_path, "ca")

    for ca in (file, file.read_text()):
        assert len(Access("https://east", ca=ca).tls().get_ca_certs()) == 1


@pytest.mark.parametrize(
    "access",
    [
        Access("https://east", ca=Path("/nowhere/ca.crt")),
        Access("https://east", ca="no certificate"),
        Access("https://east", client_certificate=("/nowhere/cert", "/nowhere/key")),
    ],
    ids=["ca file", "ca text", "client certificate"],
)
def test_certificates_that_cannot_be_used_are_an_error(access: Access):
    with pytest.raises((OSError, ValueError)):
        access.tls()
