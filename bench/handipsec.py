"""The swanctl.conf that somebody would write by hand for the tunnel that Isthmus makes. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network

from gateway.plan.ipsec import DPD_SECONDS, ESP_PROPOSALS, IKE_PROPOSALS

CHILD = "pods"


@dataclass(frozen=True, slots=True)
class End:
    """One gateway and what lies behind it."""

    address: IPv4Address
    subnets: tuple[IPv4Network, ...]


def render_swanctl(here: End, there: End) -> str:
    """The file for the gateway *here*; the same proposals, selectors and identities as Isthmus's."""
    return f"""\
connections {{
  byhand {{
    version = 2
    local_addrs = {here.address}
    remote_addrs = {there.address}
    local_port = 4500
    remote_port = 4500
    proposals = {", ".join(IKE_PROPOSALS)}
    dpd_delay = {DPD_SECONDS}s
    local {{
      auth = psk
      id = {here.address}
    }}
    remote {{
      auth = psk
      id = {there.address}
    }}
    children {{
      {CHILD} {{
        local_ts = {", ".join(map(str, here.subnets))}
        remote_ts = {", ".join(map(str, there.subnets))}
        esp_proposals = {", ".join(ESP_PROPOSALS)}
      }}
    }}
  }}
}}
secrets {{
  ike-byhand {{
    id-1 = {here.address}
    id-2 = {there.address}
    secret = "a key for a benchmark, of no other use"
  }}
}}
"""
