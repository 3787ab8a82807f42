"""Whole gateway daemons over fakes, in virtual time: two nodes of one cluster and their broker."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from ipaddress import ip_network
from typing import Any

from broker.side import Side
from crds.endpoint import Endpoint, parse_endpoint
from crds.gateway import Connection, Gateway, parse_gateway
from crds.meta import CLUSTER_ID_LABEL
from gateway.config import read_settings
from gateway.daemon import Boundaries
from gateway.run import run_daemon
from isthmus.dataplane.routes import Route
from isthmus.kube.api import PatchKind
from isthmus.kube.errors import Call, Unavailable
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, EVENTS, GATEWAYS, Resource
from isthmus.reconcile.health import Health
from tests.builders import NAMESPACE, cluster_object, endpoint_object
from tests.fakes.cabledriver import FakeCableDriver
from tests.fakes.clock import FakeClock, settle
from tests.fakes.echoes import FakeEchoes
from tests.fakes.kubeapi import FakeKube
from tests.fakes.netlink import FakeKernel, fake_netlink

BROKER_NAMESPACE = "submariner-k8s-broker"
ENVIRONMENT = {
    "SUBMARINER_CLUSTERID": "east",
    "SUBMARINER_NAMESPACE": NAMESPACE,
    "SUBMARINER_SERVICECIDR": "10.96.0.0/16",
    "SUBMARINER_CLUSTERCIDR": "10.244.0.0/16",
    "CE_IPSEC_PSK": "AAEC",
}


class World:
    """The API server of east, and the broker's."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.kube = FakeKube(namespaces=[NAMESPACE, "default"])
        self.broker = FakeKube(namespaces=[BROKER_NAMESPACE], server="https://broker:6443")

    def peer_joins(self, name: str, services: str, pods: str, **fields: Any) -> None:
        """Another member publishes itself at the broker."""
        meets = {"namespace": BROKER_NAMESPACE, "origin": name}
        self.broker.put(cluster_object(name, services, pods=(pods,), **meets))
        self.broker.put(endpoint_object(name, services, pods, **(meets | fields)))

    def peer_leaves(self, name: str) -> None:
        for resource in (ENDPOINTS, CLUSTERS):
            for item in self.broker.objects(resource):
                if item["metadata"]["labels"][CLUSTER_ID_LABEL] == name:
                    self.broker.remove(resource, BROKER_NAMESPACE, item["metadata"]["name"])

    def own_endpoints(self) -> list[Endpoint]:
        parsed = [parse_endpoint(item) for item in self.kube.objects(ENDPOINTS, NAMESPACE)]
        return [endpoint for endpoint in parsed if endpoint.origin is None]

    def gateways(self) -> dict[str, Gateway]:
        parsed = [parse_gateway(item) for item in self.kube.objects(GATEWAYS, NAMESPACE)]
        return {gateway.ref.name: gateway for gateway in parsed}

    def connections(self, node: str) -> dict[str, Connection]:
        """The connections in a Gateway's status, by the peer's cluster id."""
        shown = self.gateways()[node].status.connections
        return {one.endpoint.cluster_id: one for one in shown if hasattr(one.endpoint, "cluster_id")}

    def events(self) -> list[str]:
        """Every Event as "object: message"."""
        return [f"{item['involvedObject']['name']}: {item['message']}" for item in self.kube.objects(EVENTS)]


class Line:
    """One node's way to the API server: a cut one refuses calls, on a stuck one no answer ever comes."""

    def __init__(self, kube: FakeKube) -> None:
        self._kube = kube
        self.cut = False
        self.stuck = False

    @property
    def server(self) -> str:
        return self._kube.server

    async def list(self, resource: Resource, namespace: str | None = None, *, label_selector: str = ""):
        await self._check("list", resource)
        return await self._kube.list(resource, namespace, label_selector=label_selector)

    async def watch(self, resource: Resource, namespace: str | None = None, **options: Any):
        await self._check("watch", resource)
        async with aclosing(self._kube.watch(resource, namespace, **options)) as events:
            async for event in events:
                await self._check("watch", resource)
                yield event

    async def get(self, resource: Resource, *where: Any):
        await self._check("get", resource)
        return await self._kube.get(resource, *where)

    async def create(self, resource: Resource, *where: Any):
        await self._check("create", resource)
        return await self._kube.create(resource, *where)

    async def replace(self, resource: Resource, *where: Any):
        await self._check("update", resource)
        return await self._kube.replace(resource, *where)

    async def patch(self, resource: Resource, *where: Any, kind: PatchKind):
        await self._check("patch", resource)
        return await self._kube.patch(resource, *where, kind=kind)

    async def delete(self, resource: Resource, *where: Any, uid: str | None = None):
        await self._check("delete", resource)
        await self._kube.delete(resource, *where, uid=uid)

    async def create_token(self, namespace: str, service_account: str, seconds: int) -> str:
        return await self._kube.create_token(namespace, service_account, seconds)

    async def _check(self, verb: str, resource: Resource) -> None:
        if self.cut:
            raise Unavailable(Call(self.server, verb, str(resource)), "no route to host")
        if self.stuck:
            await asyncio.Event().wait()


class Node:
    """One gateway node: host, charon, network, and the daemon when it runs."""

    def __init__(self, world: World, name: str, address: str, **environment: str) -> None:
        self.world = world
        self.name = name
        self.driver = FakeCableDriver()
        self.echoes = FakeEchoes()
        self.kernel = FakeKernel()
        self.kernel.add_device("lo")
        self.kernel.add_device("eth0")
        self.kernel.add_device("cni0")
        self.kernel.add_address("eth0", f"{address}/24")
        self.kernel.add_address("cni0", f"10.244.{address.rsplit('.', 1)[1]}.1/24")
        self.kernel.add_route(Route(ip_network("0.0.0.0/0"), 254, device="eth0"))
        self.settings = read_settings(ENVIRONMENT | {"NODE_NAME": name} | environment)
        self.health: Health | None = None
        self.line = Line(world.kube)
        self._task: asyncio.Task[None] | None = None
        world.kube.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})

    @property
    def boundaries(self) -> Boundaries:
        return Boundaries(
            api=self.line,
            broker=Side("the broker", self.world.broker, BROKER_NAMESPACE),
            netlink=fake_netlink(self.kernel),
            driver=self.driver,
            echoes=self.echoes,
            clock=self.world.clock,
            show_health=self._show_health,
        )

    def start(self, tasks: asyncio.TaskGroup) -> None:
        """Start the daemon."""
        self._task = tasks.create_task(run_daemon(self.settings, self.boundaries, "0.1.0"))

    async def terminate(self) -> None:
        """SIGTERM."""
        assert self._task is not None
        self._task.cancel()
        await settle()
        assert self._task.done()

    async def kill(self) -> None:
        """SIGKILL: nothing that the process would still say reaches anybody."""
        self.line.cut = True
        await self.terminate()
        self.line = Line(self.world.kube)

    async def _show_health(self, health: Health) -> None:
        self.health = health
        await asyncio.Event().wait()


@asynccontextmanager
async def running(*nodes: Node) -> AsyncIterator[asyncio.TaskGroup]:
    """Run these nodes' daemons, the first one ahead of the others, and end them after the block."""
    async with asyncio.TaskGroup() as tasks:
        for node in nodes:
            node.start(tasks)
            await node.world.clock.advance(1.0)
        yield tasks
        for node in nodes:
            await node.kill()
