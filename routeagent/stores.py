"""What the route agent watches, and how it becomes one judgement of the world."""

from __future__ import annotations

from dataclasses import dataclass, field

from crds.cluster import Cluster, parse_cluster
from crds.endpoint import Endpoint, parse_endpoint
from crds.gateway import Gateway, parse_gateway
from crds.node import Node, parse_node
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, GATEWAYS, NODES
from isthmus.kube.store import Store
from isthmus.membership.judge import LocalCluster, Membership, judge
from routeagent.config import BACKENDS


@dataclass(frozen=True, slots=True)
class Stores:
    """One store per watched kind."""

    clusters: Store[Cluster] = field(default_factory=lambda: Store(CLUSTERS, parse_cluster))
    endpoints: Store[Endpoint] = field(default_factory=lambda: Store(ENDPOINTS, parse_endpoint))
    nodes: Store[Node] = field(default_factory=lambda: Store(NODES, parse_node))
    gateways: Store[Gateway] = field(default_factory=lambda: Store(GATEWAYS, parse_gateway))
    """Only told of, in the status: nothing waits for it."""

    def waiting_for(self) -> tuple[str, ...]:
        """Kinds that were never read in full yet, each with the reason if one is known."""
        views = (
            ("Cluster", self.clusters.view()),
            ("Endpoint", self.endpoints.view()),
            ("Node", self.nodes.view()),
        )
        return tuple(
            f"{kind} ({view.error})" if view.error else kind for kind, view in views if not view.synced
        )

    def troubles(self) -> tuple[str, ...]:
        """What is wrong with the watches at present."""
        views = (self.clusters.view(), self.endpoints.view(), self.nodes.view())
        return tuple(view.error for view in views if view.error)

    def membership(self, local: LocalCluster) -> Membership:
        """Judge the members by what the stores hold now."""
        clusters, endpoints = self.clusters.view(), self.endpoints.view()
        return judge(
            local,
            tuple(clusters.records.values()),
            tuple(endpoints.records.values()),
            clusters.invalid + endpoints.invalid,
            BACKENDS,
        )

    def sorted_nodes(self) -> tuple[Node, ...]:
        """This cluster's nodes by name."""
        return tuple(sorted(self.nodes.view().records.values(), key=lambda node: node.name))
