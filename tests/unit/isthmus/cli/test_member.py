from __future__ import annotations

import asyncio

from crds.meta import ClusterId
from isthmus.cli.faults import Fault
from isthmus.cli.member import ensure_member, read_member, read_token, remove_member
from isthmus.kube.resources import ROLES, SECRETS, SERVICE_ACCOUNTS
from tests.unit.isthmus.cli.worlds import BROKER_NAMESPACE, World

WEST = ClusterId("west")


async def test_an_enrolled_member_gets_a_token_and_is_found_again():
    world = World()

    token = await ensure_member(world.at_broker, BROKER_NAMESPACE, WEST, "uid-1")

    assert token == f"token.{BROKER_NAMESPACE}.cluster-west"
    assert await read_member(world.broker, BROKER_NAMESPACE, WEST) is not None
    assert await read_member(world.broker, BROKER_NAMESPACE, ClusterId("east")) is None


async def test_a_struck_off_member_leaves_nothing_and_may_be_struck_off_twice():
    world = World()
    await ensure_member(world.at_broker, BROKER_NAMESPACE, WEST, "uid-1")

    await remove_member(world.at_broker, BROKER_NAMESPACE, WEST)
    await remove_member(world.at_broker, BROKER_NAMESPACE, WEST)

    for resource in (SERVICE_ACCOUNTS, SECRETS, ROLES):
        left = [item["metadata"]["name"] for item in world.broker.objects(resource)]
        assert not [name for name in left if "west" in name]
    assert "was gone already" in world.said.getvalue()


async def test_a_control_plane_that_issues_no_token_is_told_after_a_while():
    world = World()
    world.broker.put({"kind": "Secret", "metadata": {"name": "slow-token", "namespace": BROKER_NAMESPACE}})

    refusal, _ = await asyncio.gather(
        read_token(world.at_broker, BROKER_NAMESPACE, "slow"), world.clock.advance(60), return_exceptions=True
    )

    assert isinstance(refusal, Fault)
    assert "issues no token for account slow" in str(refusal)
