"""What a lab consists of, as values: sites, clusters, nodes and pods, with every address worked out.

A topology is data: the default one is `default_topology()`, others are read from YAML (`load_topology`).
Addresses follow from positions, so equal topologies give equal labs:

    site n        172.31.n.0/24      the router is .1, the control plane of the site's k-th cluster .10+k
    cluster n     10.<10n>.0.0/16 pods, a /24 per node     10.<10n+5>.0.0/16 Services
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv4Network
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar

import yaml

from isthmus.reconcile.errors import Fatal

ProxyMode = Literal["iptables", "nftables"]
NAME = re.compile(r"[a-z]([a-z0-9-]{0,13}[a-z0-9])?")
RESERVED = ("wan", "lo")
"""The router's namespace, and a device that it has besides those of the sites."""


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """What a user says of a cluster; addresses follow from its position."""

    name: str
    workers: int = 1
    gateways: int = 1
    pods_per_node: int = 1
    proxy_mode: ProxyMode = "iptables"
    site: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A network namespace behind a node's bridge, and the Pod object that stands for it.

    It serves HTTP on TCP 8080 and echoes UDP 8080; a Service of the same name (port 80) selects it.
    """

    name: str
    address: IPv4Address


@dataclass(frozen=True, slots=True)
class Node:
    """A machine of a cluster: network, mount and process namespaces of its own."""

    name: str
    cluster: str
    site: str
    gateway: bool
    address: IPv4Interface
    pod_cidr: IPv4Network
    pods: tuple[Pod, ...]

    @property
    def bridge_address(self) -> IPv4Interface:
        """The node's address towards its pods, as a bridge CNI would give it."""
        return IPv4Interface((self.pod_cidr.network_address + 1, self.pod_cidr.prefixlen))


@dataclass(frozen=True, slots=True)
class Cluster:
    """One Kubernetes cluster with its control plane at a site."""

    name: str
    site: str
    control_plane: IPv4Interface
    pod_cidr: IPv4Network
    service_cidr: IPv4Network
    proxy_mode: ProxyMode
    nodes: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Site:
    """One layer-2 network; sites meet only at the WAN's router."""

    name: str
    network: IPv4Network

    @property
    def router(self) -> IPv4Interface:
        return IPv4Interface((self.network.network_address + 1, self.network.prefixlen))


@dataclass(frozen=True, slots=True)
class Topology:
    """A whole lab; `shapes` is what it was worked out from."""

    shapes: tuple[ClusterShape, ...]
    sites: tuple[Site, ...]
    clusters: tuple[Cluster, ...]

    @property
    def nodes(self) -> tuple[Node, ...]:
        return tuple(node for cluster in self.clusters for node in cluster.nodes)

    def cluster(self, name: str) -> Cluster:
        """The cluster called *name*; Fatal with the known names otherwise."""
        return _named(self.clusters, name, "cluster")

    def node(self, name: str) -> Node:
        return _named(self.nodes, name, "node")

    def site(self, name: str) -> Site:
        return _named(self.sites, name, "site")


class _Named(Protocol):
    @property
    def name(self) -> str: ...


T = TypeVar("T", bound=_Named)


def _named(things: tuple[T, ...], name: str, kind: str) -> T:
    for thing in things:
        if thing.name == name:
            return thing
    known = ", ".join(thing.name for thing in things)
    raise Fatal(f"there is no {kind} {name!r} in this lab; there is {known}")


def default_topology(proxy_mode: ProxyMode = "iptables") -> Topology:
    """Two clusters, each with a gateway node and a worker, at a site each."""
    return build((ClusterShape("east", proxy_mode=proxy_mode), ClusterShape("west", proxy_mode=proxy_mode)))


def build(shapes: tuple[ClusterShape, ...]) -> Topology:
    """Work out every name and address; Fatal if a name is unusable or there are too many of something."""
    if not shapes:
        raise Fatal("a lab needs at least one cluster")
    names = [shape.name for shape in shapes]
    for shape in shapes:
        if not NAME.fullmatch(shape.name):
            raise Fatal(f"cluster {shape.name!r}: use up to 15 lower-case letters, digits and dashes")
        if names.count(shape.name) > 1:
            raise Fatal(f"cluster {shape.name!r} appears twice: give each cluster a name of its own")
        if min(shape.gateways - 1, shape.workers, shape.pods_per_node) < 0 or _is_crowded(shape):
            raise Fatal(
                f"cluster {shape.name!r}: a cluster has 1 to 40 nodes, a gateway among them, 100 pods each"
            )
    _check_names(shapes)
    if len(shapes) > 24:
        raise Fatal("a lab has at most 24 clusters: their address ranges are taken from 10.0.0.0/8")
    site_names = list(dict.fromkeys(shape.site or shape.name for shape in shapes))
    sites = {
        name: Site(name, IPv4Network(f"172.31.{number}.0/24"))
        for number, name in enumerate(site_names, start=1)
    }
    clusters = []
    used: dict[str, int] = {}
    for number, shape in enumerate(shapes, start=1):
        site = sites[shape.site or shape.name]
        clusters.append(_cluster(number, shape, site, used.setdefault(site.name, 0)))
        used[site.name] += 1
    return Topology(shapes, tuple(sites.values()), tuple(clusters))


def _is_crowded(shape: ClusterShape) -> bool:
    return shape.gateways + shape.workers > 40 or shape.pods_per_node > 100


def _check_names(shapes: tuple[ClusterShape, ...]) -> None:
    """Refuse names that would mean two places of one lab."""
    names = [shape.name for shape in shapes]
    for shape in shapes:
        if shape.site and not NAME.fullmatch(shape.site):
            raise Fatal(f"site {shape.site!r}: use up to 15 lower-case letters, digits and dashes")
        if shape.name in RESERVED or shape.site in RESERVED or shape.name.startswith("site-"):
            raise Fatal(f"cluster {shape.name!r}: the lab itself uses this name or its site's, take another")
        for other in names:
            if shape.name.startswith(f"{other}-"):
                raise Fatal(
                    f"cluster {shape.name!r}: nodes of {other!r} are called like that, take another name"
                )


def _cluster(number: int, shape: ClusterShape, site: Site, position: int) -> Cluster:
    pods = IPv4Network(f"10.{number * 10}.0.0/16")
    blocks = list(pods.subnets(new_prefix=24))
    roles = ["gateway"] * shape.gateways + ["worker"] * shape.workers
    nodes = tuple(
        _node(shape, site, blocks[index], position, index, role) for index, role in enumerate(roles)
    )
    return Cluster(
        name=shape.name,
        site=site.name,
        control_plane=_at(site, 10 + position),
        pod_cidr=pods,
        service_cidr=IPv4Network(f"10.{number * 10 + 5}.0.0/16"),
        proxy_mode=shape.proxy_mode,
        nodes=nodes,
    )


def _node(shape: ClusterShape, site: Site, block: IPv4Network, position: int, index: int, role: str) -> Node:
    twins = shape.gateways if role == "gateway" else shape.workers
    ordinal = index if role == "gateway" else index - shape.gateways
    suffix = role if twins == 1 else f"{role}-{ordinal + 1}"
    return Node(
        name=f"{shape.name}-{suffix}",
        cluster=shape.name,
        site=site.name,
        gateway=role == "gateway",
        address=_at(site, 50 + position * 40 + index),
        pod_cidr=block,
        pods=tuple(
            Pod(
                f"web-{suffix}" if count == 0 else f"web-{suffix}-{count}", block.network_address + 10 + count
            )
            for count in range(shape.pods_per_node)
        ),
    )


def _at(site: Site, offset: int) -> IPv4Interface:
    if offset > 250:
        raise Fatal(f"site {site.name!r} is full: put some of its clusters at another site")
    return IPv4Interface((site.network.network_address + offset, site.network.prefixlen))


def load_topology(path: Path) -> Topology:
    """Read a topology from YAML: `clusters:` is a list of `ClusterShape` fields."""
    try:
        raw = yaml.safe_load(path.read_text(encoding="utf-8"))
        shapes = tuple(_shape(entry) for entry in raw["clusters"])
    except (OSError, yaml.YAMLError, KeyError, TypeError) as error:
        fields = ", ".join(ClusterShape.__dataclass_fields__)
        raise Fatal(f"{path}: expected `clusters:`, a list with the fields {fields}: {error}") from error
    for shape in shapes:
        if shape.proxy_mode not in ("iptables", "nftables"):
            raise Fatal(f"{path}: cluster {shape.name!r}: proxy_mode is iptables or nftables")
    return build(shapes)


def _shape(entry: dict[str, Any]) -> ClusterShape:
    """One cluster as a file gives it; TypeError names a field whose value is of the wrong kind."""
    shape = ClusterShape(**entry)
    for name, example in asdict(ClusterShape("")).items():
        value = getattr(shape, name)
        if type(value) is not type(example):
            raise TypeError(f"{name} is {value!r}, not a {'number' if type(example) is int else 'text'}")
    return shape


def dump_topology(topology: Topology) -> str:
    """The YAML that `load_topology` reads back to the same topology."""
    return yaml.safe_dump({"clusters": [asdict(shape) for shape in topology.shapes]}, sort_keys=False)
