"""Decides a join from the arguments and the facts of the cluster, before anything is written. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from crds.meta import ClusterId
from isthmus.cli.cidr import Networks, parse_cidrs
from isthmus.cli.clusterid import choose_id
from isthmus.cli.detect import Detected, detect_cluster_cidrs, detect_service_cidrs
from isthmus.cli.faults import usage
from isthmus.cli.gatewaynode import GatewayNodes, choose_gateways
from isthmus.cli.localfacts import LocalFacts
from isthmus.cli.membership import Joined, read_joined, refuse_other_id
from isthmus.cli.settings import HealthCheck, Settings, Tunnel

DRIVERS = ("libreswan",)
_SYNONYMS = {"strongswan": "libreswan", "ipsec": "libreswan"}


@dataclass(frozen=True, slots=True)
class JoinArguments:
    """The options of `join` as typed; "" where one was left out."""

    cluster_id: str = ""
    cluster_cidr: str = ""
    service_cidr: str = ""
    gateway_nodes: tuple[str, ...] = ()
    label_gateway: bool = True
    tunnel: Tunnel = field(default_factory=Tunnel)
    health: HealthCheck = field(default_factory=HealthCheck)
    debug: bool = False


@dataclass(frozen=True, slots=True)
class JoinPlan:
    """What the join will establish; `notes` tell the user what was found rather than given."""

    settings: Settings
    gateways: GatewayNodes
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_join(arguments: JoinArguments, facts: LocalFacts, kubeconfig_cluster: str) -> JoinPlan:
    """Decide id, ranges, gateways and tunnel.

    Raises:
        Fault: an argument is wrong, or something was neither given nor found.
    """
    joined = read_joined(facts.config)
    cluster_id = _cluster_id(arguments.cluster_id, joined, kubeconfig_cluster)
    cluster = _cluster_cidrs(arguments.cluster_cidr, joined, facts)
    service = _service_cidrs(arguments.service_cidr, joined, facts)
    gateways = choose_gateways(facts.nodes, arguments.gateway_nodes, label=arguments.label_gateway)
    found = [
        f"{what} {', '.join(map(str, detected.networks))}, read from {detected.source}"
        for what, detected in (("Pod CIDR", cluster), ("Service CIDR", service))
        if detected.source
    ]
    return JoinPlan(
        settings=Settings(
            cluster_id=cluster_id,
            networks=Networks(service=service.networks, cluster=cluster.networks),
            tunnel=_tunnel(arguments.tunnel),
            health=_health(arguments.health),
            debug=arguments.debug,
        ),
        gateways=gateways,
        notes=tuple(found),
        warnings=_warnings(cluster, gateways),
    )


def _cluster_id(given: str, joined: Joined | None, kubeconfig_cluster: str) -> ClusterId:
    if not given and joined is not None:
        return joined.cluster_id
    chosen = choose_id(given, kubeconfig_cluster)
    refuse_other_id(chosen, joined)
    return chosen


def _cluster_cidrs(given: str, joined: Joined | None, facts: LocalFacts) -> Detected:
    option = "--clustercidr"
    known = parse_cidrs(given or (joined.cluster_cidr if joined else ""), option)
    found = Detected(known, "") if known else detect_cluster_cidrs(facts.control_plane_pods, facts.nodes)
    return _found(found, option, "Pods")


def _service_cidrs(given: str, joined: Joined | None, facts: LocalFacts) -> Detected:
    option = "--servicecidr"
    known = parse_cidrs(given or (joined.service_cidr if joined else ""), option)
    if known:
        return Detected(known, "")
    return _found(detect_service_cidrs(facts.control_plane_pods, facts.service_cidrs), option, "Services")


def _found(detected: Detected, option: str, what: str) -> Detected:
    if not detected.networks:
        raise usage(f"the range of this cluster's {what} could not be found: give it with {option}")
    return detected


def _tunnel(tunnel: Tunnel) -> Tunnel:
    driver = tunnel.driver.lower()
    if driver not in DRIVERS and driver not in _SYNONYMS:
        raise usage(f"--cable-driver: there is no {tunnel.driver!r}; use {DRIVERS[0]}, which is IPsec")
    if not 1 <= tunnel.port <= 65535:
        raise usage(f"--nattport: {tunnel.port} is not a UDP port; use one from 1 to 65535")
    return replace(tunnel, driver=_SYNONYMS.get(driver, driver))


def _health(health: HealthCheck) -> HealthCheck:
    if health.interval < 1:
        raise usage(f"--health-check-interval: {health.interval} is too short; use 1 second or more")
    if health.losses < 1:
        raise usage(f"--health-check-max-packet-loss-count: {health.losses} is too few; use 1 or more")
    return health


def _warnings(cluster: Detected, gateways: GatewayNodes) -> tuple[str, ...]:
    found: list[str] = []
    if not cluster.exact:
        found.append(
            "the Pod CIDR covers the nodes of today: a node that gets another range later is not reached "
            "from the other clusters; --clustercidr sets the whole range"
        )
    if not gateways.labelled and not gateways.to_label:
        found.append(
            "no node is labelled submariner.io/gateway=true: the cluster is not connected until one is "
            "(--gateway-node NODE)"
        )
    return tuple(found)
