"""charon as a unit of a gateway node: configuration, socket and log apart from any other charon's.

Everything it makes lies in the node's namespaces; the node has a /run of its own.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Literal

from isthmus.charon.conf import CharonSettings, render_strongswan_conf
from isthmus.lab.node import Machine
from isthmus.lab.process import run
from isthmus.lab.supervisor import Unit
from isthmus.reconcile.errors import Fatal

NAME = "charon"
RUN_DIRECTORY = Path("/run/isthmus-charon")

Esp = Literal["kernel", "libipsec"]

_ADD_STATE = (
    "ip xfrm state add src 192.0.2.1 dst 192.0.2.2 proto esp spi 0x100 mode tunnel "
    "aead rfc4106(gcm(aes)) 0x0123456789abcdef0123456789abcdef01234567 128"
)


def settings(machine: Machine, esp: Esp, port: int) -> CharonSettings:
    """Where the node's charon keeps its files; *port* is the UDP port of IKE and ESP."""
    return CharonSettings(run_dir=RUN_DIRECTORY, esp=esp, log_file=machine.log(NAME), nat_port=port)


def prepare(machine: Machine, esp: Esp, port: int) -> Unit:
    """Write the node's strongswan.conf and return the unit that runs charon with it.

    Raises:
        Fatal: charon-systemd is not installed.
    """
    configuration = machine.directory / "strongswan.conf"
    configuration.write_text(render_strongswan_conf(settings(machine, esp, port)), encoding="utf-8")
    return unit(machine, find_charon(), configuration)


def unit(machine: Machine, program: str, configuration: Path) -> Unit:
    """Return the unit; the directory of its socket is made in the node's own /run when it starts."""
    # A charon that was killed leaves its pid file, and the next one would take that for a running charon.
    script = 'mkdir -p "$1" && rm -f "$1"/charon.pid && exec "$2"'
    return Unit(
        argv=("sh", "-c", script, NAME, str(RUN_DIRECTORY), program),
        log=str(machine.log(NAME)),
        env={"STRONGSWAN_CONF": str(configuration)},
    )


def find_charon() -> str:
    """Find charon-systemd, which is often outside of a user's PATH."""
    found = shutil.which("charon-systemd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if found is None:
        raise Fatal(
            "charon-systemd is not installed: install charon-systemd, libcharon-extra-plugins and "
            "strongswan-swanctl (Debian's names)"
        )
    return found


def detect_esp() -> Esp:
    """Find out who can encrypt, by adding one ESP state in a network namespace that ends with the try."""
    tried = run(["unshare", "--net", *_ADD_STATE.split()])
    return "kernel" if tried.ok else "libipsec"


def describe(esp: Esp) -> str:
    """Say which ESP is used, for a person."""
    if esp == "kernel":
        return "ESP in the kernel"
    return "ESP in user space (kernel-libipsec): this kernel refuses ESP states"
