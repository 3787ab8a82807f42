"""A broker and a joining cluster in memory, as the commands' tests need them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import Any

from broker.access import admin_objects
from broker.info import BrokerInfo
from crds.cluster import render_cluster
from crds.meta import ClusterId
from isthmus.cli.apply import Target
from isthmus.cli.join import Invitation, join
from isthmus.cli.joinplan import JoinArguments
from isthmus.cli.output import Progress
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, RESOURCE_BY_KIND, ROUTE_AGENTS
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube

BROKER_NAMESPACE = "submariner-k8s-broker"
BROKER_SERVER = "https://192.0.2.9:6443"
ARGUMENTS = JoinArguments("west", "10.1.0.0/16", "10.96.0.0/16")
OURS = (CLUSTERS, ENDPOINTS, GATEWAYS, ROUTE_AGENTS)


def node(name: str, **labels: str) -> dict[str, Any]:
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}}


def fresh_cluster() -> FakeKube:
    """A cluster with two nodes that knows none of our kinds."""
    served = tuple(resource for resource in RESOURCE_BY_KIND.values() if resource not in OURS)
    return FakeKube([node("n1"), node("n2")], served=served, server="https://local:6443")


def fresh_broker() -> FakeKube:
    """A broker that has just been deployed."""
    return FakeKube(
        admin_objects(BROKER_NAMESPACE), namespaces=("kube-system", BROKER_NAMESPACE), server=BROKER_SERVER
    )


def member_cluster(cluster_id: str, service: str, pods: str) -> dict[str, Any]:
    return render_cluster(
        ClusterId(cluster_id), [ip_network(service)], [ip_network(pods)], [], BROKER_NAMESPACE
    )


@dataclass(slots=True)
class World:
    """The two API servers of a join, and what its user was told."""

    local: FakeKube = field(default_factory=fresh_cluster)
    broker: FakeKube = field(default_factory=fresh_broker)
    said: io.StringIO = field(default_factory=io.StringIO)
    clock: FakeClock = field(default_factory=FakeClock)

    @property
    def target(self) -> Target:
        return Target(self.local, Progress(self.said), self.clock)

    @property
    def at_broker(self) -> Target:
        return Target(self.broker, Progress(self.said), self.clock)

    async def join(self, arguments: JoinArguments = ARGUMENTS) -> str:
        return await join(self.target, self.broker, INVITATION, arguments, "kubernetes")


INVITATION = Invitation(
    BrokerInfo(BROKER_SERVER, BROKER_NAMESPACE, b"CA", "admin-token", b"k" * 48), BROKER_SERVER
)
