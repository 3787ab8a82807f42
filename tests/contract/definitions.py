"""Makes a real API server know our kinds."""

from __future__ import annotations

import asyncio

from crds.schemas import load_schemas
from isthmus.kube.api import KubeApi
from isthmus.kube.errors import AlreadyExists, NoSuchKind
from isthmus.kube.resources import CLUSTERS, CRDS, ENDPOINTS, GATEWAYS, ROUTE_AGENTS


async def define_kinds(api: KubeApi) -> None:
    """Create the CustomResourceDefinitions unless they are there, and wait until they are served."""
    for schema in load_schemas():
        try:
            await api.create(CRDS, None, schema)
        except AlreadyExists:
            continue
    for resource in (CLUSTERS, ENDPOINTS, GATEWAYS, ROUTE_AGENTS):
        while True:
            try:
                await api.list(resource)
                break
            except NoSuchKind:
                await asyncio.sleep(0.1)
