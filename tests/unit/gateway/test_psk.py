from __future__ import annotations

import pytest

from gateway.psk import RenewedKey, read_psk
from isthmus.charon.records import Psk
from isthmus.reconcile.errors import Fatal


def test_the_key_is_the_base64_text_of_the_secrets_bytes(tmp_path):
    (tmp_path / "psk").write_bytes(bytes(range(48)))

    key = read_psk(tmp_path / "psk", {})

    assert key.text == "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
    assert key.text not in f"{key} {key!r}"


def test_a_key_in_the_environment_is_used_as_it_is():
    assert read_psk(None, {"CE_IPSEC_PSK": " AAEC \n"}).text == "AAEC"


def test_a_missing_file_is_named_with_what_to_mount(tmp_path):
    with pytest.raises(Fatal, match=r"cannot read .*psk: No such file or directory; mount the Secret"):
        read_psk(tmp_path / "psk", {})


def test_an_empty_key_is_refused(tmp_path):
    (tmp_path / "psk").write_bytes(b"")

    with pytest.raises(Fatal, match="is empty"):
        read_psk(tmp_path / "psk", {})


def test_a_renewed_file_gives_the_new_key_and_one_in_trouble_the_last(tmp_path):
    file = tmp_path / "psk"
    key = RenewedKey(file, {}, Psk("Zmlyc3Q="))

    assert key.read().text == "Zmlyc3Q="

    file.write_bytes(b"second")
    assert key.read().text == "c2Vjb25k"

    file.write_bytes(b"")
    assert key.read().text == "c2Vjb25k"
