"""The thousand clusters: everybody is honoured, and the change is as small as it claims."""

from __future__ import annotations

import pytest

from bench import world
from bench.handipsec import End, render_swanctl
from bench.scale import Change


@pytest.mark.parametrize("gateway", [False, True])
def test_one_subnet_in_the_place_of_another_is_two_routes_and_an_entry_each_way(gateway: bool):
    before = world.world()
    after = world.changed(before)

    assert len(before.membership().peers) == len(after.membership().peers) == world.CLUSTERS
    assert before.membership().refusals == after.membership().refusals == ()
    plans = [world.plan(each.membership(), gateway=gateway) for each in (before, after)]
    assert Change(*plans).size == 2 * (2 + 1)


def test_the_file_by_hand_names_both_ends_and_offers_what_isthmus_offers():
    clusters = world.world().endpoints[1:3]
    here, there = (End(one.spec.private_ip, one.spec.subnets) for one in clusters)  # type: ignore[arg-type]

    text = render_swanctl(here, there)

    assert f"local_addrs = {here.address}" in text
    assert f"remote_ts = {', '.join(map(str, there.subnets))}" in text
    assert "proposals = aes256gcm16-" in text
