"""The lab's networks as `ip` commands: sites, the WAN's router, nodes, pods, control planes.

    pod ── cni0 ─ node ─ eth0 ── lan ─ site ─ wan ── <site> ─ router ─ <other site> ── …

A site is a switch; the router (namespace `wan`) has one interface per site, named after it, and is the only
way from site to site. Rendering is pure: each function returns the lines for `ip -batch` in one namespace.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Iterable
from ipaddress import IPv4Interface, IPv4Network

from isthmus.lab import process
from isthmus.lab.state import LabPaths
from isthmus.lab.topology import Cluster, Node, Pod, Site, Topology

WAN = "wan"
HOST_RANGE = IPv4Network("198.18.0.0/15")
"""Benchmark addresses (RFC 2544): for the one link per cluster between this machine and its control plane."""

ROUTER_SYSCTLS = {"net.ipv4.ip_forward": "1", "net.ipv4.conf.all.rp_filter": "0"}
NODE_SYSCTLS = {
    "net.ipv4.ip_forward": "1",
    # Strict, so that what Isthmus must loosen shows.
    "net.ipv4.conf.all.rp_filter": "0",
    "net.ipv4.conf.default.rp_filter": "1",
    "net.ipv4.conf.eth0.rp_filter": "1",
    "net.ipv4.conf.cni0.rp_filter": "1",
}


def site_place(site: Site) -> str:
    return f"site-{site.name}"


def pod_place(cluster: str, pod: str) -> str:
    return f"{cluster}-{pod}"


def places(topology: Topology) -> list[str]:
    """Every namespace of the lab but the nodes' process namespaces."""
    return [
        WAN,
        *(site_place(site) for site in topology.sites),
        *(cluster.name for cluster in topology.clusters),
        *(node.name for node in topology.nodes),
        *(pod_place(node.cluster, pod.name) for node in topology.nodes for pod in node.pods),
    ]


def host_link(paths: LabPaths, position: int) -> tuple[str, IPv4Interface, IPv4Interface]:
    """Name and the two addresses of the link to the control plane at *position*: ours and its own."""
    # 32 links for each of 2,048 labs.
    offset = (int.from_bytes(_digest(paths)[:2], "big") % 2048) * 64 + position * 2
    ours = HOST_RANGE.network_address + offset
    return f"{_host_prefix(paths)}{position}", IPv4Interface((ours, 31)), IPv4Interface((ours + 1, 31))


def host_links(paths: LabPaths) -> list[str]:
    """The lab's links in this machine's own namespace, as they are there now."""
    return sorted(name for _, name in socket.if_nameindex() if name.startswith(_host_prefix(paths)))


def _host_prefix(paths: LabPaths) -> str:
    """Short, since a link's name has 15 characters at most: the lab's own may take them all."""
    return f"isl{_digest(paths).hex()[:6]}-"


def _digest(paths: LabPaths) -> bytes:
    return hashlib.sha256(paths.name.encode()).digest()


def router_commands(paths: LabPaths, topology: Topology) -> list[str]:
    """In the router: one interface per site."""
    commands = ["link set lo up"]
    for site in topology.sites:
        peer = paths.namespace(site_place(site))
        commands += [
            f"link add {site.name} type veth peer name wan netns {peer}",
            f"address add {site.router} dev {site.name}",
            f"link set {site.name} up",
        ]
    return commands


def site_commands(ports: Iterable[str]) -> list[str]:
    """In a site: a switch with the router, the nodes and the control planes on it."""
    commands = ["link set lo up", "link add lan type bridge", "link set lan up"]
    commands += [f"link set {port} master lan up" for port in ("wan", *ports)]
    # The router hears what is addressed to it, not what the switch has yet to learn.
    return [*commands, "link set wan type bridge_slave flood off"]


def port_name(prefix: str, address: IPv4Interface) -> str:
    """The switch port of the machine at *address*; unique within a site."""
    return f"{prefix}{str(address.ip).rpartition('.')[2]}"


def node_commands(paths: LabPaths, cluster: Cluster, node: Node, site: Site) -> list[str]:
    """In a node: its uplink, the pods' bridge, and routes to the other nodes' pods (host-gateway)."""
    commands = [
        "link set lo up",
        f"link add eth0 type veth peer name {port_name('n', node.address)} netns "
        f"{paths.namespace(site_place(site))}",
        f"address add {node.address} dev eth0",
        "link set eth0 up",
        f"route add default via {site.router.ip}",
        "link add cni0 type bridge",
        f"address add {node.bridge_address} dev cni0",
        "link set cni0 up",
    ]
    commands += [
        f"route add {other.pod_cidr} via {other.address.ip}" for other in cluster.nodes if other != node
    ]
    return commands


def api_routes(paths: LabPaths, topology: Topology, site: Site) -> list[str]:
    """On a site's nodes and in the router: the way to the API servers there.

    They have addresses that differ between labs, so that this machine reaches each by the same address as its
    nodes do.
    """
    return [
        f"route add {host_link(paths, position)[2].ip} via {cluster.control_plane.ip}"
        for position, cluster in enumerate(topology.clusters)
        if cluster.site == site.name
    ]


def pod_commands(paths: LabPaths, node: Node, pod: Pod, port: int) -> list[str]:
    """In a pod: one interface, plugged into its node's bridge."""
    return [
        "link set lo up",
        f"link add eth0 type veth peer name pod{port} netns {paths.namespace(node.name)}",
        f"address add {pod.address}/{node.pod_cidr.prefixlen} dev eth0",
        "link set eth0 up",
        f"route add default via {node.bridge_address.ip}",
    ]


def bridge_commands(node: Node) -> list[str]:
    """In a node, once its pods' interfaces are there: plug them in; hairpin as bridge CNIs do."""
    return [
        command
        for port in range(len(node.pods))
        for command in (
            f"link set pod{port} master cni0 up",
            f"link set pod{port} type bridge_slave hairpin on",
        )
    ]


def control_plane_commands(paths: LabPaths, cluster: Cluster, site: Site) -> list[str]:
    """In a control plane: its uplink and routes to the pods (webhooks, aggregated APIs)."""
    return [
        "link set lo up",
        f"link add eth0 type veth peer name {port_name('c', cluster.control_plane)} netns "
        f"{paths.namespace(site_place(site))}",
        f"address add {cluster.control_plane} dev eth0",
        "link set eth0 up",
        f"route add default via {site.router.ip}",
        *(
            f"route add {node.pod_cidr} via {node.address.ip}"
            for node in cluster.nodes
            if node.site == site.name
        ),
    ]


def masquerade_rules(cluster: Cluster) -> str:
    """`iptables-restore` text: pods leave the cluster with their node's address, as with bridge CNIs."""
    return (
        "*nat\n:CNI-MASQ - [0:0]\n"
        f"-A POSTROUTING -s {cluster.pod_cidr} ! -d {cluster.pod_cidr} -j CNI-MASQ\n"
        "-A CNI-MASQ -d 224.0.0.0/4 -j RETURN\n-A CNI-MASQ -j MASQUERADE\nCOMMIT\n"
    )


def ports_of(topology: Topology, site: Site) -> list[str]:
    """Switch ports of *site*'s machines."""
    ports = [port_name("n", node.address) for node in topology.nodes if node.site == site.name]
    return ports + [port_name("c", c.control_plane) for c in topology.clusters if c.site == site.name]


def apply(paths: LabPaths, place: str, commands: list[str]) -> None:
    """Run `ip` commands inside the namespace of *place*."""
    process.check(["ip", "-n", paths.namespace(place), "-batch", "-"], stdin="\n".join(commands) + "\n")


def set_sysctls(paths: LabPaths, place: str, values: dict[str, str]) -> None:
    """Set kernel values inside the namespace of *place*."""
    settings = [f"{name}={value}" for name, value in values.items()]
    process.check(["ip", "netns", "exec", paths.namespace(place), "sysctl", "-q", "-w", *settings])
