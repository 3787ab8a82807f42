"""A real Kubernetes control plane in a network namespace: etcd, kube-apiserver, kube-controller-manager.

Started detached, so that it outlives the command that started it; found again through `state.py`.
The flags are those of a small production server, but for etcd's durability, which a lab does not need.
"""

from __future__ import annotations

import ssl
import time
import urllib.request
from contextlib import suppress
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

import yaml

from isthmus.lab import process
from isthmus.lab.binaries import Programs
from isthmus.lab.pki import Authority, KeyPair, write_signing_keys
from isthmus.lab.state import MARK, LabPaths
from isthmus.lab.topology import Cluster
from isthmus.reconcile.errors import Fatal

API_PORT = 6443
READY_SECONDS = 120
CONTROLLERS = (
    "endpoints-controller",
    "endpointslice-controller",
    "endpointslice-mirroring-controller",
    "serviceaccount-controller",
    "serviceaccount-token-controller",
    "root-ca-certificate-publisher-controller",
    "namespace-controller",
    "garbage-collector-controller",
)
"""Without node-lifecycle, pod-gc and taint-eviction: they would evict pods whose nodes have no kubelet."""


@dataclass(frozen=True, slots=True)
class ControlPlane:
    """One cluster's control plane; `host_address` is its end of the link to this machine."""

    paths: LabPaths
    cluster: Cluster
    host_address: IPv4Address

    @property
    def directory(self) -> Path:
        return self.paths.cluster(self.cluster.name)

    @property
    def address(self) -> IPv4Address:
        """Where everybody reaches the API server: nodes, other clusters over the WAN, and this machine."""
        return self.host_address

    @property
    def kubeconfig(self) -> Path:
        """The administrator's, for this machine."""
        return self.directory / "admin.kubeconfig"

    @property
    def proxy_kubeconfig(self) -> Path:
        """kube-proxy's, for the nodes."""
        return self.directory / "kube-proxy.kubeconfig"


def start(plane: ControlPlane, programs: Programs) -> None:
    """Make the certificates and start the three programs; `wait_ready` tells when they serve."""
    pki = plane.directory / "pki"
    authority = Authority(pki)
    authority.save()
    signing = write_signing_keys(pki)
    service_ip = plane.cluster.service_cidr.network_address + 1
    server = authority.server(
        "kube-apiserver",
        ["localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
        [plane.address, IPv4Address("127.0.0.1"), service_ip],
    )
    admin = authority.client("admin", "admin", "system:masters")
    controllers = authority.client("controllers", "system:kube-controller-manager")
    proxy = authority.client("kube-proxy", "system:kube-proxy")
    loopback = IPv4Address("127.0.0.1")
    for path, pair, address in (
        (plane.kubeconfig, admin, plane.address),
        (plane.proxy_kubeconfig, proxy, plane.address),
        (plane.directory / "controllers.kubeconfig", controllers, loopback),
    ):
        text = yaml.safe_dump(_kubeconfig(plane.cluster.name, address, authority.certificate, pair))
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")
    _spawn(plane, [programs.path("etcd"), *_etcd_flags(plane)])
    _spawn(plane, [programs.path("kube-apiserver"), *_server_flags(plane, authority, server, signing)])
    _spawn(plane, [programs.path("kube-controller-manager"), *_controller_flags(plane, authority, signing)])


def _spawn(plane: ControlPlane, argv: list[str]) -> None:
    name = Path(argv[0]).name
    namespace = plane.paths.namespace(plane.cluster.name)
    # GOGC=40 takes a quarter off the API server's memory at no cost that shows here.
    process.spawn(
        ["ip", "netns", "exec", namespace, *argv],
        log=plane.paths.log(plane.cluster.name, name),
        env={MARK: plane.paths.name, "GOGC": "40"},
    )


def _etcd_flags(plane: ControlPlane) -> list[str]:
    return [
        f"--data-dir={plane.directory / 'etcd'}",
        "--listen-client-urls=http://127.0.0.1:2379",
        "--advertise-client-urls=http://127.0.0.1:2379",
        "--listen-peer-urls=http://127.0.0.1:2380",
        "--initial-advertise-peer-urls=http://127.0.0.1:2380",
        "--initial-cluster=default=http://127.0.0.1:2380",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _server_flags(plane: ControlPlane, authority: Authority, server: KeyPair, signing: KeyPair) -> list[str]:
    return [
        "--etcd-servers=http://127.0.0.1:2379",
        f"--secure-port={API_PORT}",
        f"--advertise-address={plane.address}",
        f"--service-cluster-ip-range={plane.cluster.service_cidr}",
        "--authorization-mode=Node,RBAC",
        f"--client-ca-file={authority.certificate}",
        f"--requestheader-client-ca-file={authority.certificate}",
        # One CA signs all here: only this name, which nobody holds, may speak for other users.
        "--requestheader-allowed-names=front-proxy",
        f"--tls-cert-file={server.certificate}",
        f"--tls-private-key-file={server.key}",
        f"--service-account-key-file={signing.certificate}",
        f"--service-account-signing-key-file={signing.key}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--allow-privileged=true",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def _controller_flags(plane: ControlPlane, authority: Authority, signing: KeyPair) -> list[str]:
    return [
        f"--kubeconfig={plane.directory / 'controllers.kubeconfig'}",
        f"--controllers={','.join(CONTROLLERS)}",
        f"--service-account-private-key-file={signing.key}",
        f"--root-ca-file={authority.certificate}",
        "--use-service-account-credentials=true",
        "--leader-elect=false",
        "--kube-api-qps=1000",
        "--kube-api-burst=1000",
        # A service account's token secret, an endpoint slice: what waits for these should not wait long.
        "--endpointslice-updates-batch-period=0s",
    ]


def _kubeconfig(name: str, address: IPv4Address, ca: Path, pair: KeyPair) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [
            {
                "name": name,
                "cluster": {"server": f"https://{address}:{API_PORT}", "certificate-authority": str(ca)},
            }
        ],
        "users": [
            {
                "name": name,
                "user": {"client-certificate": str(pair.certificate), "client-key": str(pair.key)},
            }
        ],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name}}],
        "current-context": name,
    }


def merge_kubeconfigs(planes: list[ControlPlane], path: Path) -> None:
    """Write one kubeconfig with a context per cluster; the first cluster's is the current one."""
    merged = [yaml.safe_load(plane.kubeconfig.read_text(encoding="utf-8")) for plane in planes]
    whole = merged[0] | {
        key: [entry for config in merged for entry in config[key]]
        for key in ("clusters", "users", "contexts")
    }
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(whole), encoding="utf-8")


def serves(plane: ControlPlane) -> bool:
    """Whether the API server says that it is ready."""
    context = ssl.create_default_context(cafile=str(plane.directory / "pki" / "ca.crt"))
    context.load_cert_chain(plane.directory / "pki" / "admin.crt", plane.directory / "pki" / "admin.key")
    # A proxy of the environment is meant for the outside world.
    direct = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=context)
    )
    with suppress(OSError), direct.open(f"https://{plane.host_address}:{API_PORT}/readyz", timeout=5):
        return True
    return False


def wait_ready(plane: ControlPlane) -> None:
    """Return when the API server is ready; Fatal with the end of its log after two minutes."""
    deadline = time.monotonic() + READY_SECONDS
    while not serves(plane):
        if time.monotonic() > deadline:
            log = plane.paths.log(plane.cluster.name, "kube-apiserver")
            tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-5:])
            name = plane.cluster.name
            raise Fatal(f"the API server of {name} did not become ready; its log {log} ends with:\n{tail}")
        time.sleep(0.1)
