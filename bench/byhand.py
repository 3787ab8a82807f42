"""What Isthmus is compared with, built in the same lab: sites by hand, once encrypted and once in the clear.

Each comparison is a pair of clusters without control plane, one at each site of the lab: the same namespaces,
links, bridges, masquerading and kube-proxy rules as the lab's own nodes have, on the same switches and the
same WAN router.

    clear   plain routes: each node's Pods are routed to it at the router
    byhand  strongSwan with the lab's strongswan.conf and a swanctl.conf with Isthmus's proposals; VXLAN from
            worker to gateway, policy rule 150 and a route into the tunnel, all set with `ip`
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from bench import handipsec
from isthmus.charon.conf import CharonSettings, render_strongswan_conf
from isthmus.lab import charon, network, process
from isthmus.lab.lab import Lab
from isthmus.lab.state import MARK
from isthmus.lab.topology import Cluster, ClusterShape, Node, Pod, Topology, build

OWN = ("east", "west")
CLEAR = ("cleareast", "clearwest")
BYHAND = ("handeast", "handwest")
START_SECONDS = 15.0
VXLAN = "vxhand"
VXLAN_MTU = 1450
LOOSE = {"net.ipv4.conf.all.rp_filter": "2"}


@dataclass(frozen=True, slots=True)
class Comparison:
    """The lab and the whole topology: the lab's own two clusters first, then the pairs built here."""

    lab: Lab
    topology: Topology

    def pod_namespace(self, cluster: str, role: str) -> str:
        """The network namespace of the Pod on *cluster*'s node of that role."""
        return self.lab.paths.namespace(network.pod_place(cluster, self.pod(cluster, role).name))

    def pod(self, cluster: str, role: str) -> Pod:
        return self.topology.node(f"{cluster}-{role}").pods[0]


def compared(lab: Lab) -> Comparison:
    """Work out the addresses; nothing is made yet."""
    pairs = (*zip(CLEAR, OWN, strict=True), *zip(BYHAND, OWN, strict=True))
    shapes = tuple(ClusterShape(name, site=site) for name, site in pairs)
    return Comparison(lab, build((*lab.topology.shapes, *shapes)))


def build_all(comparison: Comparison) -> None:
    """Make both pairs and start the tunnel of the one by hand."""
    for names in (CLEAR, BYHAND):
        pair = [comparison.topology.cluster(name) for name in names]
        for cluster, other in (pair, reversed(pair)):
            for node in cluster.nodes:
                _make_node(comparison, cluster, node, other)
    for name in CLEAR:
        _route_in_the_clear(comparison, comparison.topology.cluster(name))
    sides = [comparison.topology.cluster(name) for name in BYHAND]
    for cluster, other in (sides, reversed(sides)):
        _start_charon(comparison, cluster)
        _carry_by_hand(comparison, cluster, other)
    _start_tunnel(comparison, sides[0], sides[1])


def _make_node(comparison: Comparison, cluster: Cluster, node: Node, other: Cluster) -> None:
    paths = comparison.lab.paths
    site = comparison.topology.site(node.site)
    pods = [network.pod_place(cluster.name, pod.name) for pod in node.pods]
    for place in (node.name, *pods):
        process.check(["ip", "netns", "add", paths.namespace(place)])
    network.apply(paths, node.name, network.node_commands(paths, cluster, node, site))
    network.set_sysctls(paths, node.name, network.NODE_SYSCTLS | LOOSE)
    for port, (place, pod) in enumerate(zip(pods, node.pods, strict=True)):
        network.apply(paths, place, network.pod_commands(paths, node, pod, port))
    network.apply(paths, node.name, network.bridge_commands(node))
    plug = f"link set {network.port_name('n', node.address)} master lan up"
    network.apply(paths, network.site_place(site), [plug])
    inside = ["ip", "netns", "exec", paths.namespace(node.name)]
    process.check([*inside, "iptables-restore", "--noflush"], stdin=network.masquerade_rules(cluster))
    keep = ["iptables", "-t", "nat", "-I", "POSTROUTING", "-d", str(other.pod_cidr), "-j", "ACCEPT"]
    process.check([*inside, *keep])
    process.check([*inside, "iptables-restore", "--noflush"], stdin=_kube_proxy_rules(comparison, node))


def _kube_proxy_rules(comparison: Comparison, node: Node) -> str:
    """What kube-proxy set on the lab's node of that role at that site.

    Every packet passes those rules on every node of a cluster, whoever brings it: without them here, their
    price would be put down to Isthmus.
    """
    role = "gateway" if node.gateway else "worker"
    theirs = comparison.lab.paths.namespace(f"{node.site}-{role}")
    saved = process.check(["ip", "netns", "exec", theirs, "iptables-save"]).splitlines()
    # Counters of nfacct are named by a rule and live outside of the rules.
    strange = ("SUBMARINER-", "CNI-MASQ", "nfacct")
    return "".join(f"{line}\n" for line in saved if not any(word in line for word in strange))


def _route_in_the_clear(comparison: Comparison, cluster: Cluster) -> None:
    routes = [f"route add {node.pod_cidr} via {node.address.ip}" for node in cluster.nodes]
    network.apply(comparison.lab.paths, network.WAN, routes)


def _nodes(cluster: Cluster) -> tuple[Node, Node]:
    gateway = next(node for node in cluster.nodes if node.gateway)
    return gateway, next(node for node in cluster.nodes if not node.gateway)


def _overlay(address: IPv4Address) -> IPv4Address:
    return IPv4Address(240 << 24 | int(address) & 0xFFFFFF)


def _carry_by_hand(comparison: Comparison, cluster: Cluster, other: Cluster) -> None:
    """VXLAN between worker and gateway, and the ways to the other side's Pods."""
    gateway, worker = _nodes(cluster)
    ends = ((gateway, worker), (worker, gateway))
    for node, partner in ends:
        commands = [
            f"link add {VXLAN} type vxlan id 100 dstport 4800 local {node.address.ip} "
            f"remote {partner.address.ip}",
            f"address add {_overlay(node.address.ip)}/8 dev {VXLAN}",
            f"link set {VXLAN} mtu {VXLAN_MTU} up",
        ]
        network.apply(comparison.lab.paths, node.name, commands)
    esp = charon.detect_esp()
    device = "ipsec0" if esp == "libipsec" else "eth0"
    network.apply(
        comparison.lab.paths,
        gateway.name,
        [
            # libipsec wants an address of every local traffic selector (the Service network's own).
            f"address add {cluster.service_cidr.network_address}/32 dev lo",
            "rule add priority 150 lookup 150",
            f"route add {other.pod_cidr} dev {device} table 150 src {gateway.bridge_address.ip}",
        ],
    )
    way = f"route add {other.pod_cidr} via {_overlay(gateway.address.ip)} dev {VXLAN}"
    network.apply(comparison.lab.paths, worker.name, [f"{way} src {worker.bridge_address.ip}"])


def _start_charon(comparison: Comparison, cluster: Cluster) -> None:
    gateway, _ = _nodes(cluster)
    settings = _settings(comparison, gateway)
    settings.run_dir.mkdir(parents=True)
    configuration = settings.run_dir / "strongswan.conf"
    configuration.write_text(render_strongswan_conf(settings), encoding="utf-8")
    process.spawn(
        ["ip", "netns", "exec", comparison.lab.paths.namespace(gateway.name), charon.find_charon()],
        log=settings.run_dir / "charon.out",
        env={"STRONGSWAN_CONF": str(configuration), MARK: comparison.lab.paths.name},
    )
    deadline = time.monotonic() + START_SECONDS
    command = ["ip", "-n", comparison.lab.paths.namespace(gateway.name), "link", "show", "ipsec0"]
    while not settings.vici_path.exists() or (settings.esp == "libipsec" and not process.run(command).ok):
        if time.monotonic() > deadline:
            raise process.ProgramFailed(process.run(["tail", "-n", "5", str(settings.log_file)]))
        time.sleep(0.05)


def _settings(comparison: Comparison, gateway: Node) -> CharonSettings:
    run_dir = comparison.lab.paths.directory / "byhand" / gateway.name
    log: Path = run_dir / "charon.log"
    return CharonSettings(run_dir=run_dir, esp=charon.detect_esp(), log_file=log)


def _start_tunnel(comparison: Comparison, caller: Cluster, called: Cluster) -> None:
    """Load both sides' configuration and let the first one call."""
    for cluster, other in ((called, caller), (caller, called)):
        settings = _settings(comparison, _nodes(cluster)[0])
        file = settings.run_dir / "swanctl.conf"
        file.write_text(handipsec.render_swanctl(_end(cluster), _end(other)), encoding="utf-8")
        _swanctl(settings, ["--load-all", "--file", str(file)])
    _swanctl(_settings(comparison, _nodes(caller)[0]), ["--initiate", "--child", handipsec.CHILD])


def _end(cluster: Cluster) -> handipsec.End:
    return handipsec.End(_nodes(cluster)[0].address.ip, (cluster.service_cidr, cluster.pod_cidr))


def _swanctl(settings: CharonSettings, words: Sequence[str]) -> None:
    process.check(["swanctl", *words, "--uri", settings.vici_uri])
