"""Two clusters of two nodes with one Pod each, in private namespaces; the tunnel is a plain pair of devices,
or whatever else a test brings between the two gateways.

Between the sites stands a router that knows no Pod and no Service network and counts every packet for them:
the tunnel's own packets do not pass it, so whatever it counts left in the clear. The nodes are as unkind as
nodes can be: strict reverse path filters, forwarding and input closed by default, a CNI that masquerades in
both directions, and kube-proxy's marks and masquerading, done by hand.
"""

from __future__ import annotations

import asyncio
import secrets
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from crds.endpoint import Endpoint
from crds.meta import ClusterId, NodeName
from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.facts import host_facts
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.netlink import kernel_netlink
from isthmus.dataplane.sysctl import KernelSysctl, OriginalsFile
from isthmus.membership.judge import LocalCluster, Membership, Peer
from routeagent.apply import Host, apply_plan
from routeagent.plan.node import plan_node
from routeagent.snapshot import Snapshot
from tests import builders, netns
from tests.unit.routeagent.worlds import node as node_record

PORT = 8080
TUNNEL_MTU = 1400
SERVER = Path(__file__).with_name("echoserver.py")
CLIENT = Path(__file__).with_name("echoclient.py")


@dataclass(frozen=True, slots=True)
class Site:
    """One cluster: the second octets of its networks, and its gateway's end of the tunnel."""

    name: str
    lan: int
    pods: int
    services: int

    @property
    def pod_cidr(self) -> str:
        return f"10.{self.pods}.0.0/16"

    @property
    def service_cidr(self) -> str:
        return f"10.{self.services}.0.0/16"

    def cluster_ip(self, number: int) -> str:
        """The Service in front of the Pod of the node *number*."""
        return f"10.{self.services}.0.{80 + number}"

    def pod(self, number: int) -> str:
        return f"10.{self.pods}.{number}.2"

    def cni(self, number: int) -> str:
        return f"10.{self.pods}.{number}.1"

    def address(self, number: int) -> str:
        return f"10.{self.lan}.0.{number}"


EAST, WEST = Site("east", 1, 244, 96), Site("west", 2, 245, 97)
SITES = (EAST, WEST)
GATEWAY, WORKER = 1, 2
NUMBERS = (GATEWAY, WORKER)


@dataclass(slots=True)
class Rig:
    """The namespaces by what they stand for; `state` holds the nodes' kept settings."""

    token: str
    state: Path
    servers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def node(self, site: Site, number: int) -> str:
        return f"{netns.PREFIX}{self.token}-{site.name}{number}"

    def pod(self, site: Site, number: int) -> str:
        return f"{self.node(site, number)}p"

    @property
    def wan(self) -> str:
        return f"{netns.PREFIX}{self.token}-wan"

    def names(self) -> list[str]:
        pairs = [(site, number) for site in SITES for number in NUMBERS]
        return [self.wan, *(self.node(*pair) for pair in pairs), *(self.pod(*pair) for pair in pairs)]

    def run(self, namespace: str, *argv: str) -> str:
        return netns.run("ip", "netns", "exec", namespace, *argv)

    def clear_packets(self) -> int:
        """Packets for Pods or Services that the router between the sites has seen."""
        shown = self.run(self.wan, "iptables-nft", "-t", "raw", "-nvxL", "PREROUTING")
        return sum(int(line.split()[0]) for line in shown.splitlines()[2:])

    def ask(
        self, namespace: str, protocol: str, address: str, *, kilobytes: int = 1, source: str = ""
    ) -> str:
        """What the server at *address* answers: its name and the client's address, or why there is none."""
        target = [protocol, address, str(PORT), str(kilobytes), *([source] if source else [])]
        return self.run(namespace, sys.executable, str(CLIENT), *target).strip()

    def apply(self, site: Site, number: int, *others: Endpoint, cable: str | None = "ipsec0") -> int:
        """One pass of the route agent's plan on a node; *others* are members besides the two sites.

        *cable* None stands for IPsec in the kernel. Returns the number of writes.
        """
        with netns.inside(self.node(site, number)):
            return asyncio.run(self._apply(site, number, others, cable))

    async def _apply(self, site: Site, number: int, others: Sequence[Endpoint], cable: str | None) -> int:
        [other] = [one for one in SITES if one is not site]
        local = LocalCluster(
            ClusterId(site.name), builders.networks(site.service_cidr), builders.networks(site.pod_cidr)
        )
        async with kernel_netlink() as netlink:
            facts = await host_facts(netlink, 4, local.cluster_cidrs)
            own, peers = _endpoint(site, None, cable), [_endpoint(other, other.name, cable), *others]
            snapshot = Snapshot(
                node=NodeName(f"{site.name}-{number}"),
                host=facts,
                local=local,
                membership=Membership(own, tuple(Peer(peer.spec.cluster_id, peer) for peer in peers)),
                nodes=tuple(node_record(f"{site.name}-{each}", site.address(each)) for each in NUMBERS),
            )
            originals = OriginalsFile(self.state / f"{site.name}-{number}.json")
            packet_filter = kernel_packet_filter(SystemCommand(), 4, "nft")
            host = Host(netlink, packet_filter, KernelSysctl(), originals)
            applied = await apply_plan(host, plan_node(snapshot, 4))
        failures = [error for outcome in applied.outcomes for error in outcome.failures]
        assert failures == []
        return sum(outcome.writes for outcome in applied.outcomes)


def _endpoint(site: Site, origin: str | None, cable: str | None) -> Endpoint:
    return builders.endpoint(
        site.name,
        site.service_cidr,
        site.pod_cidr,
        origin=origin,
        hostname=f"{site.name}-{GATEWAY}",
        private_ip=site.address(GATEWAY),
        config={"interface-name": cable} if cable else {},
    )


def join_by_veth(rig: Rig) -> None:
    """The tunnel as a device `ipsec0` at both gateways: what goes in at one end comes out at the other."""
    ends = [rig.node(site, GATEWAY) for site in SITES]
    netns.run(
        *("ip", "-n", ends[0], "link", "add", "ipsec0", "type", "veth"),
        *("peer", "name", "ipsec0", "netns", ends[1]),
    )
    for end in ends:
        # A tunnel has no MACs: without ARP the kernel takes the device's own, here also the peer's.
        rig.run(end, "ip", "link", "set", "ipsec0", "arp", "off", "address", "02:00:00:00:00:99")
        rig.run(end, "ip", "link", "set", "ipsec0", "mtu", str(TUNNEL_MTU), "up")


@contextmanager
def two_clusters(state: Path, join: Callable[[Rig], None] = join_by_veth) -> Iterator[Rig]:
    """The rig with its servers running and nothing of ours applied yet; *join* lays the tunnel."""
    rig = Rig(secrets.token_hex(2), state)
    try:
        for name in rig.names():
            netns.create(name)
        _build_wan(rig)
        for site in SITES:
            for number in NUMBERS:
                _build_node(rig, site, number)
        join(rig)
        for site in SITES:
            for number in NUMBERS:
                _start_server(rig, site, number)
        for server in rig.servers:
            assert server.stdout is not None
            assert server.stdout.readline() == b"ready\n"
        yield rig
    finally:
        for server in rig.servers:
            with server:
                server.kill()
        for name in rig.names():
            netns.remove(name)


def _build_wan(rig: Rig) -> None:
    # What passes between two nodes of one site is bridged, and no packet between sites.
    rig.run(rig.wan, "sysctl", "-qw", "net.ipv4.ip_forward=1", "net.bridge.bridge-nf-call-iptables=0")
    for site in SITES:
        rig.run(rig.wan, "ip", "link", "add", site.name, "type", "bridge")
        rig.run(rig.wan, "ip", "address", "add", f"10.{site.lan}.0.254/24", "dev", site.name)
        rig.run(rig.wan, "ip", "link", "set", site.name, "up")
        for cidr in (site.pod_cidr, site.service_cidr):
            rig.run(rig.wan, "iptables-nft", "-t", "raw", "-A", "PREROUTING", "-d", cidr)


def _build_node(rig: Rig, site: Site, number: int) -> None:
    name, other = rig.node(site, number), NUMBERS[0] + NUMBERS[1] - number
    for setting in ("all.rp_filter=1", "default.rp_filter=1"):
        rig.run(name, "sysctl", "-qw", f"net.ipv4.conf.{setting}")
    _cable(rig, name, "eth0", rig.wan, f"{site.name}{number}", site.name)
    rig.run(name, "ip", "address", "add", f"{site.address(number)}/24", "dev", "eth0")
    rig.run(name, "ip", "route", "add", "default", "via", f"10.{site.lan}.0.254")
    rig.run(name, "ip", "route", "add", f"10.{site.pods}.{other}.0/24", "via", site.address(other))
    rig.run(name, "ip", "link", "add", "cni0", "type", "bridge")
    rig.run(name, "ip", "address", "add", f"{site.cni(number)}/24", "dev", "cni0")
    rig.run(name, "ip", "link", "set", "cni0", "up")
    pod = rig.pod(site, number)
    _cable(rig, pod, "eth0", name, "pod", "cni0")
    rig.run(pod, "ip", "address", "add", f"{site.pod(number)}/24", "dev", "eth0")
    rig.run(pod, "ip", "route", "add", "default", "via", site.cni(number))
    netns.run("ip", "netns", "exec", name, "iptables-nft-restore", stdin=_unkind_rules(site))


def _cable(rig: Rig, inner: str, device: str, outer: str, end: str, bridge: str) -> None:
    netns.run("ip", "-n", inner, "link", "add", device, "type", "veth", "peer", "name", end, "netns", outer)
    rig.run(inner, "ip", "link", "set", device, "up")
    rig.run(outer, "ip", "link", "set", end, "up", "master", bridge)


def _unkind_rules(site: Site) -> str:
    translations = [
        f"-A {chain} -d {site.cluster_ip(number)} -p {protocol} --dport {PORT} -j SERVICE{number}"
        for chain in ("PREROUTING", "OUTPUT")
        for protocol in ("tcp", "udp")
        for number in NUMBERS
    ]
    services = [
        line
        for number in NUMBERS
        for line in (
            f"-A SERVICE{number} ! -s {site.pod_cidr} -j MARK --or-mark 0x4000",
            *(
                f"-A SERVICE{number} -p {p} -j DNAT --to-destination {site.pod(number)}"
                for p in ("tcp", "udp")
            ),
        )
    ]
    lines = [
        "*nat",
        *(f":SERVICE{number} -" for number in NUMBERS),
        *translations,
        *services,
        "-A POSTROUTING -m mark --mark 0x4000/0x4000 -j MASQUERADE",
        f"-A POSTROUTING -s {site.pod_cidr} ! -d {site.pod_cidr} -j MASQUERADE",
        f"-A POSTROUTING ! -s {site.pod_cidr} -d {site.pod_cidr} -j MASQUERADE",
        "COMMIT",
        "*filter",
        ":INPUT DROP",
        ":FORWARD DROP",
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -p icmp -j ACCEPT",
        "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        f"-A FORWARD -s {site.pod_cidr} -d {site.pod_cidr} -j ACCEPT",
        "-A FORWARD -m conntrack --ctstate RELATED -j ACCEPT",
        "COMMIT",
        "",
    ]
    return "\n".join(lines)


def _start_server(rig: Rig, site: Site, number: int) -> None:
    pod, name = rig.pod(site, number), f"{site.name}-{number}"
    argv = ["ip", "netns", "exec", pod, sys.executable, str(SERVER), name, str(PORT)]
    rig.servers.append(subprocess.Popen(argv, stdout=subprocess.PIPE))
