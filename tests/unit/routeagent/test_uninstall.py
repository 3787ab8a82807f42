from __future__ import annotations

import pytest

from isthmus.dataplane.errors import Busy
from isthmus.reconcile.errors import Fatal
from routeagent.apply import apply_plan
from routeagent.plan.node import plan_node
from routeagent.uninstall import clean_node
from tests.fakes.packetfilter import FakePacketFilter
from tests.unit.routeagent.hosts import fake_host
from tests.unit.routeagent.worlds import GATEWAY, own, west, world

PLAN = plan_node(world(GATEWAY, west(), local=own()), 4)


async def test_a_cleaned_node_is_as_it_was_in_every_packet_filter():
    fake, other = fake_host(GATEWAY), FakePacketFilter()
    before = await fake.state()
    await apply_plan(fake.host, PLAN)
    fake.kernel.routes.reverse()

    await clean_node(fake.host, [other, fake.filter], 4)

    assert await fake.state() == before


async def test_what_could_not_be_removed_is_named_once():
    fake = fake_host(GATEWAY)
    await apply_plan(fake.host, PLAN)
    fake.filter.fail_next("dump", Busy("another program holds the xtables lock"))

    with pytest.raises(Fatal) as caught:
        await clean_node(fake.host, [fake.filter], 4)

    assert str(caught.value).splitlines()[1:] == ["  ruleset: another program holds the xtables lock"]


async def test_cleaning_again_is_harmless():
    fake = fake_host(GATEWAY)
    await clean_node(fake.host, [fake.filter], 4)

    assert fake.writes() == 0
