"""A foreign member `rogue` that exists only as objects which somebody writes at the broker."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any

from broker.access import BROKER_NAMESPACE
from isthmus.lab import objects, process
from isthmus.lab.binaries import find_programs
from isthmus.lab.lab import Lab

ID = "rogue"
LABEL = "submariner-io/clusterID"
MARK = "foreign"
"""Label by which the tests find again all that they wrote."""
PODS, SERVICES = "10.30.0.0/16", "10.35.0.0/16"
ADDRESS = "192.0.2.9"
CABLE = "submariner-cable-rogue-192-0-2-9"
NAME = f"{ID}-{CABLE}"
KINDS = "endpoints.submariner.io,clusters.submariner.io"

Object = dict[str, Any]


def cluster(name: str = ID, **spec: Any) -> Object:
    """Its Cluster object, well-formed but for what *spec* changes."""
    content = {
        "cluster_id": ID,
        "color_codes": ["blue"],
        "cluster_cidr": [PODS],
        "service_cidr": [SERVICES],
        "global_cidr": [],
    }
    return _object("Cluster", name, content | spec)


def endpoint(name: str = NAME, **spec: Any) -> Object:
    """Its Endpoint object, well-formed but for what *spec* changes."""
    content = {
        "cluster_id": ID,
        "cable_name": CABLE,
        "hostname": "rogue-gateway",
        "subnets": [PODS, SERVICES],
        "private_ip": ADDRESS,
        "public_ip": "",
        "nat_enabled": False,
        "backend": "libreswan",
        "backend_config": {},
    }
    return _object("Endpoint", name, content | spec)


def _object(kind: str, name: str, spec: Object) -> Object:
    metadata = {"name": name, "namespace": BROKER_NAMESPACE, "labels": {LABEL: ID, MARK: "true"}}
    return {"apiVersion": "submariner.io/v1", "kind": kind, "metadata": metadata, "spec": spec}


@dataclass(frozen=True)
class Case:
    """Objects of which one is bad; each gateway's message about it contains `says`, and names `field`."""

    title: str
    field: str
    says: str
    objects: tuple[Object, ...]
    named: str = NAME
    claims: str = ID
    kind: str = "Endpoint"

    def of_member(self, name: str) -> Case:
        """The same from a member of another name."""
        objects, named, claims = (
            json.loads(json.dumps(part).replace(ID, name)) for part in (self.objects, self.named, self.claims)
        )
        return replace(self, objects=tuple(objects), named=named, claims=claims)


def bad_endpoint(title: str, field: str, says: str, **spec: Any) -> Case:
    """A good Cluster object with one bad Endpoint."""
    return Case(title, field, says, (cluster(), endpoint(**spec)))


def bad_cluster(title: str, field: str, says: str, **spec: Any) -> Case:
    """A bad Cluster object alone."""
    return Case(title, field, says, (cluster(**spec),), named=ID, kind="Cluster")


def write(lab: Lab, items: tuple[Object, ...], *flags: str) -> process.Completed:
    """Create at the broker, with kubectl; what comes of it is the caller's to judge."""
    return _send(lab, {"apiVersion": "v1", "kind": "List", "items": items}, "create", *flags)


def correct(lab: Lab, item: Object) -> None:
    """Put *item* in the place of what is there under its name."""
    done = _send(lab, item, "apply", "--server-side", "--force-conflicts")
    if not done.ok:
        raise process.ProgramFailed(done)


def _send(lab: Lab, content: Object, *words: str) -> process.Completed:
    command = objects.kubectl(lab.plane(broker_of(lab)), find_programs(print), *words, "-f", "-")
    return process.run(command, stdin=json.dumps(content))


def broker_of(lab: Lab) -> str:
    """The cluster in which the lab's broker lives."""
    return lab.topology.clusters[0].name


def remove(lab: Lab) -> None:
    """Delete all that it has at the broker."""
    words = ("delete", KINDS, "-l", f"{MARK}=true", "--wait=false")
    lab.kubectl(broker_of(lab), "-n", BROKER_NAMESPACE, *words)
