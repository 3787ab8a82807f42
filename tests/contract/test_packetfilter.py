"""The packet filter in memory and both backends of iptables behave alike; the driver obeys the four laws."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_address, ip_network

import pytest

from crds.meta import Family, IPNetwork
from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.iptables.driver import sync_ruleset
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.ruleset import (
    Accept,
    AddressSet,
    Chain,
    ClampMss,
    ClearMark,
    Hook,
    Match,
    PacketFilter,
    Reject,
    Return,
    Rule,
    Ruleset,
    SetMss,
    SetName,
    Snat,
)
from isthmus.reconcile.outcome import Outcome
from tests.fakes.packetfilter import FakePacketFilter
from tests.laws import Faults, Subject, obeys_the_four_laws
from tests.netns import private_namespace, run

KERNEL = [pytest.param(name, marks=pytest.mark.root) for name in ("nft", "legacy")]
everywhere = pytest.mark.parametrize("where", ["fake", *KERNEL])
pytestmark = everywhere

LOCAL, REMOTE = SetName("SUBMARINER-LOCALCIDRS"), SetName("SUBMARINER-REMOTECIDRS")
NAT, MANGLE = "SUBMARINER-POSTROUTING", "SUBMARINER-MANGLE"
INPUT, FORWARD = "SUBMARINER-INPUT", "SUBMARINER-FORWARD"

FOREIGN = """\
*mangle
-A PREROUTING -s 198.51.100.0/24 -j ACCEPT
COMMIT
*nat
:KUBE-POSTROUTING - [0:0]
-A POSTROUTING -m comment --comment "kubernetes postrouting rules" -j KUBE-POSTROUTING
-A KUBE-POSTROUTING -s 203.0.113.0/24 -j MASQUERADE
COMMIT
*filter
:OPERATOR - [0:0]
-A FORWARD -i eth9 -j OPERATOR
-A OPERATOR -s 192.0.2.7/32 -j DROP
COMMIT
"""


def networks(*texts: str) -> frozenset[IPNetwork]:
    return frozenset(ip_network(text) for text in texts)


def both_ways(local: str, remote: str) -> Ruleset:
    """About what a gateway node's agent wants."""
    syn = Match(source=LOCAL, destination=REMOTE, protocol="tcp", tcp_syn=True)
    accept = Match(source=ip_network(local), destination=ip_network(remote))
    vx = Match(out_device="vx-submariner", source=ip_network("240.0.0.0/8"))
    closed = Match(out_device="eth0", not_out_device=True, destination=REMOTE, ipsec_out=False)
    clear = Match(
        source=ip_network(remote), destination=LOCAL, not_destination=True, mark=0x4000, mark_mask=0x4000
    )
    return Ruleset(
        family=4,
        sets=(AddressSet(LOCAL, 4, networks(local)), AddressSet(REMOTE, 4, networks(remote, "0.0.0.0/0"))),
        chains=(
            Chain(
                "nat",
                NAT,
                (
                    Rule(vx, Snat(ip_address("10.0.1.1")), "hosts of this cluster leave with a pod address"),
                    Rule(accept, Accept(), 'pods keep their "own" address \\ always'),
                ),
            ),
            Chain("filter", FORWARD, (Rule(closed, Reject("icmp-net-unreachable"), "no clear text"),)),
            Chain("filter", INPUT, (Rule(Match(protocol="udp", dport=4800), Accept(), "from our nodes"),)),
            Chain(
                "mangle",
                MANGLE,
                (
                    Rule(syn, ClampMss(), "a tunnel's packets are shorter"),
                    Rule(clear, ClearMark(0x4000), "no masquerade"),
                    Rule(Match(protocol="udp", dport=4800, in_device="eth0"), Return(), "w" * 300),
                ),
            ),
        ),
        hooks=(
            Hook("nat", "POSTROUTING", NAT, first=True),
            Hook("filter", "FORWARD", FORWARD, first=True),
            Hook("filter", "INPUT", INPUT, first=False, match=Match(protocol="udp")),
            Hook("mangle", "POSTROUTING", MANGLE, first=False),
        ),
    )


WORKER = Ruleset(
    family=4,
    sets=(AddressSet(REMOTE, 4, networks("10.1.0.0/16", "10.9.0.1/32")),),
    chains=(
        Chain(
            "mangle",
            MANGLE,
            (Rule(Match(source=REMOTE, protocol="tcp", tcp_syn=True), SetMss(1300), "as annotated"),),
        ),
        Chain("filter", FORWARD, ()),
    ),
    hooks=(
        Hook("mangle", "POSTROUTING", MANGLE, first=True),
        Hook("filter", "FORWARD", FORWARD, first=False),
    ),
)
GATEWAY = both_ways("10.0.0.0/16", "10.1.0.0/16")
OTHER_GATEWAY = both_ways("10.0.0.0/16", "10.2.0.0/16")
NOTHING = Ruleset(4)


@asynccontextmanager
async def packet_filter(
    where: str, foreign: str = FOREIGN, family: Family = 4
) -> AsyncIterator[PacketFilter]:
    """A packet filter that holds somebody else's rules and set."""
    if where == "fake":
        fake = FakePacketFilter()
        await fake.apply(foreign)
        await fake.sets.apply("create OPERATOR hash:net family inet\nadd OPERATOR 192.0.2.0/24\n")
        fake.faults.writes.clear()
        yield fake
        return
    with private_namespace():
        program = "iptables" if family == 4 else "ip6tables"
        if foreign:
            run(f"{program}-{where}-restore", "--noflush", stdin=foreign)
        run("ipset", "create", "OPERATOR", "hash:net")
        run("ipset", "add", "OPERATOR", "192.0.2.0/24")
        yield kernel_packet_filter(SystemCommand(), family, "nft" if where == "nft" else "legacy")


async def state(there: PacketFilter) -> object:
    """Everything in the packet filter without dates, packet counts and the seeds of hash tables."""
    lines = [
        re.sub(r"\[\d+:\d+\]", "[0:0]", line)
        for line in (await there.dump()).splitlines()
        if not line.startswith("#")
    ]
    sets = [
        re.sub(r" (initval|hashsize|bucketsize) \w+", "", line)
        for line in (await there.sets.dump()).splitlines()
    ]
    return tuple(sorted(lines) if isinstance(there, FakePacketFilter) else lines), tuple(sorted(sets))


async def test_driver_obeys_the_four_laws(where: str) -> None:
    async with packet_filter(where) as there:

        async def sync(wanted: Ruleset) -> Outcome:
            return await sync_ruleset(there, wanted)

        async def seen() -> object:
            return await state(there)

        faults = None
        if isinstance(there, FakePacketFilter):
            operations = ("dump", "apply", "sets.dump", "sets.apply")
            faults = Faults(operations, there.fail_next, there.faults.waiting.clear)
        await obeys_the_four_laws(Subject(sync, seen, (GATEWAY, OTHER_GATEWAY, WORKER), NOTHING, faults))


async def test_change_of_one_entry_writes_one_entry(where: str) -> None:
    async with packet_filter(where) as there:
        await sync_ruleset(there, WORKER)
        more = AddressSet(REMOTE, 4, networks("10.1.0.0/16", "10.9.0.1/32", "10.3.0.0/16"))

        outcome = await sync_ruleset(there, Ruleset(4, (more,), WORKER.chains, WORKER.hooks))

        assert (outcome.added, outcome.changed, outcome.removed) == (1, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(f"*nat\n:{NAT} - [0:0]\nCOMMIT\n", id="our chain flushed"),
        pytest.param(f"*nat\n-A {NAT} -s 192.0.2.1/32 -j ACCEPT\nCOMMIT\n", id="a rule added to our chain"),
        pytest.param(f"*nat\n-I {NAT} 1 -j RETURN\nCOMMIT\n", id="a rule inserted into our chain"),
        pytest.param(
            f'*nat\n-I {NAT} 1 -s 10.9.0.0/16 -m comment --comment "isthmus: forged" -j ACCEPT\nCOMMIT\n',
            id="a rule that looks like ours",
        ),
        pytest.param(
            "*nat\n-I POSTROUTING 1 -s 192.0.2.1/32 -j ACCEPT\nCOMMIT\n", id="a rule before our hook"
        ),
        pytest.param(f"*nat\n-A POSTROUTING -j {NAT}\nCOMMIT\n", id="a second hook without a comment"),
        pytest.param(
            f"*nat\n-I INPUT 1 -s 192.0.2.1/32 -j {NAT}\nCOMMIT\n", id="a hook where there was none"
        ),
        pytest.param(
            "*filter\n:SUBMARINER-OLD - [0:0]\n-A FORWARD -j SUBMARINER-OLD\nCOMMIT\n", id="an old chain"
        ),
    ],
)
async def test_drift_is_healed_and_what_is_foreign_stays(where: str, change: str) -> None:
    async with packet_filter(where) as there:
        before = await state(there)
        await sync_ruleset(there, GATEWAY)
        wanted = await state(there)
        await there.apply(change)
        assert await state(there) != wanted

        outcome = await sync_ruleset(there, GATEWAY)

        assert outcome.failures == ()
        assert outcome.writes >= 1
        assert (await sync_ruleset(there, GATEWAY)).writes == 0
        await sync_ruleset(there, NOTHING)
        left = await state(there)
        assert _without(left, "192.0.2.1/32") == before


def _without(seen: object, word: str) -> object:
    assert isinstance(seen, tuple)
    lines, sets = seen
    return tuple(line for line in lines if word not in line), sets


async def test_missing_hook_is_put_back_in_first_place(where: str) -> None:
    async with packet_filter(where) as there:
        await sync_ruleset(there, GATEWAY)
        wanted = await state(there)
        hook = next(
            line
            for line in (await there.dump()).splitlines()
            if line.startswith("-A POSTROUTING") and NAT in line
        )
        await there.apply(f"*nat\n{hook.replace('-A', '-D', 1)}\nCOMMIT\n")

        await sync_ruleset(there, GATEWAY)

        assert await state(there) == wanted


async def test_set_entries_changed_by_hand_are_healed(where: str) -> None:
    async with packet_filter(where) as there:
        await sync_ruleset(there, GATEWAY)
        wanted = await state(there)
        await there.sets.apply(f"add {LOCAL} 192.0.2.0/24\ndel {LOCAL} 10.0.0.0/16\n")

        outcome = await sync_ruleset(there, GATEWAY)

        assert (outcome.added, outcome.removed) == (1, 1)
        assert await state(there) == wanted


async def test_set_of_another_type_under_our_name_is_replaced(where: str) -> None:
    async with packet_filter(where) as there:
        await there.sets.apply(f"create {REMOTE} hash:ip family inet\nadd {REMOTE} 192.0.2.1\n")

        outcome = await sync_ruleset(there, GATEWAY)

        assert outcome.failures == ()
        assert (await sync_ruleset(there, GATEWAY)).writes == 0


async def test_set_of_another_type_that_our_rules_use_is_replaced(where: str) -> None:
    async with packet_filter(where) as there:
        await there.sets.apply(f"create {REMOTE} hash:ip family inet\n")
        await there.apply(
            f"*mangle\n:{MANGLE} - [0:0]\n-A {MANGLE} -m set --match-set {REMOTE} dst -j ACCEPT\nCOMMIT\n"
        )

        outcome = await sync_ruleset(there, GATEWAY)

        assert outcome.failures == ()
        assert (await sync_ruleset(there, GATEWAY)).writes == 0


async def test_table_that_was_not_there_before_us_goes_with_us(where: str) -> None:
    async with packet_filter(where, foreign="") as there:
        before = await state(there)

        await sync_ruleset(there, GATEWAY)
        outcome = await sync_ruleset(there, NOTHING)

        assert outcome.failures == ()
        if where != "legacy":  # which cannot give a table back
            assert await state(there) == before
        assert (await sync_ruleset(there, NOTHING)).writes == 0


async def test_table_that_others_began_to_use_stays(where: str) -> None:
    async with packet_filter(where, foreign="") as there:
        await sync_ruleset(there, GATEWAY)
        await there.apply("*nat\n-A PREROUTING -s 192.0.2.1/32 -j ACCEPT\nCOMMIT\n")

        await sync_ruleset(there, NOTHING)

        assert "-A PREROUTING -s 192.0.2.1/32 -j ACCEPT" in await there.dump()
        assert "SUBMARINER" not in await there.dump()


async def test_one_refused_table_does_not_stop_the_others(where: str) -> None:
    async with packet_filter(where) as there:
        broken = Chain(
            "nat", NAT, (Rule(Match(source=SetName("SUBMARINER-NO-SUCH-SET")), Accept(), "broken"),)
        )
        mangle = WORKER.chains[0]

        outcome = await sync_ruleset(there, Ruleset(4, WORKER.sets, (broken, mangle), WORKER.hooks[:1]))

        assert len(outcome.failures) == 1
        assert f":{MANGLE}" in await there.dump()
        assert f":{NAT}" not in await there.dump()


async def test_ipv6_rules_and_sets_leave_those_of_ipv4_alone(where: str) -> None:
    six = Ruleset(
        family=6,
        sets=(AddressSet(SetName("SUBMARINER-REMOTE6"), 6, networks("fd00:1::/48", "fd00:2::7/128")),),
        chains=(
            Chain(
                "filter",
                FORWARD,
                (
                    Rule(
                        Match(destination=SetName("SUBMARINER-REMOTE6"), source=ip_network("fd00:9::/64")),
                        Reject("icmp6-no-route"),
                        "no clear text",
                    ),
                ),
            ),
        ),
        hooks=(Hook("filter", "FORWARD", FORWARD, first=True),),
    )
    async with packet_filter(where, foreign="", family=6) as there:
        await there.sets.apply(f"create {REMOTE} hash:net family inet\nadd {REMOTE} 10.1.0.0/16\n")
        before = await state(there)

        outcome = await sync_ruleset(there, six)
        again = await sync_ruleset(there, six)
        await sync_ruleset(there, Ruleset(6))

        assert (outcome.failures, again.writes) == ((), 0)
        if where != "legacy":
            assert await state(there) == before
