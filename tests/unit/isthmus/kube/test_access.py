from pathlib import Path

import pytest

from isthmus.kube.access import Access

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


def test_the_clients_settings_follow_from_the_access():
    access = Access(
        "https://east",
        ca=Path("/ca.crt"),
        client_certificate=("/cert", "/key"),
        server_name="kubernetes",
        proxy="http://proxy:3128",
    )

    settings = access.configuration()

    assert settings.host == "https://east"
    assert (settings.ssl_ca_cert, settings.ca_cert_data) == ("/ca.crt", None)
    assert (settings.cert_file, settings.key_file) == ("/cert", "/key")
    assert (settings.tls_server_name, settings.proxy) == ("kubernetes", "http://proxy:3128")
    assert settings.verify_ssl


def test_a_ca_in_hand_needs_no_file():
    settings = Access("https://east", ca="PEM", insecure=True).configuration()

    assert (settings.ssl_ca_cert, settings.ca_cert_data) == (None, "PEM")
    assert not settings.verify_ssl
