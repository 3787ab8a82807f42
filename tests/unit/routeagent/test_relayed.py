from __future__ import annotations

from crds.endpoint import EndpointEcho
from crds.gateway import Connection, ConnectionStatus, Gateway, GatewayStatus, HaStatus
from crds.meta import ObjectRef
from crds.routeagent import RemoteEndpoint
from routeagent.relayed import relayed
from tests.builders import endpoint_spec

ECHO = EndpointEcho('{"cluster_id":"rogue"}')
REFUSAL = Connection(ConnectionStatus.ERROR, "refused: spec.subnets[0]: is not a network", ECHO)


def gateway(*connections: Connection, state: HaStatus = HaStatus.ACTIVE) -> Gateway:
    ref = ObjectRef("Gateway", "ns", "east-gw")
    return Gateway(ref, GatewayStatus("1.0", state, ECHO, "", connections), None)


def test_what_the_leading_gateway_refused_is_told_by_the_node():
    [entry] = relayed([gateway(REFUSAL)], ())

    assert entry == RemoteEndpoint(ConnectionStatus.ERROR, REFUSAL.message, ECHO)


def test_what_the_node_has_refused_itself_is_not_told_twice():
    assert relayed([gateway(REFUSAL)], [RemoteEndpoint(ConnectionStatus.ERROR, REFUSAL.message, ECHO)]) == ()


def test_a_connection_that_merely_fails_is_the_gateways_own_business():
    failing = Connection(
        ConnectionStatus.ERROR, "no answer from the peer", endpoint_spec("west", "10.2.0.0/16")
    )

    assert relayed([gateway(failing)], ()) == ()


def test_a_gateway_that_stands_by_has_nothing_to_relay():
    assert relayed([gateway(REFUSAL, state=HaStatus.PASSIVE)], ()) == ()
