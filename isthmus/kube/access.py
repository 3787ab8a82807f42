"""How to reach one API server and who to be there, as a value. How to obtain one: `kube.auth`."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit


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
        """The authorization header as of now.

        Raises OSError when the token file cannot be read, ValueError when it holds no token.
        """
        if self.authorization:
            return {"Authorization": self.authorization}
        token = self.token.read_text(encoding="ascii").strip() if isinstance(self.token, Path) else self.token
        if token and not (token.isascii() and token.isprintable()):
            raise ValueError("it holds something else than one token")
        return {"Authorization": f"Bearer {token}"} if token else {}

    def tls(self) -> ssl.SSLContext:
        """How to trust the server and to show our certificate; files are read now.

        Raises OSError, ssl.SSLError or ValueError for files and CAs that cannot be used.
        """
        context = ssl.create_default_context(
            cafile=str(self.ca) if isinstance(self.ca, Path) else None,
            cadata=self.ca if isinstance(self.ca, str) else None,
        )
        if self.client_certificate:
            context.load_cert_chain(*self.client_certificate)
        if self.insecure:
            context.check_hostname = False
            context.verify_mode = ssl.CERT_NONE
        # From 3.13 on Python insists on RFC 5280 extensions that many clusters' CAs lack.
        context.verify_flags &= ~ssl.VERIFY_X509_STRICT
        return context


def is_server_url(url: str) -> bool:
    """Tell whether *url* can be the address of an API server."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("https", "http") and bool(parts.hostname)
