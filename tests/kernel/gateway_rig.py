"""Two clusters with one real gateway process each: real API server, real charons, nothing faked.

One API server stands for both clusters and the broker, which differ by namespace. It listens on the loopback
of the east site; the west site reaches it by a forwarder on its own loopback.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from crds.gateway import Gateway, parse_gateway
from crds.schemas import load_schemas
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.auth import connect, from_token
from isthmus.kube.resources import CRDS, GATEWAYS, NAMESPACES, NODES, Resource
from tests import netns
from tests.apiserver import ApiServer, api_server
from tests.strongswan import Site, two_sites

MEETING = "submariner-k8s-broker"
KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v"
HEALTH_PORT = 32780


@dataclass
class Member:
    """One cluster: its site, its namespace at the API server, its gateway process."""

    cluster_id: str
    site: Site
    server: ApiServer
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def namespace(self) -> str:
        return f"{self.cluster_id}-operator"

    @property
    def environment(self) -> dict[str, str]:
        services, pods = self.site.subnets
        return {
            "PATH": os.environ["PATH"],
            "ISTHMUS_KUBECONFIG": str(self.server.kubeconfig),
            "ISTHMUS_VICI_SOCKET": f"unix://{self.site.settings.vici_path}",
            "NODE_NAME": f"{self.cluster_id}-gw",
            "SUBMARINER_CLUSTERID": self.cluster_id,
            "SUBMARINER_NAMESPACE": self.namespace,
            "SUBMARINER_SERVICECIDR": str(services),
            "SUBMARINER_CLUSTERCIDR": str(pods),
            "CE_IPSEC_PSK": KEY,
            "BROKER_K8S_APISERVER": self.server.server.removeprefix("https://"),
            "BROKER_K8S_APISERVERTOKEN": self.server.admin_token,
            "BROKER_K8S_CA": base64.b64encode(self.server.ca_pem.encode()).decode(),
            "BROKER_K8S_REMOTENAMESPACE": MEETING,
        }

    def start(self) -> None:
        """Start the daemon in the site's namespace."""
        log = self.site.run_dir / "gateway.log"
        with log.open("ab") as out:
            self.process = subprocess.Popen(self._argv(), env=self.environment, stdout=out, stderr=out)

    def end(self, how: signal.Signals) -> int:
        """Send a signal and wait for the end; returns the exit code."""
        assert self.process is not None
        self.process.send_signal(how)
        code = self.process.wait(timeout=30)
        self.process = None
        return code

    def uninstall(self) -> str:
        """Run the removal and return what it said."""
        done = subprocess.run(
            self._argv("--uninstall"), env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def fetch(self, page: str) -> str:
        """Read a page of the daemon's health server."""
        with netns.inside(self.site.name), socket.create_connection(("127.0.0.1", HEALTH_PORT), 5) as line:
            line.sendall(f"GET {page} HTTP/1.0\r\n\r\n".encode())
            answer = b"".join(iter(lambda: line.recv(65536), b""))
        return answer.decode().split("\r\n\r\n", 1)[1]

    def is_ready(self) -> bool:
        """Whether the process answers that it is."""
        try:
            return self.fetch("/readyz") == "ok\n"
        except OSError:
            return False

    @property
    def log(self) -> list[dict[str, Any]]:
        lines = (self.site.run_dir / "gateway.log").read_text().splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]

    def addresses(self) -> str:
        """The site's addresses as text."""
        return self.site.ip("-brief", "address", "show", "dev", "lo")

    def _argv(self, *arguments: str) -> list[str]:
        return ["ip", "netns", "exec", self.site.name, sys.executable, "-m", "gateway", *arguments]


@dataclass(frozen=True)
class Clusters:
    """Both members; calls to the API server have to be made in the east site."""

    east: Member
    west: Member
    server: ApiServer

    async def objects(self, resource: Resource, namespace: str) -> tuple[Object, ...]:
        async with connect(self._access()) as api:
            return (await api.list(resource, namespace)).items

    async def gateway(self, member: Member) -> Gateway | None:
        found = await self.objects(GATEWAYS, member.namespace)
        return parse_gateway(found[0]) if found else None

    async def eventually(self, what: str, holds: Callable[[], Any], seconds: float = 30) -> None:
        """Wait until the coroutine *holds* gives true."""
        deadline = time.monotonic() + seconds
        while not await holds():
            assert time.monotonic() < deadline, f"after {seconds} s it is still not so: {what}"
            await asyncio.sleep(0.1)

    async def connected(self) -> None:
        """Wait until both gateways are ready and report their one connection as connected and measured."""

        async def both() -> bool:
            return all([await self._is_connected(member) for member in (self.east, self.west)])

        await self.eventually("both gateways are connected", both)

    async def _is_connected(self, member: Member) -> bool:
        gateway = await self.gateway(member)
        if gateway is None or not member.is_ready():
            return False
        shown = [(one.status.value, one.latency is not None) for one in gateway.status.connections]
        return shown == [("connected", True)]

    async def prepare(self) -> None:
        """Write what `isthmus join` would."""
        async with connect(self._access()) as api:
            for schema in load_schemas():
                await api.create(CRDS, None, dict(schema))
            for name in (self.east.namespace, self.west.namespace, MEETING):
                await api.create(NAMESPACES, None, _object("Namespace", name))
            for member in (self.east, self.west):
                await api.create(NODES, None, _object("Node", f"{member.cluster_id}-gw"))
            await _served(api)

    def _access(self) -> Any:
        return from_token(self.server.server, self.server.admin_token, self.server.ca_pem)


def _object(kind: str, name: str) -> Object:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": name}}


async def _served(api: KubeApi) -> None:
    for _ in range(100):
        if all(_is_established(item) for item in (await api.list(CRDS)).items):
            return
        await asyncio.sleep(0.1)
    raise AssertionError("the API server does not serve the kinds")


def _is_established(definition: Object) -> bool:
    conditions = definition.get("status", {}).get("conditions") or []
    return any(one["type"] == "Established" and one["status"] == "True" for one in conditions)


@contextmanager
def clusters() -> Iterator[Clusters]:
    """Everything up but the gateways; the calling thread is in the east site for the block's duration."""
    with ExitStack() as stack:
        here, there = stack.enter_context(two_sites())
        for site in (here, there):
            site.ip("route", "add", "default", "dev", "eth0")
            site.start()
        stack.enter_context(netns.inside(here.name))
        server = stack.enter_context(api_server())
        stack.enter_context(_forwarder(there.name, int(server.server.rsplit(":", 1)[1])))
        world = Clusters(Member("east", here, server), Member("west", there, server), server)
        stack.callback(_kill, world)
        asyncio.run(world.prepare())
        yield world


def _kill(world: Clusters) -> None:
    for member in (world.east, world.west):
        if member.process is not None:
            member.end(signal.SIGKILL)


@contextmanager
def _forwarder(namespace: str, port: int) -> Iterator[None]:
    """Offer the loopback port of the thread's namespace on the loopback of another one."""
    lines: list[threading.Thread] = []
    with netns.inside(namespace):
        listening = socket.create_server(("127.0.0.1", port))

    def accept() -> None:
        while True:
            try:
                caller, _ = listening.accept()
            except OSError:
                return
            lines.append(threading.Thread(target=_connect, args=(caller, port)))
            lines[-1].start()

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()
        for thread in (accepting, *lines):
            thread.join()


def _connect(caller: socket.socket, port: int) -> None:
    with caller, socket.create_connection(("127.0.0.1", port)) as server:
        back = threading.Thread(target=_pump, args=(server, caller))
        back.start()
        _pump(caller, server)
        back.join()


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        # One end is gone for good: let the other pump see that too.
        for line in (source, sink):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)
