from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from broker.info import BrokerInfo, encode_info
from isthmus.cli.brokerfile import read_broker_file, write_broker_file
from isthmus.cli.faults import FAILED, USAGE, Fault

INFO = BrokerInfo("https://192.0.2.9:6443", "broker", b"CA", "token", b"key" * 16)
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_what_is_written_is_read_back(tmp_path: Path):
    path = tmp_path / "broker-info.subm"

    assert write_broker_file(path, encode_info(INFO), NOW) is None

    assert read_broker_file(path) == INFO
    assert path.stat().st_mode & 0o777 == 0o600


def test_an_older_file_is_kept_under_another_name(tmp_path: Path):
    path = tmp_path / "broker-info.subm"
    path.write_text("older")

    aside = write_broker_file(path, encode_info(INFO), NOW)

    assert aside is not None
    assert aside.read_text() == "older"
    assert aside.name.startswith("broker-info.subm.2026-01-0")
    assert ":" not in aside.name


def test_the_same_content_is_not_written_again(tmp_path: Path):
    path = tmp_path / "broker-info.subm"
    write_broker_file(path, encode_info(INFO), NOW)
    path.chmod(0o644)

    assert write_broker_file(path, encode_info(INFO), NOW) is None

    assert [entry.name for entry in tmp_path.iterdir()] == ["broker-info.subm"]
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_directory_that_is_missing_is_told(tmp_path: Path):
    with pytest.raises(Fault, match="cannot write") as refused:
        write_broker_file(tmp_path / "no" / "broker-info.subm", "x", NOW)

    assert refused.value.exit_code == FAILED


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not base64 at all!",
        encode_info(INFO).encode()[:-40],
        encode_info(INFO).encode()[:101],
        b"\x00\xff" * 50,
        b"e30=",
        b"W10=",
        b"x" * (1 << 21),
    ],
    ids=["empty", "text", "cut", "cut odd", "binary", "no fields", "a list", "huge"],
)
def test_a_broken_file_is_refused_in_one_line_that_names_it(tmp_path: Path, content: bytes):
    path = tmp_path / "broker-info.subm"
    path.write_bytes(content)

    with pytest.raises(Fault, match=r"broker-info.subm is no ") as refused:
        read_broker_file(path)

    assert "\n" not in str(refused.value)
    assert refused.value.exit_code == USAGE


def test_a_missing_file_is_refused_with_what_to_give(tmp_path: Path):
    with pytest.raises(Fault, match=r"no such file or directory; give the broker-info.subm"):
        read_broker_file(tmp_path / "nowhere")
