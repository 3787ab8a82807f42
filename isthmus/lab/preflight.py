"""Is everything on this machine that a lab needs and cannot build itself? Asked before anything is made."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from types import MappingProxyType

from isthmus.reconcile.errors import Fatal

PACKAGES: Mapping[str, str] = MappingProxyType(
    {
        "conntrack": "conntrack",
        "curl": "curl",
        "etcd": "etcd-server",
        "ip": "iproute2",
        "ipset": "ipset",
        "iptables": "iptables",
        "mount": "mount",
        "nft": "nftables",
        "nsenter": "util-linux",
        "ping": "iputils-ping",
        "sysctl": "procps",
        "tcpdump": "tcpdump",
    }
)
"""Program to Debian package. charon is not among them: only Isthmus needs it, and says so itself."""


def require_root() -> None:
    """Fatal unless this process may make namespaces."""
    if os.geteuid() != 0:
        raise Fatal("the lab makes network namespaces: run this as root, for instance with sudo")


def require_programs() -> None:
    """Fatal with the packages to install, unless PATH has every program."""
    missing = {program: package for program, package in PACKAGES.items() if shutil.which(program) is None}
    if missing:
        raise Fatal(
            f"the lab needs {', '.join(missing)}: install {' '.join(dict.fromkeys(missing.values()))} "
            "(Debian's names), or run `tools/setup` as root; both /usr/bin and /usr/sbin belong in PATH"
        )
