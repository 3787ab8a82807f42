"""Real charons in network namespaces of their own, for the tests that need to see IPsec happen.

Two sites share one veth link. Each has an address in every subnet that it offers, on its loopback.
"""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from typing import Literal

from isthmus.charon.conf import CharonSettings, render_strongswan_conf
from tests import netns

CHARON = "/usr/sbin/charon-systemd"
START_SECONDS = 20.0

Esp = Literal["kernel", "libipsec"]
Link = Callable[[tuple[str, ...]], AbstractContextManager[None]]


@dataclass
class Site:
    """One namespace with a charon in it, or without while it is stopped."""

    name: str
    address: IPv4Address
    subnets: tuple[IPv4Network, ...]
    run_dir: Path
    esp: Esp
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def settings(self) -> CharonSettings:
        return CharonSettings(run_dir=self.run_dir, esp=self.esp, log_file=self.run_dir / "charon.log")

    @property
    def inner_address(self) -> IPv4Address:
        """The site's address in its last subnet."""
        return self.subnets[-1].network_address + 1

    def start(self) -> None:
        """Start charon and wait until its VICI socket answers."""
        conf = self.run_dir / "strongswan.conf"
        conf.write_text(render_strongswan_conf(self.settings))
        with (self.run_dir / "charon.out").open("ab") as out:
            self.process = subprocess.Popen(
                ["ip", "netns", "exec", self.name, CHARON],
                env={**os.environ, "STRONGSWAN_CONF": str(conf)},
                stdout=out,
                stderr=out,
            )
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.settings.vici_path):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"charon did not start: {(self.run_dir / 'charon.out').read_text()}")
            time.sleep(0.02)

    def kill(self) -> None:
        """kill -9, as a crash would look; also removes the pid file that would keep the next one away."""
        self._end(signal.SIGKILL)
        (self.run_dir / "charon.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        """Ask charon to end."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process is not None:
            self.process.send_signal(how)
            self.process.wait(timeout=30)
            self.process = None

    def ping(self, target: IPv4Address, count: int = 2) -> bool:
        """Whether echoes from our inner address to *target* come back."""
        argv = ["ping", "-q", "-c", str(count), "-i", "0.2", "-W", "2", "-I", str(self.inner_address)]
        done = subprocess.run(
            ["ip", "netns", "exec", self.name, *argv, str(target)], capture_output=True, check=False
        )
        return done.returncode == 0

    def ip(self, *argv: str) -> str:
        """Run ip(8) in the namespace."""
        return netns.run("ip", "-n", self.name, *argv)


@contextmanager
def connect_by_veth(namespaces: tuple[str, ...]) -> Iterator[None]:
    """A link without delay, `eth0` at both ends; it goes with the namespaces."""
    first, second = namespaces
    netns.run("ip", "-n", first, *f"link add eth0 type veth peer name eth0 netns {second}".split())
    yield


@contextmanager
def two_sites(esp: Esp = "libipsec", link: Link = connect_by_veth) -> Iterator[tuple[Site, Site]]:
    """Two connected sites without running charons; whatever happens, nothing is left of them."""
    tag = secrets.token_hex(3)
    directory = Path(tempfile.mkdtemp(prefix="ist-charon-"))
    sites = tuple(_site(tag, side, number, directory, esp) for side, number in (("a", 1), ("b", 2)))
    try:
        for site in sites:
            netns.create(site.name)
        with link(tuple(site.name for site in sites)):
            for site in sites:
                _address(site)
            yield sites[0], sites[1]
    finally:
        for site in sites:
            site.kill()
            netns.remove(site.name)
        shutil.rmtree(directory)


def _site(tag: str, side: str, number: int, directory: Path, esp: Esp) -> Site:
    run_dir = directory / side
    run_dir.mkdir()
    return Site(
        name=f"{netns.PREFIX}{tag}-{side}",
        address=IPv4Address(f"192.0.2.{number}"),
        subnets=(IPv4Network(f"10.{number}0.0.0/16"), IPv4Network(f"10.{number}1.0.0/16")),
        run_dir=run_dir,
        esp=esp,
    )


def _address(site: Site) -> None:
    site.ip("address", "add", f"{site.address}/24", "dev", "eth0")
    site.ip("link", "set", "eth0", "up")
    for subnet in site.subnets:
        site.ip("address", "add", f"{subnet.network_address + 1}/32", "dev", "lo")


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as probe:
        try:
            probe.connect(str(path))
        except OSError:
            return False
        return True
