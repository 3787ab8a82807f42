"""The broker's CustomResourceDefinitions as Submariner installs them: any content passes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

from isthmus.lab import objects, process
from isthmus.lab.binaries import find_programs
from isthmus.lab.lab import Lab
from tests.e2e.patience import eventually
from tests.e2e.rogue import Object, broker_of, cluster, endpoint, write

NAMES = ("clusters.submariner.io", "endpoints.submariner.io")
ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@contextmanager
def loose_schemas(lab: Lab) -> Iterator[None]:
    """Let the broker's API server take any Cluster and Endpoint during the block."""
    strict = [json.loads(lab.kubectl(broker_of(lab), "get", "crd", name, "-o", "json")) for name in NAMES]
    for definition in strict:
        _replace(lab, _loosened(definition))
    try:
        probe = (cluster(cluster_cidr="?"), endpoint(subnets="?"))
        eventually(lambda: _assert_ok(write(lab, probe, "--dry-run=server")))
        yield
    finally:
        for definition in strict:
            _replace(lab, definition)


def _loosened(definition: Object) -> Object:
    versions = [
        version | {"schema": {"openAPIV3Schema": ANYTHING}, "selectableFields": []}
        for version in definition["spec"]["versions"]
    ]
    return definition | {"spec": definition["spec"] | {"versions": versions}}


def _replace(lab: Lab, definition: Object) -> None:
    metadata = {"name": definition["metadata"]["name"]}
    body = {key: definition[key] for key in ("apiVersion", "kind", "spec")} | {"metadata": metadata}
    words = objects.kubectl(lab.plane(broker_of(lab)), find_programs(print), "replace", "-f", "-")
    process.check(words, stdin=json.dumps(body))


def _assert_ok(done: process.Completed) -> None:
    assert done.ok, done.stderr
