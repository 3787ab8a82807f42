"""Cuts, slows and restores the WAN links of a running lab.

The states asked for are kept in a file of the lab, so that each call sees what the ones before it wanted;
what the router really holds is read back each time, so that a call also heals.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from ipaddress import ip_network
from pathlib import Path

from crds.meta import IPNetwork
from isthmus.lab import network
from isthmus.lab.lab import Lab
from isthmus.lab.process import ProgramFailed, alive, check, kill_all, run, spawn
from isthmus.lab.topology import Site
from isthmus.lab.wanplan import (
    MOST_NETEM_LINKS,
    LinkEnd,
    LinkState,
    WanLink,
    links_between,
    parse_rules,
    plan_rules,
    render_netem,
    render_rule_changes,
)
from isthmus.reconcile.errors import Fatal

_STATES = "links.json"
_MODULE = "isthmus.lab.delayline"
_LINE_START_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Router:
    """The WAN router of one lab: its network namespace, its links, and where their states are kept."""

    namespace: str
    links: tuple[WanLink, ...]
    directory: Path

    def link(self, first: str, second: str) -> WanLink:
        """The link between two sites, in either order; Fatal with the known sites otherwise."""
        for link in self.links:
            if {first, second} == {link.first.site, link.second.site}:
                return link
        known = ", ".join(sorted({end.site for link in self.links for end in (link.first, link.second)}))
        raise Fatal(f"there is no link between {first!r} and {second!r}; the sites are {known or 'too few'}")


def lab_router(lab: Lab) -> Router:
    """The router of a running lab: it has one device per site, named after it."""
    ends = [LinkEnd(site.name, site.name, _networks(lab, site)) for site in lab.topology.sites]
    return Router(lab.paths.namespace(network.WAN), links_between(ends), lab.paths.directory / "wan")


def _networks(lab: Lab, site: Site) -> tuple[IPNetwork, ...]:
    servers = [lab.plane(cluster.name) for cluster in lab.topology.clusters if cluster.site == site.name]
    return (site.network, *(ip_network(server.address) for server in servers))


def read_states(router: Router) -> dict[WanLink, LinkState]:
    """Return what was last asked for of every link."""
    try:
        kept = json.loads((router.directory / _STATES).read_text(encoding="utf-8"))
    except FileNotFoundError:
        kept = {}
    return {link: LinkState(**kept.get(_key(link), {})) for link in router.links}


def set_link(router: Router, link: WanLink, state: LinkState) -> None:
    """Bring one link into *state* and leave the others as they were asked to be.

    Raises:
        ProgramFailed: `ip` or `tc` refused.
    """
    states = {**read_states(router), link: state}
    router.directory.mkdir(parents=True, exist_ok=True)
    kept = {_key(each): asdict(wanted) for each, wanted in states.items() if wanted != LinkState()}
    (router.directory / _STATES).write_text(json.dumps(kept), encoding="utf-8")
    apply_states(router, states)


def apply_states(router: Router, states: Mapping[WanLink, LinkState]) -> None:
    """Make the router hold exactly what *states* ask for.

    Raises:
        ProgramFailed: `ip` or `tc` refused.
    """
    netem = has_netem(router) and all(_fits_netem(states, device) for device in _devices(router))
    if netem:
        _shape(router, states)
    lines = {link: state for link, state in states.items() if state.shaped and not netem}
    # A line first, then the rules that lead into it: the other way round packets would miss their delay.
    for link in router.links:
        _keep_line(router, link, lines.get(link))
    wanted = plan_rules(states, netem=netem)
    for family in (4, 6):
        present = parse_rules(_ip(router, f"-{family}", "-json", "-N", "rule", "show"))
        present = frozenset(rule for rule in present if rule.family == family)
        changes = render_rule_changes(wanted, present, 4 if family == 4 else 6)
        if changes:
            check(["ip", "-n", router.namespace, f"-{family}", "-batch", "-"], stdin=changes)


def has_netem(router: Router) -> bool:
    """Tell whether the kernel has netem, by trying it on the router's loopback."""
    tried = run(["tc", "-n", router.namespace, "qdisc", "add", "dev", "lo", "root", "netem", "delay", "1us"])
    if tried.ok:
        run(["tc", "-n", router.namespace, "qdisc", "del", "dev", "lo", "root"])
    return tried.ok


def _fits_netem(states: Mapping[WanLink, LinkState], device: str) -> bool:
    shaped = [
        link
        for link, state in states.items()
        if state.shaped and device in (link.first.device, link.second.device)
    ]
    return len(shaped) <= MOST_NETEM_LINKS


def _shape(router: Router, states: Mapping[WanLink, LinkState]) -> None:
    for device in _devices(router):
        # "No such qdisc" is how a device without any of ours answers.
        run(["tc", "-n", router.namespace, "qdisc", "del", "dev", device, "root"])
    lines = render_netem(states, _devices(router))
    if lines:
        check(["tc", "-n", router.namespace, "-batch", "-"], stdin=lines)


def _keep_line(router: Router, link: WanLink, state: LinkState | None) -> None:
    """Run the link's delay line with just this state, or none."""
    record = router.directory / f"{link.tun}.pid"
    running = _running_line(record)
    wanted = None if state is None else _line_arguments(link, state)
    if running is not None and wanted is not None and running[1][-len(wanted) :] == wanted:
        return
    if running is not None:
        kill_all([running[0]])
    record.unlink(missing_ok=True)
    if wanted is not None:
        record.write_text(str(_start_line(router, link, wanted)), encoding="ascii")


def _running_line(record: Path) -> tuple[int, list[str]] | None:
    """Process id and arguments of the line that *record* names, if it still runs."""
    with suppress(FileNotFoundError, ProcessLookupError):
        pid = int(record.read_text(encoding="ascii"))
        arguments = Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").split("\0")[:-1]
        # The id may be another program's by now: a line is known by its module.
        if _MODULE in arguments and alive(pid):
            return pid, arguments
    return None


def _line_arguments(link: WanLink, state: LinkState) -> list[str]:
    quality = ["--delay-ms", f"{state.delay_ms:g}", "--loss-percent", f"{state.loss_percent:g}"]
    return ["--tun", link.tun, *quality, "--seed", str(link.number + 1)]


def _start_line(router: Router, link: WanLink, arguments: list[str]) -> int:
    # -P: a module in the caller's working directory must not take the place of a real one.
    program = ["ip", "netns", "exec", router.namespace, sys.executable, "-P", "-m", _MODULE]
    pid = spawn([*program, *arguments], log=router.directory / f"{link.tun}.log")
    _await_device(router, link.tun)
    _ip(router, "link", "set", link.tun, "mtu", str(_mtu(router, link)), "up")
    for family in sorted({net.version for net in link.first.networks + link.second.networks}):
        table = str(link.table)
        _ip(router, f"-{family}", "route", "replace", "default", "dev", link.tun, "table", table)
    return pid


def _await_device(router: Router, device: str) -> None:
    deadline = time.monotonic() + _LINE_START_SECONDS
    while True:
        shown = run(["ip", "-n", router.namespace, "link", "show", device])
        if shown.ok:
            return
        if time.monotonic() > deadline:
            raise ProgramFailed(shown)
        time.sleep(0.02)


def _mtu(router: Router, link: WanLink) -> int:
    shown = json.loads(_ip(router, "-json", "link", "show"))
    ends = (link.first.device, link.second.device)
    return max((item["mtu"] for item in shown if item["ifname"] in ends), default=1500)


def _devices(router: Router) -> Sequence[str]:
    return sorted({end.device for link in router.links for end in (link.first, link.second)})


def _ip(router: Router, *arguments: str) -> str:
    return check(["ip", "-n", router.namespace, *arguments])


def _key(link: WanLink) -> str:
    return f"{link.first.site}|{link.second.site}"
