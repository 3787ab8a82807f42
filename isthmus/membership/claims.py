"""Who was granted which networks, cable names and gateway addresses: the first to ask has them."""

from __future__ import annotations

from bisect import bisect_right

from crds.endpoint import EndpointSpec
from crds.meta import ClusterId, IPAddress
from isthmus.membership.fault import Fault
from isthmus.membership.ranges import Ranges, Span, span

Way = tuple[IPAddress, IPAddress]
"""Where a gateway is reached and the address by which it names itself: so its tunnels are told apart."""


class Claims:
    """Grants made so far. The spans are sorted and disjoint, because only what is free is granted."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        self._owners: list[ClusterId] = []
        self._cables: dict[str, ClusterId] = {}
        self._gateways: dict[Way, ClusterId] = {}

    def claim_gateway(self, spec: EndpointSpec) -> None:
        """Grant a cable name and a gateway's address to the first who asks."""
        self._cables.setdefault(spec.cable_name, spec.cluster_id)
        self._gateways.setdefault(_way(spec), spec.cluster_id)

    def fault(self, spec: EndpointSpec) -> Fault | None:
        """Return why *spec* cannot be granted: a cable name, a gateway or a subnet that another has."""
        owner = self._cables.get(spec.cable_name)
        if owner is not None:
            reason = (
                f'"{spec.cable_name}" is the cable of cluster {owner}; every gateway needs a name of its own'
            )
            return Fault("spec.cable_name", reason)
        for index, subnet in enumerate(spec.subnets):
            owner = self._owner_within(span(subnet))
            if owner is not None:
                reason = (
                    f"{subnet} overlaps a subnet of cluster {owner}, which joined earlier; "
                    "one of the two clusters needs other CIDRs"
                )
                return Fault(f"spec.subnets[{index}]", reason)
        owner = self._gateways.get(_way(spec))
        if owner is not None:
            reason = (
                f"{spec.private_ip} is the gateway of cluster {owner}; every gateway needs its own address"
            )
            return Fault("spec.private_ip", reason)
        return None

    def grant(self, spec: EndpointSpec) -> None:
        """Record what *spec* holds, of which `fault` found nothing taken."""
        self.claim_gateway(spec)
        # Merged first: were one subnet to lie inside another, the spans would no longer be disjoint.
        for first, last in Ranges.of(spec.subnets).spans():
            index = bisect_right(self._starts, first)
            self._starts.insert(index, first)
            self._ends.insert(index, last)
            self._owners.insert(index, spec.cluster_id)

    def _owner_within(self, wanted: Span) -> ClusterId | None:
        index = bisect_right(self._starts, wanted[1]) - 1
        return self._owners[index] if index >= 0 and self._ends[index] >= wanted[0] else None


def _way(spec: EndpointSpec) -> Way:
    return spec.reached_at, spec.private_ip
