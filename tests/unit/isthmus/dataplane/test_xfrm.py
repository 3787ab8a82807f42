from __future__ import annotations

from ipaddress import ip_address, ip_network

from isthmus.dataplane.command import CommandFailed
from isthmus.dataplane.xfrm import XfrmPolicy, XfrmState, owned_policies, owned_states, remove_xfrm
from isthmus.reconcile.outcome import Outcome
from tests.fakes.command import FakeCommand

OURS = 150 << 24 | 7


def lines(*shown: str) -> str:
    """What `ip -o` makes of lines that begin with tabs."""
    return "".join("\\".join(text.splitlines()) + "\\\n" for text in shown)


# As iproute2 6.1 prints them.
STATES = lines(
    f"""src 10.1.0.1 dst 10.2.0.1
\tproto esp spi 0xc1234567 reqid {OURS} mode tunnel
\treplay-window 0 flag af-unspec
\taead rfc4106(gcm(aes)) <<Keys hidden>> 128
\tencap type espinudp sport 4500 dport 4500 addr 0.0.0.0
\tanti-replay context: seq 0x0, oseq 0x0, bitmap 0x00000000""",
    f"src 2001:db8::1 dst 2001:db8::2\n\tproto esp spi 0x00000101 reqid {OURS} mode tunnel",
    "src 10.1.0.1 dst 10.9.0.1\n\tproto esp spi 0xc7654321 reqid 1 mode tunnel",
)
POLICIES = lines(
    f"""src 10.244.0.0/16 dst 10.245.0.0/16\x20
\tdir out priority 100 ptype main\x20
\ttmpl src 10.1.0.1 dst 10.2.0.1
\t\tproto esp reqid {OURS} mode tunnel""",
    f"""src 10.245.0.0/16 dst 10.244.0.0/16\x20
\tdir fwd priority 100 ptype main\x20
\ttmpl src 10.2.0.1 dst 10.1.0.1
\t\tproto esp reqid {OURS} mode tunnel""",
    """src 10.8.0.0/16 dst 10.9.0.0/16\x20
\tdir out priority 100 ptype main\x20
\ttmpl src 10.1.0.1 dst 10.9.0.1
\t\tproto esp reqid 1 mode tunnel""",
    "src 0.0.0.0/0 dst 0.0.0.0/0\x20\n\tsocket in priority 0 ptype main\x20",
)
STATE = XfrmState(ip_address("10.1.0.1"), ip_address("10.2.0.1"), "c1234567", OURS)
POLICY = XfrmPolicy(ip_network("10.244.0.0/16"), ip_network("10.245.0.0/16"), "out", OURS)


async def test_only_marked_states_are_ours():
    command = FakeCommand({"ip -o xfrm state list nokeys": STATES})

    assert await owned_states(command) == (
        STATE,
        XfrmState(ip_address("2001:db8::1"), ip_address("2001:db8::2"), "00000101", OURS),
    )


async def test_only_marked_policies_are_ours_and_no_sockets_own():
    command = FakeCommand({"ip -o xfrm policy list": POLICIES})

    assert await owned_policies(command) == (
        POLICY,
        XfrmPolicy(ip_network("10.245.0.0/16"), ip_network("10.244.0.0/16"), "fwd", OURS),
    )


async def test_all_is_removed_by_one_program():
    command = FakeCommand({"ip": ""})

    assert await remove_xfrm(command, [STATE], [POLICY]) == Outcome("xfrm", removed=2)

    assert command.calls == [
        (
            "ip -force -batch -",
            "xfrm state delete src 10.1.0.1 dst 10.2.0.1 proto esp spi 0xc1234567\n"
            "xfrm policy delete src 10.244.0.0/16 dst 10.245.0.0/16 dir out\n",
        )
    ]


async def test_nothing_to_remove_starts_no_program():
    command = FakeCommand()

    assert await remove_xfrm(command, [], []) == Outcome("xfrm")
    assert command.calls == []


async def test_what_is_gone_already_is_no_failure():
    gone = (
        "RTNETLINK answers: No such process\nCommand failed -:1\nRTNETLINK answers: No such file or directory"
    )
    command = FakeCommand({"ip": CommandFailed("ip", 2, gone)})

    assert (await remove_xfrm(command, [STATE], [POLICY])).failures == ()


async def test_a_refusal_is_told():
    refused = CommandFailed("ip", 2, "RTNETLINK answers: Operation not permitted\nCommand failed -:1")

    assert await remove_xfrm(FakeCommand({"ip": refused}), [STATE], []) == Outcome(
        "xfrm", failures=(refused,)
    )
