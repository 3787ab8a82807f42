"""Named worlds of the node east-gw, each a small change of another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any

from isthmus.kube.api import Object
from tests import builders


@dataclass(frozen=True, slots=True)
class World:
    """What the API server holds: objects by kind."""

    clusters: tuple[Object, ...] = ()
    endpoints: tuple[Object, ...] = ()
    nodes: tuple[Object, ...] = ()


def _node(name: str, address: str, **annotations: str) -> Object:
    return {
        "kind": "Node",
        "metadata": {
            "name": name,
            "annotations": {
                f"submariner.io/{key.replace('_', '-')}": text for key, text in annotations.items()
            },
        },
        "status": {"addresses": [{"type": "InternalIP", "address": address}]},
    }


def _own(hostname: str, private_ip: str, config: Mapping[str, str]) -> Object:
    return builders.endpoint_object(
        "east",
        "10.96.0.0/16",
        "10.244.0.0/16",
        hostname=hostname,
        private_ip=private_ip,
        config=config,
    )


def _member(cluster_id: str, services: str, pods: str) -> Object:
    return builders.cluster_object(cluster_id, services, pods=(pods,), origin=cluster_id)


def _endpoint(cluster_id: str, *subnets: str, **fields: Any) -> Object:
    return builders.endpoint_object(cluster_id, *subnets, origin=cluster_id, **fields)


HERE = _own("east-gw", "10.1.0.1", {"interface-name": "ipsec0"})
KERNEL_ESP = _own("east-gw", "10.1.0.1", {})
ELSEWHERE = _own("east-worker", "10.1.0.2", {"interface-name": "ipsec0"})
NODES = (_node("east-gw", "10.1.0.1"), _node("east-worker", "10.1.0.2"))
WEST = _endpoint("west", "10.97.0.0/16", "10.245.0.0/16", private_ip="172.16.0.1")
NORTH = _endpoint("north", "10.98.0.0/16", "10.246.0.0/16", private_ip="172.16.0.3")
CLUSTERS = (
    _member("west", "10.97.0.0/16", "10.245.0.0/16"),
    _member("north", "10.98.0.0/16", "10.246.0.0/16"),
    _member("south", "172.17.0.0/24", "172.17.1.0/24"),
    _member("greedy", "10.0.0.0/12", "10.99.0.0/16"),
)

PAIR = World(CLUSTERS, (HERE, WEST), NODES)

WORLDS: Mapping[str, World] = MappingProxyType(
    {
        "nobody": World((), (), NODES),
        "alone": replace(PAIR, endpoints=(HERE,)),
        "detached": replace(PAIR, endpoints=(WEST,)),
        "pair": PAIR,
        "three": replace(PAIR, endpoints=(HERE, WEST, NORTH)),
        "west_shrank": replace(PAIR, endpoints=(HERE, _endpoint("west", "10.245.0.0/16"))),
        "west_moved": replace(
            PAIR,
            endpoints=(HERE, _endpoint("west", "10.97.0.0/16", "10.245.0.0/16", private_ip="172.16.0.9")),
        ),
        "west_behind_itself": replace(
            PAIR, endpoints=(HERE, _endpoint("south", "172.17.0.0/24", private_ip="172.17.0.1"))
        ),
        "west_refused": replace(PAIR, endpoints=(HERE, _endpoint("west", "10.244.0.0/16"))),
        "greedy_refused": replace(PAIR, endpoints=(HERE, WEST, _endpoint("greedy", "10.0.0.0/12"))),
        "gateway_elsewhere": replace(PAIR, endpoints=(ELSEWHERE, WEST)),
        "kernel_esp": replace(PAIR, endpoints=(KERNEL_ESP, WEST)),
        "third_node": replace(PAIR, nodes=(*NODES, _node("east-three", "10.1.0.3"))),
        "fixed_mss": replace(PAIR, nodes=(_node("east-gw", "10.1.0.1", tcp_clamp_mss="1300"), NODES[1])),
    }
)
