from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.charon.conf import CharonSettings, render_strongswan_conf, vici_socket_path

LIBIPSEC = CharonSettings(run_dir=Path("/run/isthmus"), esp="libipsec", log_file=Path("/var/log/charon.log"))
KERNEL = CharonSettings(run_dir=Path("/run/isthmus"), esp="kernel", nat_port=4501)


def load_list(text: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.strip().startswith("load ="))
    return line.split("=", 1)[1].split()


def test_libipsec_comes_before_netlink_or_the_kernel_would_take_the_esp_part():
    plugins = load_list(render_strongswan_conf(LIBIPSEC))

    assert plugins.index("kernel-libipsec") < plugins.index("kernel-netlink")


def test_kernel_esp_needs_no_tun_device():
    assert "kernel-libipsec" not in load_list(render_strongswan_conf(KERNEL))


def test_two_charons_share_no_file():
    text = render_strongswan_conf(LIBIPSEC)

    assert "piddir = /run/isthmus\n" in text
    assert "socket = unix:///run/isthmus/charon.vici\n" in text
    assert "path = /var/log/charon.log\n" in text


def test_without_a_log_file_the_journal_has_the_log():
    assert "filelog" not in render_strongswan_conf(KERNEL)


def test_the_tunnel_port_is_the_one_that_the_endpoint_publishes():
    assert "port_nat_t = 4501\n" in render_strongswan_conf(KERNEL)


def test_a_dead_peer_is_given_up_after_less_than_half_a_minute():
    options = dict(
        line.strip().split(" = ") for line in render_strongswan_conf(KERNEL).splitlines() if " = " in line
    )
    first, base = float(options["retransmit_timeout"]), float(options["retransmit_base"])
    waits = [first * base**attempt for attempt in range(int(options["retransmit_tries"]) + 1)]

    assert 15 < sum(waits) < 30
    assert max(waits) < 7
    assert 0.19 ** len(waits) < 1e-5, "10 % loss each way must not end a tunnel"


def test_braces_are_balanced():
    text = render_strongswan_conf(LIBIPSEC)

    assert text.count("{") == text.count("}")


def test_a_socket_is_named_by_a_unix_uri():
    assert vici_socket_path("unix:///var/run/charon.vici") == Path("/var/run/charon.vici")
    assert vici_socket_path(LIBIPSEC.vici_uri) == LIBIPSEC.vici_path


@pytest.mark.parametrize("uri", ["tcp://127.0.0.1:4502", "/var/run/charon.vici", "unix://charon.vici", ""])
def test_other_addresses_are_refused_with_an_example(uri: str):
    with pytest.raises(ValueError, match=r"give it as unix:///var/run/charon\.vici"):
        vici_socket_path(uri)
