"""Which ESP implementation a running charon uses, and what that asks of the host."""

from __future__ import annotations

import re
from typing import Literal

from isthmus.charon.api import CharonFacts

EspProvider = Literal["kernel", "libipsec", "none"]

LIBIPSEC_DEVICE = "ipsec0"
"""The TUN device that kernel-libipsec makes when charon starts."""


def esp_provider(facts: CharonFacts) -> EspProvider:
    """Who encrypts: libipsec wins over the kernel when both plugins are loaded."""
    if "kernel-libipsec" in facts.plugins:
        return "libipsec"
    return "kernel" if "kernel-netlink" in facts.plugins else "none"


def needs_subnet_addresses(facts: CharonFacts) -> bool:
    """Whether a CHILD_SA is refused unless the host owns an address in each local subnet.

    kernel-libipsec before 5.9.12 installs a route with a source address for each pair of subnets and fails
    when it finds none.
    """
    return esp_provider(facts) == "libipsec" and _version(facts.version) < (5, 9, 12)


def _version(text: str) -> tuple[int, ...]:
    match = re.match(r"(\d+)\.(\d+)(?:\.(\d+))?", text)
    return tuple(int(part or 0) for part in match.groups()) if match else (0, 0, 0)
