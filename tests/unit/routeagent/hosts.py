"""A node's kernel in memory: eth0 with the default route, cni0 with an address for Pods, charon's ipsec0."""

from __future__ import annotations

import copy
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network

from crds.meta import NodeName
from isthmus.dataplane.routes import MAIN_TABLE, Route
from routeagent.apply import Host
from tests.fakes.netlink import FakeKernel, fake_netlink
from tests.fakes.packetfilter import FakePacketFilter
from tests.fakes.sysctl import FakeOriginals, FakeSysctl
from tests.unit.routeagent.worlds import HOSTS

DEVICES = ("eth0", "cni0", "ipsec0", "vx-submariner")
SETTINGS = {
    f"net/ipv4/conf/{device}/{name}": "1" for device in DEVICES for name in ("forwarding", "rp_filter")
}


@dataclass(frozen=True, slots=True)
class FakeHost:
    """All fakes of one node, and what the kernel holds as comparable values."""

    kernel: FakeKernel
    filter: FakePacketFilter = field(default_factory=FakePacketFilter)
    sysctl: FakeSysctl = field(default_factory=lambda: FakeSysctl({"net/ipv4/ip_forward": "0", **SETTINGS}))
    originals: FakeOriginals = field(default_factory=FakeOriginals)

    @property
    def host(self) -> Host:
        return Host(fake_netlink(self.kernel), self.filter, self.sysctl, self.originals)

    def writes(self) -> int:
        """How often anything was written so far."""
        kernel: Counter[str] = self.kernel.writes
        filtered = sum(self.filter.faults.writes[name] for name in ("apply", "drop_table", "sets.apply"))
        return sum(kernel.values()) + filtered + self.sysctl.writes

    async def state(self) -> dict[str, object]:
        """Everything that a plan can change, without order where the kernel knows none."""
        kernel = self.kernel
        return {
            "links": sorted(map(str, kernel.links.values())),
            "addresses": sorted(map(str, kernel.addresses)),
            "neighbours": sorted(map(str, kernel.neighbours.values())),
            "fdb": sorted(map(str, kernel.fdb)),
            "routes": sorted(map(str, kernel.routes)),
            "rules": sorted(map(str, kernel.rules)),
            "filter": copy.deepcopy(self.filter.tables),
            "sets": sorted((await self.filter.sets.dump()).splitlines()),
            "settings": dict(self.sysctl.values),
            "originals": dict(self.originals.values),
        }


def fake_host(node: NodeName, *, charon: bool = True) -> FakeHost:
    """The node before any of ours; *charon* says whether its device exists."""
    facts = HOSTS[node]
    kernel = FakeKernel()
    for device in ("eth0", "cni0", *(["ipsec0"] if charon else [])):
        kernel.add_device(device, mtu=1400 if device == "ipsec0" else 1500)
    kernel.add_address("eth0", f"{facts.private_ip}/24")
    kernel.add_address("cni0", f"{facts.cni_address}/24")
    kernel.add_route(Route(ip_network("0.0.0.0/0"), MAIN_TABLE, device="eth0", via=ip_address("10.1.0.254")))
    return FakeHost(kernel)
