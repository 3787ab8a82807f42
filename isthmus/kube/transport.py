"""One API server over HTTP: requests with a deadline, and streams that may not fall silent.

`kube.client` builds the requests. The official client would do its pooling no differently, but it loads 20 MB
of code into every daemon and makes it start half again as slowly.
"""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from isthmus.kube.access import Access
from isthmus.kube.decode import decode
from isthmus.kube.errors import ApiError, BadCertificate, Call, Unauthorized, Unavailable
from isthmus.kube.refusal import refusal_of_answer, refusal_of_failure

JSON = "application/json"
READ_BUFFER = 2 << 20
"""Bytes: the largest objects come in a few pieces, not in hundreds."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait for a connection, for a whole answer, and between two signs of life of a watch.

    A server sends a bookmark every minute where there is news. A watch that is silent for longer than that is
    closed and opened again: only this tells a quiet server from one behind a partition, through which not
    even the end of the connection is heard. `page` is the number of objects per answer of a list.
    """

    connect: float = 10.0
    request: float = 30.0
    silence: float = 65.0
    page: int = 500


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; `call` names it in messages."""

    call: Call
    method: str
    path: str
    query: Mapping[str, str]
    body: Mapping[str, Any] | None = None
    content_type: str = JSON


class Transport:
    """A pool of connections to one server, opened on first use and anew after its trust was in doubt."""

    def __init__(self, access: Access, limits: Limits) -> None:
        self.access = access
        self.limits = limits
        self._session: aiohttp.ClientSession | None = None

    async def close(self) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def fetch(self, request: Request) -> dict[str, Any]:
        """Send a request and return the decoded answer."""
        deadlines = aiohttp.ClientTimeout(total=self.limits.request, sock_connect=self.limits.connect)
        response = await self._send(request, deadlines)
        try:
            body = await response.read()
        except (aiohttp.ClientError, OSError) as error:
            raise refusal_of_failure(request.call, error) from error
        finally:
            response.release()
        try:
            answer = decode(body)
        except ValueError as error:
            raise Unavailable(request.call, "the answer is not JSON: is this an API server?") from error
        if not isinstance(answer, dict):
            raise Unavailable(request.call, "the answer is no JSON object: is this an API server?")
        return answer

    async def stream(self, request: Request) -> AsyncGenerator[dict[str, Any] | None, None]:
        """Send a request; yield None once it is accepted, then every line of the answer, decoded.

        Ends when the server ends it or falls silent.
        """
        response = await self._open(request)
        try:
            yield None
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield decode(line)
        except aiohttp.SocketTimeoutError:
            return
        except (aiohttp.ClientError, OSError) as error:
            raise refusal_of_failure(request.call, error) from error
        except ValueError as error:
            raise Unavailable(request.call, "the answer is not JSON: is this an API server?") from error
        finally:
            _abandon(response)

    async def _open(self, request: Request) -> aiohttp.ClientResponse:
        deadlines = aiohttp.ClientTimeout(
            total=None, sock_connect=self.limits.connect, sock_read=self.limits.silence
        )
        try:
            async with asyncio.timeout(self.limits.request):
                return await self._send(request, deadlines)
        except TimeoutError as error:
            raise refusal_of_failure(request.call, error) from error

    async def _send(self, request: Request, deadlines: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        url = self.access.server + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        try:
            response = await self._open_session(request.call).request(
                request.method,
                url,
                headers=self._headers(request),
                data=None if request.body is None else json.dumps(request.body),
                timeout=deadlines,
                proxy=self.access.proxy,
                server_hostname=self.access.server_name,
            )
            if 200 <= response.status < 300:
                return response
            refused = refusal_of_answer(
                request.call, response.status, await response.read(), response.headers
            )
            response.release()
        except (aiohttp.ClientError, OSError) as error:
            refused = refusal_of_failure(request.call, error)
        await self._doubt(refused)
        raise refused

    def _headers(self, request: Request) -> dict[str, str]:
        try:
            authorization = self.access.headers()
        except (OSError, ValueError) as error:
            raise Unauthorized(request.call, f"the token file cannot be read ({error})") from error
        return {
            "Accept": JSON,
            "Content-Type": request.content_type,
            "User-Agent": "isthmus",
            **authorization,
        }

    def _open_session(self, call: Call) -> aiohttp.ClientSession:
        if self._session is None:
            try:
                tls = self.access.tls()
            except (OSError, ssl.SSLError, ValueError) as error:
                cause = f"the CA or client certificate given for it cannot be used ({error})"
                raise BadCertificate(call, cause) from error
            # Proxies of the environment are meant for the outside world, not for a cluster's own API server,
            # and Kubernetes' way to exempt it (networks in NO_PROXY) is not understood by aiohttp.
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(ssl=tls), trust_env=False, read_bufsize=READ_BUFFER
            )
        return self._session

    async def _doubt(self, refused: ApiError) -> None:
        """Read the certificate files anew for the next request: they may have been renewed in place."""
        renewable = self.access.client_certificate is not None
        if isinstance(refused, BadCertificate) or (isinstance(refused, Unauthorized) and renewable):
            await self.close()


def _abandon(response: aiohttp.ClientResponse) -> None:
    """Drop the connection of an unfinished answer: a TLS farewell would wait for a peer that may be gone."""
    connection = response.connection
    if connection is not None and connection.transport is not None:
        connection.transport.abort()
    response.close()
