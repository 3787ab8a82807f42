"""Where credentials come from: a Pod's ServiceAccount, a kubeconfig, or a token in hand."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from isthmus.kube.access import Access, is_server_url
from isthmus.kube.client import connect
from isthmus.reconcile.errors import Fatal

if TYPE_CHECKING:
    from kubernetes.aio.config.kube_config import ConfigNode

__all__ = ["Access", "connect", "from_kubeconfig", "from_token", "in_cluster"]

ACCOUNT_DIRECTORY = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def in_cluster(
    environ: Mapping[str, str] = os.environ, account_directory: Path = ACCOUNT_DIRECTORY
) -> Access:
    """The API server of the cluster that this Pod runs in; `Fatal` outside of one."""
    host, port = environ.get("KUBERNETES_SERVICE_HOST"), environ.get("KUBERNETES_SERVICE_PORT", "443")
    if not host:
        raise Fatal(
            "not in a Pod (KUBERNETES_SERVICE_HOST is not set): set ISTHMUS_KUBECONFIG to a kubeconfig"
        )
    token, ca = account_directory / "token", account_directory / "ca.crt"
    if not token.is_file() or not ca.is_file():
        raise Fatal(
            f"{account_directory} holds no token and ca.crt: let the Pod mount its ServiceAccount token"
        )
    bracketed = f"[{host}]" if ":" in host else host
    return Access(server=f"https://{bracketed}:{port}", ca=ca, token=token)


def from_token(server: str, token: str | Path, ca_pem: str | Path | None, insecure: bool = False) -> Access:
    """Access by a bearer token, to a CA in PEM. What is given as a path is read again at every use.

    An address without scheme, as a broker's often is, means https.
    """
    url = server if "://" in server else f"https://{server}"
    if not is_server_url(url):
        raise Fatal(f'"{server}" is not the address of an API server: give https://HOST:PORT')
    return Access(server=url.rstrip("/"), ca=ca_pem or None, token=token, insecure=insecure)


async def from_kubeconfig(path: str | Path | None = None, context: str | None = None) -> Access:
    """Access as kubectl would have it: of *context*, else of the current one.

    Without *path* the files of $KUBECONFIG, else ~/.kube/config. `Fatal` when they cannot be used.
    """
    # The official client is 20 MB of code, of which a daemon in a Pod needs nothing.
    import yaml
    from kubernetes.aio.client.configuration import Configuration
    from kubernetes.aio.config.config_exception import ConfigException
    from kubernetes.aio.config.kube_config import KubeConfigLoader, KubeConfigMerger

    files = str(path or os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    settings = Configuration()
    try:
        _require_file(files)
        config = KubeConfigMerger(files).config
        loader = KubeConfigLoader(config_dict=config, active_context=context, config_base_path=None)
        token_file = _token_file(config, loader.current_context["context"].get("user"))
        await loader.load_and_set(settings)
    except (ConfigException, OSError, yaml.YAMLError, ValueError, TypeError, AttributeError) as error:
        chosen = f" with context {context}" if context else ""
        raise Fatal(f"kubeconfig {files}{chosen} cannot be used: {' '.join(str(error).split())}") from error
    return Access(
        server=settings.host,
        ca=Path(settings.ssl_ca_cert) if settings.ssl_ca_cert else None,
        token=token_file,
        client_certificate=(settings.cert_file, settings.key_file) if settings.cert_file else None,
        authorization=None if token_file else settings.api_key.get("BearerToken"),
        insecure=not settings.verify_ssl,
        server_name=settings.tls_server_name,
        proxy=settings.proxy,
    )


def _require_file(files: str) -> None:
    if not any(Path(name).expanduser().is_file() for name in files.split(os.pathsep) if name):
        raise FileNotFoundError("there is no such file; give one with --kubeconfig or KUBECONFIG")


def _token_file(config: ConfigNode, user_name: str | None) -> Path | None:
    """The user's token file, where that is the credential: the official loader reads it only once."""
    user = config["users"].get_with_name(user_name, safe=True) if user_name else None
    if user is None:
        raise ValueError(f"its context names {f'the unknown user {user_name}' if user_name else 'no user'}")
    credentials: Mapping[str, Any] = user.value["user"] or {}
    token_file = credentials.get("tokenFile")
    if not token_file or any(key in credentials for key in ("token", "exec", "auth-provider")):
        return None
    return Path(user.path or ".").parent / str(token_file)
