from __future__ import annotations

from ipaddress import ip_network

from isthmus.dataplane.rules import PolicyRule, sync_rules
from tests.fakes.netlink import FakeKernel, fake_netlink


async def test_rules_of_the_other_family_and_of_others_stay():
    kernel = FakeKernel()
    foreign = (3, PolicyRule(150, 150, 4))
    kernel.rules.append(foreign)
    table = fake_netlink(kernel).rules
    await sync_rules(table, [PolicyRule(150, 150, 6)], family=6)
    await sync_rules(table, [PolicyRule(150, 150, 4)], family=4)

    outcome = await sync_rules(table, [], family=4)

    assert outcome.removed == 1
    assert kernel.rules == [foreign, (150, PolicyRule(150, 150, 6))]


async def test_rule_for_another_source_is_another_rule():
    kernel = FakeKernel()
    table = fake_netlink(kernel).rules
    await sync_rules(table, [PolicyRule(150, 150, 4)], family=4)

    outcome = await sync_rules(table, [PolicyRule(150, 150, 4, ip_network("10.1.0.0/16"))], family=4)

    assert (outcome.added, outcome.changed, outcome.removed) == (1, 0, 1)
