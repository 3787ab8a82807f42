"""Runs the programs that have no better interface: iptables, ipset, nft, conntrack."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from isthmus.reconcile.errors import Transient

STDERR_CHARACTERS = 400
"""How much of a program's complaint goes into our error."""


INHERITED = ("PATH", "XTABLES_LOCKFILE", "XTABLES_LIBDIR")
"""Variables that programs get from us; the others of a daemon may hold the pre-shared key and a token."""


@dataclass(frozen=True, slots=True)
class Completed:
    """What a program that ended with status 0 printed."""

    stdout: str
    stderr: str


class CommandFailed(Transient):
    """A program ended with another status than 0, or was too slow (status None)."""

    def __init__(self, program: str, status: int | None, stderr: str) -> None:
        shown = stderr.strip()[:STDERR_CHARACTERS] or "it printed no reason"
        ended = "took too long" if status is None else f"ended with status {status}"
        super().__init__(f"{program} {ended}: {shown}")
        self.program = program
        self.status = status
        self.stderr = stderr


class ProgramMissing(Transient):
    """There is no such program on this host."""


class Command(Protocol):
    """Programs of this host."""

    async def run(self, argv: Sequence[str], *, stdin: str = "", limit: float = 30.0) -> Completed:
        """Run a program to its end, *limit* in seconds; raises CommandFailed or ProgramMissing."""


class SystemCommand:
    """Programs found through PATH, in the namespaces of the calling thread."""

    async def run(self, argv: Sequence[str], *, stdin: str = "", limit: float = 30.0) -> Completed:
        pipe = subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *argv, stdin=pipe, stdout=pipe, stderr=pipe, env=_environment()
            )
        except FileNotFoundError as error:
            raise ProgramMissing(f"{argv[0]} is not installed on this host; install it") from error
        try:
            async with asyncio.timeout(limit):
                stdout, stderr = await process.communicate(stdin.encode())
        except TimeoutError as error:
            raise CommandFailed(argv[0], None, f"no end within {limit:g} s") from error
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        if process.returncode != 0:
            raise CommandFailed(argv[0], process.returncode, stderr.decode(errors="replace"))
        return Completed(stdout.decode(errors="replace"), stderr.decode(errors="replace"))


def _environment() -> dict[str, str]:
    # What a program prints is read by us, so it must not be translated.
    return {name: os.environ[name] for name in INHERITED if name in os.environ} | {"LC_ALL": "C"}
