"""Prints rules the way `iptables-save` does, so that what we write reads like what the kernel shows."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import assert_never

from isthmus.dataplane.iptables import words
from isthmus.dataplane.ruleset import (
    Accept,
    Action,
    Chain,
    ClampMss,
    ClearMark,
    Drop,
    Hook,
    Hosts,
    Jump,
    Match,
    Reject,
    Return,
    Rule,
    Ruleset,
    SetMss,
    Snat,
    TableName,
)

TABLES: tuple[TableName, ...] = ("raw", "mangle", "nat", "filter")
"""The order in which a packet meets them, and in which we write them."""

HOOK_REASON = "leads to the rules of the cluster gateway"
ALL_BITS = 0xFFFFFFFF


def render_rule(rule: Rule) -> str:
    """The rule without its chain, as in `-s 10.1.0.0/16 -m comment --comment "isthmus: …" -j ACCEPT`."""
    parts = [*_match(rule.match), f"-m comment --comment {words.quote(words.comment(rule.reason))}"]
    return " ".join([*parts, f"-j {_action(rule.action)}"])


def render_hook(hook: Hook) -> str:
    """The hook's rule without its chain."""
    return render_rule(Rule(hook.match, Jump(hook.target), HOOK_REASON))


def render_chain(chain: Chain) -> list[str]:
    """The lines that make a chain hold exactly its rules: the first empties it if it is there."""
    return [f":{chain.name} - [0:0]", *(f"-A {chain.name} {render_rule(rule)}" for rule in chain.rules)]


def render_hooks(hooks: tuple[Hook, ...]) -> list[str]:
    """The lines that put hooks in their places; those for the top are inserted last first."""
    top = [f"-I {hook.chain} 1 {render_hook(hook)}" for hook in reversed(hooks) if hook.first]
    return top + [f"-A {hook.chain} {render_hook(hook)}" for hook in hooks if not hook.first]


def render_ruleset(ruleset: Ruleset) -> str:
    """Everything but the sets as one text for `iptables-restore --noflush`; deterministic."""
    lines: list[str] = []
    for table in TABLES:
        chains = [chain for chain in ruleset.chains if chain.table == table]
        hooks = tuple(hook for hook in ruleset.hooks if hook.table == table)
        if chains or hooks:
            body = [line for chain in chains for line in render_chain(chain)]
            lines += render_table(table, [*_declared_first(body), *render_hooks(hooks)])
    return "\n".join([*lines, ""]) if lines else ""


def render_table(table: TableName, body: list[str]) -> list[str]:
    """One table's changes with their frame."""
    return [f"*{table}", *body, "COMMIT"]


def _declared_first(lines: list[str]) -> list[str]:
    """Chains before rules: a rule may jump to a chain that is written after its own."""
    return sorted(lines, key=lambda line: not line.startswith(":"))


def _match(match: Match) -> list[str]:
    return [
        *_end("-s", match.source, match.not_source),
        *_end("-d", match.destination, match.not_destination),
        *_option("-i", match.in_device, match.not_in_device),
        *_option("-o", match.out_device, match.not_out_device),
        *_option("-p", match.protocol),
        *_option("--dport", match.dport, module=match.protocol or ""),
        *_option("--tcp-flags", "SYN,RST SYN" if match.tcp_syn else None, module="tcp"),
        *_option("--mark", _mark(match), module="mark"),
        *_option(
            "--dir out --pol", {True: "ipsec", False: "none", None: None}[match.ipsec_out], module="policy"
        ),
        *_set(match.source, "src", match.not_source),
        *_set(match.destination, "dst", match.not_destination),
    ]


def _option(flag: str, value: str | int | None, is_not: bool = False, module: str = "") -> list[str]:
    if value is None:
        return []
    prefix = f"-m {module} " if module else ""
    return [f"{prefix}{'! ' if is_not else ''}{flag} {value}"]


def _end(flag: str, hosts: Hosts | None, is_not: bool) -> list[str]:
    if not isinstance(hosts, (IPv4Network, IPv6Network)) or (hosts.prefixlen == 0 and not is_not):
        return []
    return _option(flag, str(hosts), is_not)


def _set(hosts: Hosts | None, direction: str, is_not: bool) -> list[str]:
    if hosts is None or isinstance(hosts, (IPv4Network, IPv6Network)):
        return []
    return _option("--match-set", f"{hosts} {direction}", is_not, module="set")


def _mark(match: Match) -> str | None:
    if match.mark is None:
        return None
    return f"{match.mark:#x}" if match.mark_mask == ALL_BITS else f"{match.mark:#x}/{match.mark_mask:#x}"


def _action(action: Action) -> str:
    match action:
        case Accept():
            return "ACCEPT"
        case Return():
            return "RETURN"
        case Drop():
            return "DROP"
        case Reject(kind):
            return f"REJECT --reject-with {kind}"
        case Snat(address):
            return f"SNAT --to-source {address}"
        case ClampMss():
            return "TCPMSS --clamp-mss-to-pmtu"
        case SetMss(value):
            return f"TCPMSS --set-mss {value}"
        case ClearMark(mask):
            return f"MARK --set-xmark 0x0/{mask:#x}"
        case Jump(chain):
            return chain
        case _:
            assert_never(action)
