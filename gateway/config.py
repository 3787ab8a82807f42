"""The gateway's settings, read from Submariner's environment variables and a few of our own.

Broker credentials are read by `broker.connection` and the key by `gateway.psk`, from the same environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from crds.endpoint import sanitised_name
from crds.meta import ClusterId, IPNetwork, NodeName
from crds.network import first_overlap
from gateway.health.ping import PingTiming
from gateway.leadership import LeaseTimes
from isthmus.charon.conf import vici_socket_path
from isthmus.reconcile.environment import Environment

IPSEC = "libreswan"
"""What Submariner calls IPsec; ours is strongSwan, which speaks the same on the wire."""
IPSEC_NAMES = frozenset({IPSEC, "strongswan", "ipsec"})
PSK_VARIABLE = "CE_IPSEC_PSK"
SECRETS = "/run/secrets/submariner.io"
HIGHEST_PORT = 65535


@dataclass(frozen=True, slots=True)
class IpsecSettings:
    """How to speak IPsec; `psk_file` is the mounted Secret's file, None when the key is in PSK_VARIABLE."""

    psk_file: Path | None
    port: int
    force_encapsulation: bool
    preferred_server: bool
    vici_socket: Path


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the operator decides. `node` also serves as our host name: it is unique in the cluster."""

    cluster_id: ClusterId
    namespace: str
    node: NodeName
    service_cidrs: tuple[IPNetwork, ...]
    cluster_cidrs: tuple[IPNetwork, ...]
    public_ip: str
    nat_enabled: bool
    health_checks: bool
    ping: PingTiming
    lease: LeaseTimes
    ipsec: IpsecSettings
    metrics_port: int
    kubeconfig: Path | None


def read_settings(variables: Mapping[str, str]) -> Settings:
    """Read the environment; Fatal names every fault, one a line."""
    env = Environment(variables)
    settings = Settings(
        cluster_id=env.cluster_id(),
        namespace=env.required("SUBMARINER_NAMESPACE", "the namespace of Isthmus, submariner-operator"),
        node=NodeName(env.required("NODE_NAME", "this node's name (spec.nodeName, by the downward API)")),
        service_cidrs=env.networks("SUBMARINER_SERVICECIDR", "the cluster's Service network"),
        cluster_cidrs=env.networks("SUBMARINER_CLUSTERCIDR", "the cluster's Pod networks"),
        public_ip=env.text("SUBMARINER_PUBLICIP"),
        nat_enabled=env.flag("SUBMARINER_NATENABLED", False),
        health_checks=env.flag("SUBMARINER_HEALTHCHECKENABLED", True),
        ping=_ping_timing(env),
        lease=_lease_times(env),
        ipsec=_ipsec(env),
        metrics_port=env.number("SUBMARINER_METRICSPORT", 32780, 1, HIGHEST_PORT),
        kubeconfig=_path(env.text("ISTHMUS_KUBECONFIG")),
    )
    _check_backend(env)
    if settings.node and not sanitised_name(settings.node):
        env.fault("NODE_NAME", f"{settings.node!r} has no letter and no digit; give it this node's name")
    overlap = first_overlap(settings.service_cidrs + settings.cluster_cidrs)
    if overlap is not None:
        env.fault("SUBMARINER_CLUSTERCIDR", f"{overlap[1]} overlaps {overlap[0]}; name each network once")
    env.flag("SUBMARINER_DEBUG", False)  # for its faults: what it says was needed before (`wants_debug`)
    env.check("the gateway")
    return settings


def _ping_timing(env: Environment) -> PingTiming:
    # 0 means the default, as in Submariner.
    interval = env.number("SUBMARINER_HEALTHCHECKINTERVAL", 0, 0, 3600) or 1
    losses = env.number("SUBMARINER_HEALTHCHECKMAXPACKETLOSSCOUNT", 0, 0, 10_000) or 5
    return PingTiming(float(interval), losses)


def _lease_times(env: Environment) -> LeaseTimes:
    duration = env.number("LEADERSHIP_LEASEDURATION", 15, 1, 3600)
    deadline = env.number("LEADERSHIP_RENEWDEADLINE", 10, 1, 3600)
    retry = env.number("LEADERSHIP_RETRYPERIOD", 2, 1, 3600)
    if not duration > deadline > retry:
        env.fault(
            "LEADERSHIP_LEASEDURATION",
            f"needs LEASEDURATION > RENEWDEADLINE > RETRYPERIOD, not {duration}, {deadline}, {retry}",
        )
    return LeaseTimes(float(duration), float(deadline), float(retry))


def _ipsec(env: Environment) -> IpsecSettings:
    secret = env.text("CE_IPSEC_PSKSECRET")
    if not secret and not env.text(PSK_VARIABLE):
        env.fault("CE_IPSEC_PSKSECRET", "is not set; name the Secret with the fleet's pre-shared key")
    if "/" in secret:
        env.fault("CE_IPSEC_PSKSECRET", f"{secret!r} is a path; give the name of a Secret")
    root = Path(env.text("ISTHMUS_BROKER_SECRET_DIR", SECRETS))
    return IpsecSettings(
        psk_file=root / secret / "psk" if secret else None,
        port=env.number("CE_IPSEC_NATTPORT", 4500, 1, HIGHEST_PORT),
        force_encapsulation=env.flag("CE_IPSEC_FORCEENCAPS", False),
        preferred_server=env.flag("CE_IPSEC_PREFERREDSERVER", False),
        vici_socket=_vici_socket(env),
    )


def _vici_socket(env: Environment) -> Path:
    text = env.text("ISTHMUS_VICI_SOCKET", "unix:///var/run/charon.vici")
    try:
        return vici_socket_path(text if "://" in text else f"unix://{text}")
    except ValueError as error:
        env.fault("ISTHMUS_VICI_SOCKET", str(error))
        return Path()


def _check_backend(env: Environment) -> None:
    driver = env.text("SUBMARINER_CABLEDRIVER", IPSEC).lower()
    if driver not in IPSEC_NAMES:
        env.fault("SUBMARINER_CABLEDRIVER", f"there is no cable driver {driver!r}; use {IPSEC} (IPsec)")
    if env.text("SUBMARINER_GLOBALCIDR"):
        env.fault(
            "SUBMARINER_GLOBALCIDR", "overlapping networks (Globalnet) are not supported; leave it empty"
        )


def _path(text: str) -> Path | None:
    return Path(text) if text else None
