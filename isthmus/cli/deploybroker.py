"""`isthmus deploy-broker`: prepares a cluster to be the broker and makes the file that others join with."""

from __future__ import annotations

import base64
import ipaddress
import secrets
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from broker.access import ADMIN_ACCOUNT, admin_objects, broker_namespace
from broker.info import PSK_SECRET, BrokerInfo
from crds.cluster import is_cluster_id
from isthmus.cli.apply import Target, apply_objects, apply_schemas, ensure_namespace
from isthmus.cli.faults import Fault, usage
from isthmus.cli.member import read_token
from isthmus.cli.names import OWNER, OWNER_LABEL
from isthmus.kube.api import KubeApi
from isthmus.kube.errors import NoSuchKind, NotFound
from isthmus.kube.resources import CLUSTERS, ENDPOINTS, SECRETS

PSK_BYTES = 48


@dataclass(frozen=True, slots=True)
class BrokerRequest:
    """What `deploy-broker` was asked for; `psk` is empty unless another broker file's key is to be used."""

    namespace: str
    broker_url: str = ""
    psk: bytes = field(default=b"", repr=False)


async def deploy_broker(target: Target, request: BrokerRequest, server: str) -> BrokerInfo:
    """Make the cluster at *server* the broker, or repair it, and return what members must know.

    Raises:
        Fault: the request is refused; nothing was written.
        ApiError: the API server refused.
    """
    url = _judge(request, server)
    found = await _find_psk(target.api, request.namespace)
    if request.psk and found and request.psk != found:
        raise Fault(
            f"the broker in namespace {request.namespace} has a key, and --ipsec-psk-from gives another: "
            "its members could not reach new ones; leave the option out, or delete that namespace first"
        )
    if not found and not request.psk:
        await _refuse_lost_key(target.api, request.namespace)
    psk = found or request.psk or secrets.token_bytes(PSK_BYTES)
    _warn_of_loopback(target, url)
    await ensure_namespace(target, broker_namespace(request.namespace))
    await apply_schemas(target, (CLUSTERS, ENDPOINTS))
    await apply_objects(target, "Account that enrols members", admin_objects(request.namespace))
    await apply_objects(target, "Key of the tunnels", (_psk_secret(request.namespace, psk),))
    token = await read_token(target, request.namespace, ADMIN_ACCOUNT)
    return BrokerInfo(
        server=url,
        namespace=request.namespace,
        ca=token.get("ca.crt", b""),
        token=token["token"].decode(),
        psk=psk,
    )


def _judge(request: BrokerRequest, server: str) -> str:
    if not is_cluster_id(request.namespace):
        raise usage(f"--namespace: {request.namespace!r} cannot be a namespace; use a-z, 0-9 and '-'")
    url = request.broker_url or server
    if "://" not in url:
        url = f"https://{url}"
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("https", "http") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise usage(f"--broker-url: {url!r} is no address of an API server; write https://HOST:PORT")
    return url.rstrip("/")


def _warn_of_loopback(target: Target, url: str) -> None:
    host = urlsplit(url).hostname or ""
    try:
        local = ipaddress.ip_address(host).is_loopback
    except ValueError:
        local = host == "localhost"
    if local:
        target.progress.warned(
            f"other clusters cannot reach the broker at {url}: give another with --broker-url"
        )


async def _find_psk(api: KubeApi, namespace: str) -> bytes:
    try:
        secret = await api.get(SECRETS, namespace, PSK_SECRET)
    except NotFound:
        return b""
    return base64.b64decode((secret.get("data") or {}).get("psk", ""))


async def _refuse_lost_key(api: KubeApi, namespace: str) -> None:
    """Refuse to give a broker that has members a new key, which they do not know."""
    try:
        members = (await api.list(CLUSTERS, namespace)).items
    except NoSuchKind:
        return
    if members:
        raise Fault(
            f"the broker in namespace {namespace} has members but keeps no key, as Submariner's do: "
            "give the broker file that they joined with by --ipsec-psk-from"
        )


def _psk_secret(namespace: str, psk: bytes) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {"name": PSK_SECRET, "namespace": namespace, "labels": {OWNER_LABEL: OWNER}},
        "data": {"psk": base64.b64encode(psk).decode()},
    }
