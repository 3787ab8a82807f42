from __future__ import annotations

from isthmus.dataplane.ruleset import Jump, SetName
from routeagent.plan.remote import remote_of
from routeagent.plan.role import role_of
from routeagent.plan.ruleset import plan_ruleset
from tests import builders
from tests.unit.routeagent.worlds import GATEWAY, own, west, world


def ruleset(*peers):
    snapshot = world(GATEWAY, *peers, local=own())
    return plan_ruleset(snapshot, remote_of(snapshot, 4), role_of(snapshot, 4), 4)


def test_every_chain_is_reached_and_every_jump_leads_to_a_chain():
    planned = ruleset(west())

    chains = {(chain.table, chain.name) for chain in planned.chains}
    jumps = {
        (chain.table, rule.action.chain)
        for chain in planned.chains
        for rule in chain.rules
        if isinstance(rule.action, Jump)
    }
    assert jumps | {(hook.table, hook.target) for hook in planned.hooks} == chains


def test_every_set_that_a_rule_names_exists():
    planned = ruleset(west("172.16.0.0/24"))

    named = {
        hosts
        for chain in planned.chains
        for rule in chain.rules
        for hosts in (rule.match.source, rule.match.destination)
        if isinstance(hosts, str)
    }
    assert {SetName(name) for name in named} <= {entry.name for entry in planned.sets}


def test_a_hundred_members_need_no_more_rules_than_one():
    many = [builders.endpoint(f"c{number}", f"10.{100 + number}.0.0/16") for number in range(100)]

    assert ruleset(*many).chains == ruleset(west()).chains


def test_the_guard_has_the_first_word_where_packets_leave():
    planned = ruleset(west())

    mangle = next(c for c in planned.chains if (c.table, c.name) == ("mangle", "SUBMARINER-POSTROUTING"))
    assert mangle.rules[0].action == Jump("SUBMARINER-GUARD")
