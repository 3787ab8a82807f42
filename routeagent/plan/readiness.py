"""Which part of a plan can be carried out with the devices that exist right now?

charon's device comes and goes with charon. What needs it waits for the kernel's news of its return, without
being tried in vain, while everything else goes ahead.
"""

from __future__ import annotations

from collections.abc import Set
from dataclasses import dataclass, replace

from routeagent.plan.node import NodePlan


@dataclass(frozen=True, slots=True)
class Ready:
    """The part that can be done, and the names of the devices that the rest waits for."""

    plan: NodePlan
    waiting: tuple[str, ...]


def ready_part(plan: NodePlan, devices: Set[str]) -> Ready:
    """Leave out what stands on devices that are missing or down; *devices* are those that are up."""
    missing = {device for route in plan.routes if (device := route.device) and device not in devices}
    missing |= {link.name for link in plan.links if link.name not in devices}
    if not missing and all(_present(key, devices) for key, _ in plan.settings):
        return Ready(plan, ())
    possible = replace(
        plan,
        addresses=tuple(entry for entry in plan.addresses if entry.device in devices),
        neighbours=tuple(entry for entry in plan.neighbours if entry.device in devices),
        fdb=tuple(entry for entry in plan.fdb if entry.device in devices),
        routes=tuple(route for route in plan.routes if route.device is None or route.device in devices),
        settings=tuple((key, value) for key, value in plan.settings if _present(key, devices)),
    )
    return Ready(possible, tuple(sorted(missing)))


def _present(key: str, devices: Set[str]) -> bool:
    """Whether the setting's device exists; settings of the whole host always do."""
    parts = key.split("/")
    return "conf" not in parts or parts[parts.index("conf") + 1] in devices | {"all", "default"}
