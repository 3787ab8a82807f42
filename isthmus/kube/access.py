"""How to reach one API server and who to be there, as a value. How to obtain one: `kube.auth`."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from kubernetes.aio.client.configuration import Configuration


@dataclass(frozen=True, slots=True)
class Access:
    """A server's URL, what proves that it is the right one, and our credentials.

    A `Path` is read again whenever it is used: Kubernetes renews tokens and CA bundles in place. Without `ca`
    the system's certificate store decides. `client_certificate` is the pair (certificate file, key file);
    `authorization` a complete header value; of the three credentials any may be missing.
    """

    server: str
    ca: str | Path | None = field(default=None, repr=False)
    token: str | Path | None = field(default=None, repr=False)
    client_certificate: tuple[str, str] | None = None
    authorization: str | None = field(default=None, repr=False)
    insecure: bool = False
    server_name: str | None = None
    proxy: str | None = None

    def headers(self) -> dict[str, str]:
        """The authorization header as of now; OSError when the token file cannot be read."""
        if self.authorization:
            return {"Authorization": self.authorization}
        token = self.token.read_text(encoding="ascii").strip() if isinstance(self.token, Path) else self.token
        return {"Authorization": f"Bearer {token}"} if token else {}

    def configuration(self) -> Configuration:
        """The official client's settings; the CA file is read when a client is made of them."""
        settings = Configuration(
            host=self.server,
            ssl_ca_cert=str(self.ca) if isinstance(self.ca, Path) else None,
            ca_cert_data=self.ca if isinstance(self.ca, str) else None,
            verify_ssl=not self.insecure,
            tls_server_name=self.server_name,
            proxy=self.proxy,
            # Proxies of the environment are meant for the outside world, not for a cluster's own API server,
            # and Kubernetes' way to exempt it (networks in NO_PROXY) is not understood by the transport.
            client_session_kwargs={"trust_env": False},
        )
        if self.client_certificate:
            settings.cert_file, settings.key_file = self.client_certificate
        # From 3.13 on Python insists on RFC 5280 extensions that many clusters' CAs lack.
        settings.disable_strict_ssl_verification = True
        return settings
