"""`isthmus deploy-broker`: prepares a cluster to be the broker and makes the file that others join with."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from dataclasses import dataclass
from urllib.parse import urlsplit

from isthmus.cli.apply import Target, apply_objects, apply_schemas, ensure_namespace
from isthmus.cli.clusterid import is_cluster_id
from isthmus.cli.faults import Fault, usage
from isthmus.cli.names import OWNER, OWNER_LABEL, PSK_SECRET
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.errors import NotFound
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, SECRETS

PSK_BYTES = 48


@dataclass(frozen=True, slots=True)
class BrokerRequest:
    """What `deploy-broker` was asked for; `psk` is empty unless another broker file's key is to be used."""

    namespace: str
    broker_url: str = ""
    psk: bytes = b""

    def __repr__(self) -> str:
        return f"BrokerRequest(namespace={self.namespace!r}, broker_url={self.broker_url!r})"
