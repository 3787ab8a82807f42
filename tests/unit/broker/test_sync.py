from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from broker.side import Side
from broker.sync import RETURN_SECONDS, BrokerSync, SyncResult, withdraw
from crds.meta import ClusterId
from isthmus.kube.errors import (
    BadCertificate,
    Forbidden,
    NotFound,
    Refused,
    Throttled,
    Unauthorized,
    Unavailable,
)
from isthmus.kube.resources import CLUSTERS, ENDPOINTS
from tests.builders import cluster_object, endpoint_object
from tests.fakes.clock import FakeClock, settle
from tests.fakes.kubeapi import FakeKube

HERE = "submariner-operator"
BROKER = "submariner-k8s-broker"
EAST = ClusterId("east")


@dataclass
class World:
    """Two API servers and the sync between them, watched all the while."""

    local: FakeKube
    broker: FakeKube
    clock: FakeClock
    sync: BrokerSync
    kicks: list[None]

    @property
    def sides(self) -> tuple[Side, Side]:
        return Side("this cluster's API server", self.local, HERE), Side("broker", self.broker, BROKER)

    async def passed(self) -> SyncResult:
        """Run a pass on what is known after every event has arrived."""
        await settle()
        result = await self.sync.sync_pass()
        await settle()
        return result

    def service_cidr(self, api: FakeKube, name: str) -> str:
        """Return the first Service network of a Cluster object on either side."""
        (found,) = (each for each in api.objects(CLUSTERS) if each["metadata"]["name"] == name)
        return str(found["spec"]["service_cidr"][0])

    def names(self, api: FakeKube) -> list[str]:
        return [item["metadata"]["name"] for kind in (CLUSTERS, ENDPOINTS) for item in api.objects(kind)]


def new_world(local=(), broker=()) -> World:
    clock = FakeClock()
    world = World(
        FakeKube(local, namespaces=[HERE], server="https://here:6443"),
        FakeKube(broker, namespaces=[BROKER], server="https://broker:6443"),
        clock,
        sync=None,  # type: ignore[arg-type] # set below
        kicks=[],
    )
    world.sync = BrokerSync(EAST, *world.sides, clock)
    return world


@contextlib.asynccontextmanager
async def watched(world: World) -> AsyncIterator[World]:
    async with asyncio.TaskGroup() as group:
        watching = group.create_task(world.sync.watch(lambda: world.kicks.append(None)))
        await settle()
        yield world
        watching.cancel()


def own(net: int = 1):
    return [
        cluster_object("east", f"10.{net}.0.0/16", namespace=HERE),
        endpoint_object("east", f"10.{net}.0.0/16", namespace=HERE),
    ]


def remote(cluster_id: str, net: int, namespace: str = BROKER):
    return [
        cluster_object(cluster_id, f"10.{net}.0.0/16", namespace=namespace, origin=cluster_id),
        endpoint_object(cluster_id, f"10.{net}.0.0/16", namespace=namespace, origin=cluster_id),
    ]


async def test_objects_cross_both_ways_in_one_pass_and_the_next_writes_nothing():
    async with watched(new_world(own(), remote("west", 2))) as world:
        first = await world.passed()
        second = await world.passed()

        assert (first.outcome.added, first.outcome.failures, first.synced) == (4, (), True)
        assert second.outcome.writes == 0
        assert world.names(world.local) == world.names(world.broker)
        assert world.broker.writes == world.local.writes == 2


async def test_nothing_is_written_before_both_sides_were_read():
    world = new_world([*own(), *remote("gone", 3, HERE)], remote("west", 2))
    world.broker.refuse(Unavailable, resource=ENDPOINTS)
    async with watched(world):
        result = await world.passed()

        assert not result.synced
        assert world.local.writes == world.broker.writes == 0
        (failure,) = result.outcome.failures
        assert str(failure).startswith("broker: cannot list endpoints.submariner.io in namespace")


async def test_without_any_answer_yet_there_is_neither_a_write_nor_a_failure():
    world = new_world(own(), remote("west", 2))

    result = await world.sync.sync_pass()

    assert (result.outcome.writes, result.outcome.failures, result.synced) == (0, (), False)


async def test_the_first_pass_makes_up_for_what_changed_while_nobody_watched():
    stale_copy = remote("gone", 3, HERE)
    stale_announcement = endpoint_object(
        "east", "10.1.0.0/16", private_ip="172.16.0.99", namespace=BROKER, origin="east"
    )
    announced = cluster_object("east", "10.9.0.0/16", namespace=BROKER, origin="east")
    at_broker = [announced, stale_announcement, *remote("west", 2)]
    async with watched(new_world([*own(), *stale_copy], at_broker)) as world:
        await world.passed()

        assert world.names(world.local) == world.names(world.broker)
        assert "gone" not in world.names(world.local)
        assert stale_announcement["metadata"]["name"] not in world.names(world.broker)


async def test_a_change_on_either_side_asks_for_a_pass_and_crosses():
    async with watched(new_world(own(), remote("west", 2))) as world:
        await world.passed()
        world.kicks.clear()

        world.broker.put(remote("west", 4)[0])
        world.local.put(own(5)[0])
        await settle()
        assert len(world.kicks) == 2
        result = await world.passed()

        assert result.outcome.changed == 2
        assert world.service_cidr(world.local, "west") == "10.4.0.0/16"
        assert world.service_cidr(world.broker, "east") == "10.5.0.0/16"


async def test_a_member_that_leaves_is_gone_on_the_other_side():
    async with watched(new_world(own(), remote("west", 2))) as world:
        await world.passed()
        for item in remote("west", 2):
            resource = {"Cluster": CLUSTERS, "Endpoint": ENDPOINTS}[item["kind"]]
            world.broker.remove(resource, BROKER, item["metadata"]["name"])

        result = await world.passed()

        assert result.outcome.removed == 2
        assert world.local.object(CLUSTERS, HERE, "west") is None


async def test_a_history_that_the_server_forgot_loses_nothing():
    async with watched(new_world(own(), remote("west", 2))) as world:
        await world.passed()

        world.broker.drop_watches(Unavailable)
        await settle()
        world.broker.put(remote("south", 7)[0])
        world.broker.compact()
        await world.clock.advance(60)
        await world.passed()

        assert world.local.object(CLUSTERS, HERE, "south") is not None


@pytest.mark.parametrize("error", [Unavailable, Unauthorized, BadCertificate, Forbidden, Throttled])
async def test_a_broker_that_refuses_is_said_in_one_sentence_and_keeps_all_copies(error):
    async with watched(new_world(own(), remote("west", 2))) as world:
        await world.passed()

        world.broker.refuse(error)
        result = await world.passed()

        (failure,) = result.outcome.failures
        assert str(failure).startswith("broker: cannot ")
        assert "https://broker:6443" in str(failure)
        assert world.local.object(CLUSTERS, HERE, "west") is not None
        assert result.synced


async def test_a_broker_that_comes_back_is_caught_up_with():
    async with watched(new_world(own(), remote("west", 2))) as world:
        await world.passed()
        world.broker.refuse(Unavailable)
        world.local.put(own(5)[0])
        assert (await world.passed()).outcome.failures
        world.broker.accept_all()
        world.broker.put(remote("south", 7)[0])

        await world.clock.advance(60)
        result = await world.passed()

        assert result.outcome.failures == ()
        assert world.service_cidr(world.broker, "east") == "10.5.0.0/16"
        assert world.local.object(CLUSTERS, HERE, "south") is not None


async def test_missing_kinds_at_the_broker_are_said_with_what_to_do():
    world = new_world(own())
    world.broker.withdraw(CLUSTERS)
    async with watched(world):
        (failure,) = (await world.passed()).outcome.failures

        assert "CustomResourceDefinitions" in str(failure)


async def test_a_missing_namespace_at_the_broker_is_said():
    async with watched(new_world(own())) as world:
        world.broker.refuse(NotFound, verb="create")

        failures = (await world.passed()).outcome.failures

        assert [str(failure).startswith("broker: cannot create ") for failure in failures] == [True, True]


async def test_a_verb_that_is_missing_at_the_broker_stops_only_what_needs_it():
    async with watched(new_world(own(), remote("west", 2))) as world:
        world.broker.refuse(Forbidden, verb="create")

        result = await world.passed()

        assert len(result.outcome.failures) == 2
        assert world.local.object(CLUSTERS, HERE, "west") is not None


async def test_an_own_object_that_the_broker_refuses_is_a_failure_that_names_it():
    async with watched(new_world(own())) as world:
        world.broker.refuse(Refused, verb="create", resource=ENDPOINTS)

        (failure,) = (await world.passed()).outcome.failures

        assert f"endpoints.submariner.io {own()[1]['metadata']['name']}" in str(failure)


async def test_an_object_that_this_cluster_refuses_is_shown_and_no_failure():
    async with watched(new_world(own(), remote("west", 2))) as world:
        world.local.refuse(Refused, verb="create", resource=ENDPOINTS)

        result = await world.passed()

        assert result.outcome.failures == ()
        (refusal,) = result.refusals
        assert refusal.cluster_id == "west"
        assert refusal.rejection.reason == "this cluster's API server refuses it: the test wants it so"


async def test_hostile_objects_are_refused_and_harm_nothing_else():
    hostile = [
        endpoint_object("east", "10.1.0.0/16", private_ip="192.0.2.66", namespace=BROKER, origin="mallory"),
        cluster_object("south", "10.7.0.0/16", namespace=BROKER, origin="mallory"),
    ]
    async with watched(new_world(own(), [*remote("west", 2), *hostile])) as world:
        result = await world.passed()

        assert [each.cluster_id for each in result.refusals] == ["south", "east"]
        assert world.local.object(CLUSTERS, HERE, "west") is not None
        assert len(world.names(world.local)) == 4
        assert result.outcome.failures == ()


async def test_two_clusters_under_one_id_do_not_write_for_ever():
    async with watched(new_world(own())) as world:
        for _ in range(10):
            await world.passed()
            world.broker.put(cluster_object("east", "10.66.0.0/16", namespace=BROKER, origin="east"))

        result = await world.passed()

        assert [str(failure) for failure in result.outcome.failures] == [
            "broker: somebody keeps undoing what this cluster writes to Cluster east; if another cluster "
            "also has the id east, one of the two must join under a new id"
        ]
        written = [call.verb for call in world.broker.calls if call.verb in ("create", "update")]
        assert written == ["create", "create", "update", "update", "update"]
        await world.clock.advance(61)
        assert (await world.passed()).outcome.changed == 1


async def test_leaving_removes_our_objects_at_the_broker_and_all_here():
    world = new_world([*own(), *remote("west", 2, HERE)], remote("west", 2) + remote("east", 1))

    outcome = await withdraw(EAST, *world.sides)

    assert (outcome.removed, outcome.failures) == (6, ())
    assert world.names(world.local) == []
    assert len(world.names(world.broker)) == 2


async def test_leaving_cleans_up_here_though_the_broker_is_away():
    world = new_world(own())
    world.broker.refuse(Unavailable)

    outcome = await withdraw(EAST, *world.sides)

    assert len(outcome.failures) == 1
    assert world.names(world.local) == []


async def test_a_broker_whose_namespace_is_lost_takes_no_member_with_it():
    async with watched(new_world(own(), remote("west", 2))) as world:
        await world.passed()
        assert "west" in world.names(world.local)

        for kind in (ENDPOINTS, CLUSTERS):
            for item in world.broker.objects(kind):
                await world.broker.delete(kind, BROKER, item["metadata"]["name"])
        for _ in range(3):
            world.broker.fail_next("create", NotFound)
        lost = await world.passed()

        assert lost.outcome.failures
        assert lost.outcome.removed == 0
        assert "west" in world.names(world.local)


async def test_a_broker_that_was_made_anew_while_nobody_watched_is_given_time_to_fill():
    async with watched(new_world([*own(), *remote("west", 2, namespace=HERE)], [])) as world:
        assert (await world.passed()).outcome.removed == 0
        await world.clock.advance(RETURN_SECONDS)
        assert (await world.passed()).outcome.removed == 2


async def test_the_others_have_time_to_come_back_to_a_broker_that_was_made_again():
    async with watched(new_world(own(), remote("west", 2))) as world:
        await world.passed()
        for item in world.broker.objects(ENDPOINTS):
            if item["spec"]["cluster_id"] == "west":
                await world.broker.delete(ENDPOINTS, BROKER, item["metadata"]["name"])
        await settle()
        world.broker.fail_next("create", NotFound)
        await world.passed()

        assert (await world.passed()).outcome.removed == 0
        await world.clock.advance(RETURN_SECONDS)
        assert (await world.passed()).outcome.removed == 1
