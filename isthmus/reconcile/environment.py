"""Reads typed values from environment variables and remembers every fault, so that all are told at once."""

from __future__ import annotations

from collections.abc import Mapping

from crds.cluster import is_cluster_id
from crds.meta import ClusterId, IPNetwork
from crds.network import BadNetwork, parse_network
from isthmus.reconcile.errors import Fatal

TRUE = frozenset({"1", "t", "true", "yes", "on"})
FALSE = frozenset({"0", "f", "false", "no", "off"})


class Environment:
    """Variables by full name; an empty variable counts as absent, as Kubernetes users expect."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self._variables = variables
        self._faults: list[str] = []

    def fault(self, name: str, reason: str) -> None:
        """Remember that *name* cannot be used as it is."""
        self._faults.append(f"{name}: {reason}")

    def check(self, program: str) -> None:
        """Raise Fatal with one line per fault, if there are any."""
        if not self._faults:
            return
        lines = "\n".join(f"  {fault}" for fault in self._faults)
        raise Fatal(f"{program} cannot start; correct these environment variables:\n{lines}")

    def text(self, name: str, default: str = "") -> str:
        """The variable without surrounding blanks."""
        return self._variables.get(name, "").strip() or default

    def required(self, name: str, meaning: str) -> str:
        """The variable, or a fault that tells what it is for."""
        value = self.text(name)
        if not value:
            self.fault(name, f"is not set; give it {meaning}")
        return value

    def flag(self, name: str, default: bool) -> bool:
        """A boolean in any of the usual spellings."""
        value = self.text(name).lower()
        if not value:
            return default
        if value not in TRUE | FALSE:
            self.fault(name, f"{value!r} is neither true nor false")
        return value in TRUE

    def number(self, name: str, default: int, low: int, high: int) -> int:
        """A whole number within [low, high]."""
        value = self.text(name)
        if not value:
            return default
        if not value.isdecimal() or not low <= int(value) <= high:
            self.fault(name, f"{value!r} is not a whole number from {low} to {high}")
            return default
        return int(value)

    def cluster_id(self) -> ClusterId:
        """This cluster's id."""
        value = self.required("SUBMARINER_CLUSTERID", "this cluster's id, unique among the members")
        if value and not is_cluster_id(value):
            self.fault(
                "SUBMARINER_CLUSTERID",
                f"{value!r} is not a cluster id; use at most 63 lower-case letters, digits and inner dashes",
            )
        return ClusterId(value)

    def networks(self, name: str, meaning: str) -> tuple[IPNetwork, ...]:
        """A comma-separated list of at least one network, in its order."""
        networks = []
        items = [item.strip() for item in self.required(name, meaning).split(",")]
        for item in filter(None, items):
            try:
                networks.append(parse_network(item))
            except BadNetwork as error:
                self.fault(name, str(error))
        if len(items) > 1 and not any(items):
            self.fault(name, f"holds nothing but commas; give it {meaning}")
        return tuple(networks)


def wants_uninstall(variables: Mapping[str, str], program: str) -> bool:
    """Whether the environment asks *program* for its removal instead of its work."""
    env = Environment(variables)
    wanted = env.flag("SUBMARINER_UNINSTALL", False)
    env.check(program)
    return wanted


def wants_debug(variables: Mapping[str, str]) -> bool:
    """Whether to log in detail; asked before the settings are read, which tell of a strange value."""
    return Environment(variables).flag("SUBMARINER_DEBUG", False)
