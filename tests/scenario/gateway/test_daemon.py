"""One gateway of one cluster: from its start to everything that can go wrong around it."""

from __future__ import annotations

from ipaddress import ip_address

from crds.gateway import ConnectionStatus, HaStatus
from isthmus.kube.errors import Forbidden, Unauthorized, Unavailable
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, LEASES
from tests.builders import NAMESPACE
from tests.scenario.gateway.rig import BROKER_NAMESPACE, Node, World, running

WEST = {"name": "west", "services": "10.97.0.0/16", "pods": "10.245.0.0/16"}

RENEWAL = ("update", "leases.coordination.k8s.io")


def one_node(**environment: str) -> tuple[World, Node]:
    world = World()
    return world, Node(world, "east-gw", "172.18.0.2", **environment)


async def test_a_first_gateway_announces_its_cluster_here_and_at_the_broker():
    world, node = one_node()

    async with running(node):
        await world.clock.advance(2.0)

        (endpoint,) = world.own_endpoints()
        assert endpoint.ref.name == "east-submariner-cable-east-172-18-0-2"
        assert endpoint.spec.config("interface-name") == "ipsec0"
        for resource, name in ((CLUSTERS, "east"), (ENDPOINTS, endpoint.ref.name)):
            copy = world.broker.object(resource, BROKER_NAMESPACE, name)
            assert copy is not None
            assert copy["metadata"]["labels"] == {"submariner-io/clusterID": "east"}


async def test_a_peer_at_the_broker_becomes_a_cable_and_a_connection_with_its_round_trip_time():
    world, node = one_node()
    world.peer_joins(**WEST, health_check_ip="10.245.0.1")

    async with running(node):
        await world.clock.advance(2.0)
        node.echoes.alive = {ip_address("10.245.0.1")}
        await world.clock.advance(6.0)

        assert [cable.cluster_id for cable in node.driver.held.values()] == ["west"]
        gateway = world.gateways()["east-gw"]
        assert (gateway.status.ha_status, gateway.status.status_failure) == (HaStatus.ACTIVE, "")
        connection = world.connections("east-gw")["west"]
        assert (connection.status, connection.message) == (ConnectionStatus.CONNECTED, "")
        assert connection.latency is not None


async def test_the_tunnels_get_the_addresses_that_they_need_and_lose_them_when_they_do_not():
    world, node = one_node()

    async with running(node):
        await world.clock.advance(1.0)
        ours = [str(address.interface) for address in node.kernel.addresses if address.label == "lo:isthmus"]

        assert ours == ["10.96.0.0/32"]


async def test_own_objects_that_somebody_deletes_come_back_and_never_leave_the_broker():
    world, node = one_node()

    async with running(node):
        await world.clock.advance(2.0)
        (endpoint,) = world.own_endpoints()
        world.kube.remove(ENDPOINTS, NAMESPACE, endpoint.ref.name)
        world.kube.remove(CLUSTERS, NAMESPACE, "east")
        await world.clock.advance(2.0)

        assert [one.spec for one in world.own_endpoints()] == [endpoint.spec]
        assert world.kube.object(CLUSTERS, NAMESPACE, "east") is not None
        assert [call.verb for call in world.broker.calls if call.verb in ("delete", "update")] == []


async def test_a_peer_whose_address_changes_gets_a_new_cable_in_place_of_the_old_one():
    world, node = one_node()
    world.peer_joins(**WEST, private_ip="192.0.2.1")

    async with running(node):
        await world.clock.advance(2.0)
        world.peer_joins(**WEST, private_ip="192.0.2.2")
        await world.clock.advance(2.0)
        world.broker.remove(ENDPOINTS, BROKER_NAMESPACE, "west-submariner-cable-west-192-0-2-1")
        await world.clock.advance(2.0)

        assert [str(cable.address) for cable in node.driver.held.values()] == ["192.0.2.2"]
        assert list(world.connections("east-gw")) == ["west"]


async def test_a_peer_that_leaves_takes_its_cable_along():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(2.0)
        assert node.driver.held
        world.peer_leaves("west")
        await world.clock.advance(2.0)

        assert node.driver.held == {}
        assert world.connections("east-gw") == {}


async def test_a_settled_gateway_writes_nothing_but_its_sign_of_life():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(30.0)
        cables, broker = node.driver.writes, world.broker.writes
        world.kube.calls.clear()
        await world.clock.advance(60.0)

        renewals = [call for call in world.kube.calls if (call.verb, call.resource) == RENEWAL]
        assert len(renewals) <= 31
        calls = {(call.verb, call.resource) for call in world.kube.calls}
        written = {(verb, resource) for verb, resource in calls if verb not in ("get", "list", "watch")}
        assert written == {("update", "gateways.submariner.io"), RENEWAL}
        assert (node.driver.writes, world.broker.writes) == (cables, broker)


async def test_a_killed_gateway_that_comes_back_changes_no_cable_and_announces_nothing_anew():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node) as tasks:
        await world.clock.advance(10.0)
        before, broker = node.driver.writes, world.broker.writes
        endpoints = world.kube.objects(ENDPOINTS)
        await node.kill()
        assert node.driver.held

        node.start(tasks)
        await world.clock.advance(10.0)

        assert (node.driver.writes, world.broker.writes) == (before, broker)
        assert world.kube.objects(ENDPOINTS) == endpoints


async def test_a_terminated_gateway_releases_the_lease_removes_its_status_and_leaves_the_tunnels():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(10.0)
        await node.terminate()

        lease = world.kube.object(LEASES, NAMESPACE, "submariner-gateway-lock")
        assert lease is not None
        assert lease["spec"]["holderIdentity"] == ""
        assert world.gateways() == {}
        assert node.driver.held
        assert world.own_endpoints()


async def test_with_the_api_away_the_cables_stay_and_are_kept_alive():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(10.0)
        world.kube.refuse(Unavailable)
        await world.clock.advance(60.0)
        assert node.driver.held
        node.driver.crash()
        await world.clock.advance(2.0)
        node.driver.restart()
        await world.clock.advance(5.0)

        assert [cable.cluster_id for cable in node.driver.held.values()] == ["west"]


async def test_when_the_api_comes_back_the_gateway_leads_again_and_takes_in_what_it_missed():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(10.0)
        world.kube.refuse(Unavailable)
        await world.clock.advance(60.0)
        world.peer_joins("north", "10.98.0.0/16", "10.246.0.0/16")
        world.kube.accept_all()
        await world.clock.advance(40.0)

        assert {cable.cluster_id for cable in node.driver.held.values()} == {"west", "north"}
        assert world.gateways()["east-gw"].status.status_failure == ""


async def test_a_gateway_that_starts_without_api_touches_no_cable_and_goes_on_when_it_can():
    world, node = one_node()
    world.peer_joins(**WEST)
    async with running(node):
        await world.clock.advance(10.0)
    world.kube.refuse(Unavailable)
    before = node.driver.writes

    async with running(node):
        await world.clock.advance(60.0)
        assert node.driver.held
        world.kube.accept_all()
        await world.clock.advance(40.0)

        assert node.driver.writes == before
        assert world.gateways()["east-gw"].status.ha_status is HaStatus.ACTIVE


async def test_a_broker_that_is_away_is_told_in_the_status_while_the_cables_stay():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(10.0)
        world.broker.refuse(Unavailable)
        await world.clock.advance(20.0)

        assert node.driver.held
        failure = world.gateways()["east-gw"].status.status_failure
        assert "the broker: cannot" in failure
        assert "check that the API server runs and can be reached" in failure
        world.broker.accept_all()
        await world.clock.advance(60.0)
        assert world.gateways()["east-gw"].status.status_failure == ""


async def test_a_broker_that_is_away_from_the_start_does_not_stop_the_announcement_or_the_known_cables():
    world, node = one_node()
    world.peer_joins(**WEST)
    async with running(node):
        await world.clock.advance(10.0)
    world.broker.refuse(Unauthorized)

    async with running(node):
        await world.clock.advance(20.0)

        assert node.driver.held
        assert "issue a new one" in world.gateways()["east-gw"].status.status_failure


async def test_a_verb_that_the_account_lacks_is_named_where_a_user_looks():
    world, node = one_node()
    world.kube.refuse(Forbidden, verb="create", resource=ENDPOINTS)

    async with running(node):
        await world.clock.advance(10.0)

        failure = world.gateways()["east-gw"].status.status_failure
        assert "cannot create endpoints.submariner.io" in failure
        assert "grant the account that verb" in failure


async def test_missing_kinds_are_named_and_hold_nothing_else_up():
    world, node = one_node()
    world.kube.withdraw(CLUSTERS)

    async with running(node):
        await world.clock.advance(10.0)

        gateway = world.gateways()["east-gw"]
        assert "install Isthmus' CustomResourceDefinitions" in gateway.status.status_failure
        assert node.health is not None
        assert node.health.unreadiness() == "not read yet: clusters"


async def test_a_refused_endpoint_is_a_connection_in_error_and_an_event_and_harms_no_other():
    world, node = one_node()
    world.peer_joins(**WEST)
    world.peer_joins("thief", "10.96.0.0/17", "10.250.0.0/16")

    async with running(node):
        await world.clock.advance(10.0)

        assert [cable.cluster_id for cable in node.driver.held.values()] == ["west"]
        connections = world.connections("east-gw")
        assert connections["west"].status is ConnectionStatus.CONNECTED
        assert connections["thief"].status is ConnectionStatus.ERROR
        assert "10.96.0.0/17" in connections["thief"].message
        assert any("10.96.0.0/17" in event for event in world.events())


async def test_a_setting_of_the_node_that_nobody_knows_becomes_an_event_and_stops_nothing():
    world, node = one_node()
    annotations = {"gateway.submariner.io/udpport": "4501"}
    world.kube.put(
        {"apiVersion": "v1", "kind": "Node", "metadata": {"name": "east-gw", "annotations": annotations}}
    )

    async with running(node):
        await world.clock.advance(10.0)

        assert world.own_endpoints()
        assert [event for event in world.events() if "gateway.submariner.io/udpport" in event]


async def test_a_dead_charon_is_told_per_connection_and_in_the_failure_and_its_return_heals():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(10.0)
        node.driver.crash()
        await world.clock.advance(6.0)
        gateway = world.gateways()["east-gw"]
        assert "cannot reach charon" in gateway.status.status_failure
        assert world.connections("east-gw")["west"].status is ConnectionStatus.ERROR
        assert gateway.status.ha_status is HaStatus.ACTIVE

        node.driver.restart()
        await world.clock.advance(2.0)
        assert node.driver.held
        await world.clock.advance(5.0)
        assert world.connections("east-gw")["west"].status is ConnectionStatus.CONNECTED


async def test_without_a_default_route_nothing_is_announced_and_the_reason_is_told():
    world, node = one_node()
    node.kernel.routes.clear()

    async with running(node):
        await world.clock.advance(10.0)

        assert world.own_endpoints() == []
        assert "no IPv4 default route" in world.gateways()["east-gw"].status.status_failure


async def test_a_tunnel_that_carries_no_pings_is_in_error():
    world, node = one_node()
    world.peer_joins(**WEST, health_check_ip="10.245.0.1")

    async with running(node):
        await world.clock.advance(12.0)

        connection = world.connections("east-gw")["west"]
        assert connection.status is ConnectionStatus.ERROR
        assert "pings to the health-check address 10.245.0.1 got no answer" in connection.message


async def test_an_api_server_that_hangs_does_not_delay_the_repair_of_a_cable():
    world, node = one_node()
    world.peer_joins(**WEST)

    async with running(node):
        await world.clock.advance(10.0)
        node.line.stuck = True
        world.peer_joins("north", "10.98.0.0/16", "10.246.0.0/16")
        await world.clock.advance(2.0)
        node.driver.crash()
        await world.clock.advance(1.0)
        node.driver.restart()
        await world.clock.advance(1.0)

        assert [cable.cluster_id for cable in node.driver.held.values()] == ["west"]
