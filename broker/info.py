"""The broker file `broker-info.subm`: all that a cluster needs to join, in Submariner's format.

One JSON object in URL-safe base64. It holds the administrator's token and the clusterset's pre-shared key in
the clear: whoever has it can join. Neither is in the repr.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from broker.access import ADMIN_ACCOUNT, token_secret
from isthmus.kube.access import is_server_url

PSK_SECRET = "submariner-ipsec-psk"  # noqa: S105 - the name of an object


class BadBrokerInfo(ValueError):
    """Text that is no usable broker file; the message says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class BrokerInfo:
    """Where the broker is and how to be its administrator.

    `server` is the API server's URL, `ca` its CA in PEM (empty: the system's CAs), `psk` the raw bytes of the
    clusterset's key, `components` the parts of Submariner that the broker was made for.
    """

    server: str
    namespace: str
    ca: bytes = field(repr=False)
    token: str = field(repr=False)
    psk: bytes = field(repr=False)
    components: tuple[str, ...] = ("connectivity",)


def encode_info(info: BrokerInfo) -> str:
    """Return the content of the broker file."""
    content = {
        "brokerURL": info.server,
        "ClientToken": {
            "metadata": {"name": token_secret(ADMIN_ACCOUNT), "namespace": info.namespace},
            "data": {
                "ca.crt": _base64(info.ca),
                "namespace": _base64(info.namespace.encode()),
                "token": _base64(info.token.encode()),
            },
            "type": "kubernetes.io/service-account-token",
        },
        "IPSecPSK": {"metadata": {"name": PSK_SECRET}, "data": {"psk": _base64(info.psk)}},
        "ServiceDiscovery": "service-discovery" in info.components,
        "Components": sorted(info.components),
        "CustomDomains": None,
    }
    return base64.urlsafe_b64encode(json.dumps(content).encode()).decode()


def decode_info(text: str) -> BrokerInfo:
    """Return what a broker file says. Raises BadBrokerInfo."""
    content = _json_object(text)
    server = _text(content, "brokerURL")
    if not is_server_url(server):
        raise BadBrokerInfo("its brokerURL is not the URL of an API server; write the file again")
    token = _data(content, "ClientToken")
    psk = _data(content, "IPSecPSK")
    return BrokerInfo(
        server=server,
        namespace=_utf8(_bytes(token, "ClientToken", "namespace")),
        ca=_bytes(token, "ClientToken", "ca.crt", required=False),
        token=_utf8(_bytes(token, "ClientToken", "token")),
        psk=_bytes(psk, "IPSecPSK", "psk"),
        components=_components(content),
    )


def _components(content: Mapping[str, Any]) -> tuple[str, ...]:
    listed = _field(content, "Components")
    return tuple(str(item) for item in listed) if isinstance(listed, list) else ()


def _json_object(text: str) -> Mapping[str, Any]:
    try:
        # Some tools write the standard alphabet, and editors add line ends.
        compact = "".join(text.split()).replace("+", "-").replace("/", "_")
        content = json.loads(base64.b64decode(compact, altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise BadBrokerInfo("it is cut off or was changed; copy the file again, whole") from None
    if not isinstance(content, dict):
        raise BadBrokerInfo("it holds no JSON object; give the file that deploy-broker wrote")
    return content


def _field(content: Mapping[str, Any], name: str) -> Any:
    """Look *name* up as Go does: capitals do not matter."""
    return next((value for key, value in content.items() if key.lower() == name.lower()), None)


def _text(content: Mapping[str, Any], name: str) -> str:
    value = _field(content, name)
    if not isinstance(value, str) or not value:
        raise BadBrokerInfo(f"it holds no {name}; give the file that deploy-broker wrote")
    return value


def _data(content: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    secret = _field(content, name)
    data = secret.get("data") if isinstance(secret, Mapping) else None
    if not isinstance(data, Mapping):
        raise BadBrokerInfo(f"it holds no {name}; give the file that deploy-broker wrote")
    return data


def _bytes(data: Mapping[str, Any], secret: str, name: str, required: bool = True) -> bytes:
    try:
        value = base64.b64decode(str(data.get(name) or ""), validate=True)
    except (binascii.Error, ValueError):
        raise BadBrokerInfo(f"{name} in its {secret} is not base64; write the file again") from None
    if required and not value:
        raise BadBrokerInfo(f"it holds no {name} in {secret}; write the file again")
    return value


def _utf8(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise BadBrokerInfo("its token or namespace is not text; write the file again") from None


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
