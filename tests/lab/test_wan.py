"""The WAN's knobs on a real router between two sites, in network namespaces of this test."""

from __future__ import annotations

import re
import subprocess
import time
from collections.abc import Iterator
from ipaddress import ip_network
from pathlib import Path

import pytest

from isthmus.lab.capture import recording, start_capture, stop_capture
from isthmus.lab.process import alive, check, run
from isthmus.lab.wan import Router, has_netem, read_states, set_link
from isthmus.lab.wanplan import LinkEnd, LinkState, links_between
from isthmus.lab.wirecount import Kind, Wire
from isthmus.reconcile.errors import Fatal

pytestmark = pytest.mark.root

ROUTER = "ist-wan-router"
SITES = ("east", "west")


def network(number: int) -> str:
    return f"172.30.{number}"


@pytest.fixture
def router(tmp_path: Path) -> Iterator[Router]:
    """A router with one host at each of two sites."""
    names = [ROUTER, *(f"ist-wan-{site}" for site in SITES)]
    remove(names)
    try:
        for name in names:
            check(["ip", "netns", "add", name])
        check(["ip", "netns", "exec", ROUTER, "sysctl", "-qw", "net.ipv4.ip_forward=1"])
        for number, site in enumerate(SITES):
            host, device = f"ist-wan-{site}", f"site-{site}"
            check(["ip", "-n", ROUTER, *f"link add {device} type veth peer name eth0 netns {host}".split()])
            for place, name, address in ((ROUTER, device, 1), (host, "eth0", 2)):
                check(["ip", "-n", place, *f"addr add {network(number)}.{address}/24 dev {name}".split()])
                check(["ip", "-n", place, "link", "set", name, "up"])
            check(["ip", "-n", host, "route", "add", "default", "via", f"{network(number)}.1"])
        ends = [
            LinkEnd(site, f"site-{site}", (ip_network(f"{network(number)}.0/24"),))
            for number, site in enumerate(SITES)
        ]
        yield Router(ROUTER, links_between(ends), tmp_path)
    finally:
        remove(names)


def remove(names: list[str]) -> None:
    for name in names:
        for pid in run(["ip", "netns", "pids", name]).stdout.split():
            run(["kill", "-9", pid])
        run(["ip", "netns", "del", name])


def ping(count: int = 3, interval: float = 0.02, wait: float = 1.0) -> tuple[int, float]:
    """Ping west from east; return answers and the least round trip in milliseconds."""
    command = f"ping -nq -c {count} -i {interval} -W {wait} {network(1)}.2"
    said = run(["ip", "netns", "exec", "ist-wan-east", *command.split()]).stdout
    received = re.search(r"(\d+) received", said)
    least = re.search(r"= ([\d.]+)/", said)
    assert received is not None, said
    return int(received.group(1)), float(least.group(1)) if least else 0.0


def change(router: Router, state: LinkState) -> None:
    set_link(router, router.link("west", "east"), state)


def rules() -> str:
    return check(["ip", "-n", ROUTER, "rule", "show"])


def test_a_cut_link_carries_nothing_and_a_restored_one_everything(router: Router):
    before = rules()

    change(router, LinkState(cut=True))
    assert ping(wait=0.3)[0] == 0

    change(router, LinkState())
    assert ping()[0] == 3
    assert rules() == before


def test_a_delay_is_met_both_ways_and_goes_again(router: Router):
    before = rules()

    change(router, LinkState(delay_ms=15))
    answers, least = ping()
    assert answers == 3
    assert 30 <= least < 45

    change(router, LinkState(delay_ms=40))
    assert 80 <= ping()[1] < 100

    change(router, LinkState())
    assert ping()[1] < 5
    assert rules() == before
    assert "line" not in check(["ip", "-n", ROUTER, "link", "show"])


def test_loss_takes_about_its_share(router: Router):
    change(router, LinkState(loss_percent=20))

    answers, _ = ping(count=300, interval=0.002, wait=0.5)

    # Both ways: 0.8 * 0.8 of 300 is 192.
    assert 150 < answers < 235


def test_a_cut_outweighs_a_delay_and_the_delay_is_kept(router: Router):
    change(router, LinkState(cut=True, delay_ms=15))
    assert ping(wait=0.3)[0] == 0

    change(router, LinkState(delay_ms=15))
    assert ping()[1] >= 30
    assert read_states(router) == {router.links[0]: LinkState(delay_ms=15)}


def test_a_line_that_was_killed_leaves_the_link_clear_and_the_next_call_heals_it(router: Router):
    if has_netem(router):
        pytest.skip("the kernel has netem, so there is no delay line")
    change(router, LinkState(delay_ms=15))
    pid = (router.directory / "line0.pid").read_text()

    check(["kill", "-9", pid])
    deadline = time.monotonic() + 5
    while ping()[1] >= 30 and time.monotonic() < deadline:
        pass
    assert ping()[0] == 3

    change(router, LinkState(delay_ms=15))
    assert ping()[1] >= 30


def test_packets_keep_their_order_and_size_through_a_line(router: Router):
    change(router, LinkState(delay_ms=5))
    assert ping()[0] == 3, "neighbours are known: what waits for one is dropped beyond a few packets"
    receiver = "import socket,sys\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\ns.bind(('',9000))\n"
    # 33 is SO_RCVBUFFORCE: the line lets a burst out at once, more than a socket holds by itself.
    receiver += "s.setsockopt(socket.SOL_SOCKET,33,1<<22)\n"
    receiver += "s.settimeout(5)\nprint('ready',flush=True)\n"
    receiver += "got=[int(s.recv(2000)[:4]) for _ in range(120)]\nprint(got==sorted(got))"
    sender = "import socket\ns=socket.socket(socket.AF_INET,socket.SOCK_DGRAM)\n"
    sender += f"for n in range(120): s.sendto(b'%04d'%n+bytes(1400),('{network(1)}.2',9000))"

    with subprocess.Popen(
        ["ip", "netns", "exec", "ist-wan-west", "python3", "-c", receiver], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        check(["ip", "netns", "exec", "ist-wan-east", "python3", "-c", sender])
        assert process.stdout.readline() == "True\n"


def test_a_capture_counts_each_forwarded_packet_once(router: Router, tmp_path: Path):
    capture = start_capture(ROUTER, tmp_path / "wan.pcap")
    ping(count=5)
    recorded = stop_capture(capture, Wire(inner=(ip_network("10.0.0.0/8"),)))

    counts = recorded.counts
    assert recorded.dropped == 0
    assert counts.unexpected == 0, counts.examples
    assert 10 <= counts.packets[Kind.NEIGHBOUR] <= 18


def test_clear_text_of_pods_does_not_escape_a_capture(router: Router, tmp_path: Path):
    check(["ip", "-n", "ist-wan-east", "addr", "add", "10.1.0.5/32", "dev", "lo"])
    capture = start_capture(ROUTER, tmp_path / "wan.pcap")
    run(["ip", "netns", "exec", "ist-wan-east", "ping", "-c1", "-W0.2", "-I10.1.0.5", f"{network(1)}.2"])
    recorded = stop_capture(capture, Wire(inner=(ip_network("10.0.0.0/8"),)))

    assert recorded.counts.clear == 2, "the request and its answer"
    assert "10.1.0.5" in recorded.counts.examples[0]


def test_a_capture_ends_with_what_it_was_for_also_when_that_fails(router: Router, tmp_path: Path):
    with pytest.raises(ZeroDivisionError), recording(ROUTER, tmp_path / "wan.pcap") as capture:
        raise ZeroDivisionError

    assert not alive(capture.pid)


def test_an_unknown_site_is_answered_with_the_known_ones(router: Router):
    with pytest.raises(Fatal, match="the sites are east, west"):
        router.link("east", "north")
