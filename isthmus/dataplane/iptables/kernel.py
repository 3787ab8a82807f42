"""The kernel's packet filter through the iptables programs, and its address sets through ipset."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Literal

from crds.meta import Family
from isthmus.dataplane.command import Command, CommandFailed, ProgramMissing
from isthmus.dataplane.errors import Busy, NoPermission
from isthmus.dataplane.ruleset import SetTable, TableName

LOCK_SECONDS = 5
"""How long iptables may wait for other programs' lock before the pass goes on without it."""

Backend = Literal["nft", "legacy"]
"""Which of the kernel's two packet filters the iptables programs speak to."""

PROGRAMS: dict[Family, str] = {4: "iptables", 6: "ip6tables"}
NFT_FAMILIES: dict[Family, str] = {4: "ip", 6: "ip6"}


@dataclass(frozen=True, slots=True)
class KernelSets:
    """`SetTable` of this namespace."""

    command: Command

    async def dump(self) -> str:
        return await _run(self.command, ["ipset", "save"])

    async def apply(self, text: str) -> None:
        await _run(self.command, ["ipset", "-exist", "restore"], text)


@dataclass(frozen=True, slots=True)
class KernelPacketFilter:
    """`PacketFilter` of this namespace for one family and one of its two backends."""

    command: Command
    family: Family
    backend: Backend
    sets: SetTable

    async def dump(self) -> str:
        return await _run(self.command, [f"{self._program}-save"])

    async def apply(self, text: str) -> None:
        argv = [f"{self._program}-restore", "--noflush", "-w", str(LOCK_SECONDS)]
        await _run(self.command, argv, text)

    async def drop_table(self, table: TableName) -> None:
        """Remove the table with nft, as iptables cannot; the legacy backend keeps its tables for ever.

        Without nft the empty table stays, which harms nobody.
        """
        if self.backend != "nft":
            return
        with suppress(ProgramMissing):
            await _run(self.command, ["nft", "delete", "table", NFT_FAMILIES[self.family], table])

    @property
    def _program(self) -> str:
        return f"{PROGRAMS[self.family]}-{self.backend}"


def kernel_packet_filter(command: Command, family: Family, backend: Backend) -> KernelPacketFilter:
    """The packet filter of this namespace, with its sets."""
    return KernelPacketFilter(command, family, backend, KernelSets(command))


async def _run(command: Command, argv: list[str], text: str = "") -> str:
    try:
        return (await command.run(argv, stdin=text)).stdout
    except CommandFailed as error:
        raise _meaning(error, text) from error


def _meaning(error: CommandFailed, text: str) -> CommandFailed | Busy | NoPermission:
    if "xtables lock" in error.stderr:
        return Busy(
            f"{error.program}: another program has held the xtables lock (/run/xtables.lock) for more than "
            f"{LOCK_SECONDS} s; `fuser -v /run/xtables.lock` names it"
        )
    if "ermission denied" in error.stderr or "peration not permitted" in error.stderr:
        return NoPermission(f"{error.program}: permission denied; run as root with the NET_ADMIN capability")
    return CommandFailed(error.program, error.status, f"{error.stderr.strip()} {_line_named(error, text)}")


def _line_named(error: CommandFailed, text: str) -> str:
    """The line of our text that the complaint counts, since the number alone helps nobody."""
    lines = text.splitlines()
    for word in error.stderr.replace(":", " ").split():
        if word.isdigit() and 0 < int(word) <= len(lines):
            return f"(the line is: {lines[int(word) - 1]})"
    return ""
