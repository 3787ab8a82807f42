"""A throw-away etcd and kube-apiserver on loopback, with RBAC, for tests that need the real thing.

The programs come from `$KUBEBUILDER_ASSETS`, else from the lab's cache (any directory below it that holds
kube-apiserver), etcd also from the PATH. Everything lives in one temporary directory and on free ports.
No controller-manager runs: nothing fills token Secrets or empties a deleted namespace.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

START_SECONDS = 90.0
"""A cold kube-apiserver needs 5 s of a whole core; two cores are shared by all tests."""

OPENSSL_CONFIG = "[req]\ndistinguished_name = name\n[name]\n"


@dataclass(frozen=True, slots=True)
class ApiServer:
    """Where the server listens and how to be its administrator (a static token in group system:masters)."""

    server: str
    admin_token: str
    ca_pem: str
    other_ca_pem: str
    directory: Path
    etcd_url: str

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig with the context `admin`."""
        return self.directory / "kubeconfig"

    def compact(self) -> None:
        """Make etcd forget all history up to now: a watch from an older version is answered with 410."""
        put = self._etcdctl("put", "isthmus-test", "compacted", "--write-out=json")
        self._etcdctl("compact", str(json.loads(put)["header"]["revision"]))

    def _etcdctl(self, *words: str) -> str:
        finished = subprocess.run(
            [program("etcdctl"), f"--endpoints={self.etcd_url}", *words],
            env={**os.environ, "ETCDCTL_API": "3"},
            check=True,
            capture_output=True,
            text=True,
        )
        return finished.stdout


def program(name: str) -> str:
    """Find a program of the control plane, or say how to get it."""
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    if assets and (Path(assets) / name).is_file():
        return str(Path(assets) / name)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "isthmus" / "bin"
    for found in sorted(cache.rglob(name)):
        if found.is_file() and os.access(found, os.X_OK):
            return str(found)
    if found_on_path := shutil.which(name):
        return found_on_path
    raise RuntimeError(
        f"{name} is not there: set KUBEBUILDER_ASSETS to a directory that holds it, "
        f"or let `isthmus lab up` build it into {cache}"
    )


def free_ports(count: int) -> list[int]:
    """Ports that were free a moment ago on loopback."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def make_authority(directory: Path, name: str) -> Path:
    """Create a self-signed CA `<name>.crt`/`<name>.key` and return the certificate's path."""
    directory.mkdir(parents=True, exist_ok=True)
    return _certificate(
        directory,
        name,
        f"/CN={name}",
        ["basicConstraints=critical,CA:TRUE", "keyUsage=critical,keyCertSign,cRLSign"],
        [],
    )


def make_server_certificate(directory: Path, authority: str, name: str) -> Path:
    """Create `<name>.crt`/`<name>.key` for 127.0.0.1, signed by the CA of that name."""
    return _certificate(
        directory,
        name,
        f"/CN={name}",
        [
            "basicConstraints=critical,CA:FALSE",
            "extendedKeyUsage=serverAuth",
            "authorityKeyIdentifier=keyid",
            "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:kubernetes.default.svc",
        ],
        ["-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"],
    )


def _certificate(directory: Path, name: str, subject: str, extensions: list[str], issuer: list[str]) -> Path:
    (directory / "openssl.cnf").write_text(OPENSSL_CONFIG)
    added = [word for extension in extensions for word in ("-addext", extension)]
    subprocess.run(
        ["openssl", "req", "-x509", "-config", "openssl.cnf", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", subject, "-keyout", f"{name}.key",
         "-out", f"{name}.crt", *added, *issuer],
        cwd=directory, check=True, capture_output=True,
    )  # fmt: skip
    return directory / f"{name}.crt"


@contextlib.contextmanager
def api_server() -> Iterator[ApiServer]:
    """Run a control plane for the block's duration."""
    directory = Path(tempfile.mkdtemp(prefix="ist-apiserver-"))
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        etcd_port, peer_port, port = free_ports(3)
        etcd_url = f"http://127.0.0.1:{etcd_port}"
        token = secrets.token_hex(16)
        _write_credentials(directory, token)
        peer_url = f"http://127.0.0.1:{peer_port}"
        _start(stack, directory, "etcd", _etcd_flags(directory, etcd_url, peer_url))
        _start(stack, directory, "kube-apiserver", _apiserver_flags(directory, etcd_url, port))
        running = ApiServer(
            server=f"https://127.0.0.1:{port}",
            admin_token=token,
            ca_pem=(directory / "ca.crt").read_text(),
            other_ca_pem=(directory / "other-ca.crt").read_text(),
            directory=directory,
            etcd_url=etcd_url,
        )
        running.kubeconfig.write_text(_kubeconfig(running))
        _wait_ready(running)
        yield running


def _write_credentials(directory: Path, token: str) -> None:
    make_authority(directory, "ca")
    make_authority(directory, "other-ca")
    make_server_certificate(directory, "ca", "apiserver")
    (directory / "tokens.csv").write_text(f'{token},admin,admin,"system:masters"\n')
    subprocess.run(
        ["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", "sa.key"],
        cwd=directory, check=True, capture_output=True,
    )  # fmt: skip


def _etcd_flags(directory: Path, client_url: str, peer_url: str) -> list[str]:
    return [
        "--name=test",
        f"--data-dir={directory / 'etcd'}",
        f"--listen-client-urls={client_url}",
        f"--advertise-client-urls={client_url}",
        f"--listen-peer-urls={peer_url}",
        f"--initial-advertise-peer-urls={peer_url}",
        f"--initial-cluster=test={peer_url}",
        "--unsafe-no-fsync",
        "--log-level=warn",
    ]


def _apiserver_flags(directory: Path, etcd_url: str, port: int) -> list[str]:
    return [
        f"--etcd-servers={etcd_url}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--tls-cert-file={directory / 'apiserver.crt'}",
        f"--tls-private-key-file={directory / 'apiserver.key'}",
        f"--client-ca-file={directory / 'ca.crt'}",
        f"--token-auth-file={directory / 'tokens.csv'}",
        "--authorization-mode=Node,RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={directory / 'sa.key'}",
        f"--service-account-signing-key-file={directory / 'sa.key'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--disable-admission-plugins=ServiceAccount",
        "--enable-aggregator-routing=false",
        f"--cert-dir={directory}",
    ]


def _start(stack: contextlib.ExitStack, directory: Path, name: str, flags: list[str]) -> None:
    log = stack.enter_context((directory / f"{name}.log").open("wb"))
    # Also gone when the test run is killed: nothing may be left behind.
    leash = ["setpriv", "--pdeathsig", "KILL"]
    running = subprocess.Popen([*leash, program(name), *flags], stdout=log, stderr=log, cwd=directory)
    stack.callback(_stop, running)


def _stop(running: subprocess.Popen[bytes]) -> None:
    running.kill()
    running.wait()


def _kubeconfig(running: ApiServer) -> str:
    return f"""\
apiVersion: v1
kind: Config
current-context: admin
clusters:
- name: test
  cluster: {{server: "{running.server}", certificate-authority: ca.crt}}
contexts:
- name: admin
  context: {{cluster: test, user: admin}}
users:
- name: admin
  user: {{token: "{running.admin_token}"}}
"""


def _wait_ready(running: ApiServer) -> None:
    context = ssl.create_default_context(cadata=running.ca_pem)
    request = urllib.request.Request(
        f"{running.server}/readyz", headers={"Authorization": f"Bearer {running.admin_token}"}
    )
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), urllib.request.urlopen(request, context=context, timeout=5):
            return
        time.sleep(0.2)
    logs = [(running.directory / f"{name}.log").read_text()[-2000:] for name in ("etcd", "kube-apiserver")]
    raise RuntimeError(f"kube-apiserver was not ready after {START_SECONDS:.0f} s:\n" + "\n".join(logs))
