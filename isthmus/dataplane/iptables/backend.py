"""Which of the two iptables backends this host's Kubernetes uses: rules in the other come too late.

The hint is the kubelet's or kube-proxy's own chains; without them, the backend that holds more rules; without
any rules, what the host's plain `iptables` is.
"""

from __future__ import annotations

from dataclasses import dataclass

from crds.meta import Family
from isthmus.dataplane import ownership
from isthmus.dataplane.command import Command, CommandFailed, ProgramMissing
from isthmus.dataplane.iptables.kernel import PROGRAMS, Backend

HINTS = (":KUBE-IPTABLES-HINT ", ":KUBE-KUBELET-CANARY ", ":KUBE-PROXY-CANARY ")
BACKENDS: tuple[Backend, ...] = ("nft", "legacy")


@dataclass(frozen=True, slots=True)
class Weight:
    """How much of other people's a backend holds."""

    has_hint: bool
    rules: int


async def detect_backend(command: Command, family: Family) -> Backend:
    """The backend to use on this host; raises ProgramMissing if there is no iptables at all."""
    weights = {backend: await _weight(command, family, backend) for backend in BACKENDS}
    present: dict[Backend, Weight] = {backend: weight for backend, weight in weights.items() if weight}
    if not present:
        raise ProgramMissing(
            "neither iptables-nft nor iptables-legacy is installed on this host; install one"
        )
    hinted: list[Backend] = [backend for backend, weight in present.items() if weight.has_hint]
    if len(hinted) == 1:
        return hinted[0]
    most = max(weight.rules for weight in present.values())
    heaviest: list[Backend] = [backend for backend, weight in present.items() if weight.rules == most]
    if len(heaviest) == 1:
        return heaviest[0]
    return await _plain(command, family)


async def installed_backends(command: Command, family: Family) -> tuple[Backend, ...]:
    """Every backend that may hold rules of ours, for an uninstall."""
    return tuple([backend for backend in BACKENDS if await _weight(command, family, backend)])


async def _weight(command: Command, family: Family, backend: Backend) -> Weight | None:
    try:
        text = (await command.run([f"{PROGRAMS[family]}-{backend}-save"])).stdout
    except (ProgramMissing, CommandFailed):
        return None
    lines = text.splitlines()
    rules = sum(line.startswith("-A ") and ownership.CHAIN_PREFIX not in line for line in lines)
    return Weight(any(line.startswith(HINTS) for line in lines), rules)


async def _plain(command: Command, family: Family) -> Backend:
    version = (await command.run([PROGRAMS[family], "--version"])).stdout
    return "legacy" if "legacy" in version else "nft"
