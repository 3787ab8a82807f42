from __future__ import annotations

from ipaddress import ip_network

from isthmus.dataplane.iptables.driver import sync_ruleset
from isthmus.dataplane.ruleset import Accept, AddressSet, Chain, Hook, Match, Rule, Ruleset, SetName
from isthmus.reconcile.errors import Transient
from tests.fakes.packetfilter import FakePacketFilter

REMOTE, CHAIN = SetName("SUBMARINER-REMOTECIDRS"), "SUBMARINER-FORWARD"


def ruleset(*networks):
    return Ruleset(
        4,
        (AddressSet(REMOTE, 4, frozenset(map(ip_network, networks))),),
        (Chain("filter", CHAIN, (Rule(Match(destination=REMOTE), Accept(), "peers"),)),),
        (Hook("filter", "FORWARD", CHAIN, first=True),),
    )


async def test_new_network_touches_the_set_and_no_rule():
    there = FakePacketFilter()
    await sync_ruleset(there, ruleset("10.1.0.0/16"))
    there.faults.writes.clear()

    await sync_ruleset(there, ruleset("10.1.0.0/16", "10.2.0.0/16"))

    assert there.faults.writes["apply"] == 0
    assert there.faults.writes["sets.apply"] == 1


async def test_sets_that_rules_still_name_are_not_destroyed_after_a_refused_table():
    there = FakePacketFilter()
    await sync_ruleset(there, ruleset("10.1.0.0/16"))
    there.fail_next("apply", Transient("lock"))

    outcome = await sync_ruleset(there, Ruleset(4))

    assert [str(error) for error in outcome.failures] == ["lock"]
    assert REMOTE in there.sets.held


async def test_sets_of_the_other_family_stay():
    there = FakePacketFilter()
    await sync_ruleset(there, ruleset("10.1.0.0/16"))

    outcome = await sync_ruleset(FakePacketFilterOver(there), Ruleset(6))

    assert outcome.writes == 0


class FakePacketFilterOver:
    """Another family's empty packet filter beside the same sets."""

    def __init__(self, other):
        self.sets = other.sets

    async def dump(self):
        return ""

    async def apply(self, text):
        raise AssertionError(f"nothing to write: {text}")

    async def drop_table(self, table):
        raise AssertionError(f"nothing to drop: {table}")


async def test_unreadable_rules_are_a_failure_of_the_step():
    there = FakePacketFilter()
    there.fail_next("sets.dump", Transient("ipset is not installed"))

    outcome = await sync_ruleset(there, ruleset("10.1.0.0/16"))

    assert [str(error) for error in outcome.failures] == ["ipset is not installed"]
    assert there.tables == {}
