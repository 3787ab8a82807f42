"""One API server over HTTP: requests with a deadline, and streams that may not fall silent.

The connection pool and TLS are the official client's. `kube.client` builds the requests.
"""

from __future__ import annotations

import json
import ssl
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio.client.rest import RESTClientObject

from isthmus.kube.access import Access
from isthmus.kube.errors import ApiError, BadCertificate, Call, Unauthorized, Unavailable
from isthmus.kube.refusal import refusal_of_answer, refusal_of_failure

JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Limits:
    """Seconds to wait for a connection, for a whole answer, and between two signs of life of a watch.

    A server sends a bookmark every minute, so a watch that is silent for longer is dead, as behind a
    partition that lets no packet through to close it. `page` is the number of objects per answer of a list.
    """

    connect: float = 10.0
    request: float = 30.0
    silence: float = 75.0
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
        self._rest: RESTClientObject | None = None

    async def close(self) -> None:
        rest, self._rest = self._rest, None
        if rest is not None:
            await rest.close()

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
            answer = json.loads(body)
        except ValueError as error:
            raise Unavailable(request.call, "the answer is not JSON: is this an API server?") from error
        if not isinstance(answer, dict):
            raise Unavailable(request.call, "the answer is no JSON object: is this an API server?")
        return answer

    async def stream(self, request: Request) -> AsyncGenerator[dict[str, Any] | None, None]:
        """Send a request; yield None once it is accepted, then every line of the answer, decoded."""
        deadlines = aiohttp.ClientTimeout(
            total=None, sock_connect=self.limits.connect, sock_read=self.limits.silence
        )
        response = await self._send(request, deadlines)
        try:
            yield None
            rest = b""
            async for chunk in response.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    yield json.loads(line)
        except aiohttp.SocketTimeoutError as error:
            cause = f"nothing was heard for {self.limits.silence:.0f} s"
            raise Unavailable(request.call, cause) from error
        except (aiohttp.ClientError, OSError) as error:
            raise refusal_of_failure(request.call, error) from error
        except ValueError as error:
            raise Unavailable(request.call, "the answer is not JSON: is this an API server?") from error
        finally:
            response.close()

    async def _send(self, request: Request, deadlines: aiohttp.ClientTimeout) -> aiohttp.ClientResponse:
        url = self.access.server + request.path
        if request.query:
            url += "?" + urlencode(request.query)
        try:
            answer = await self._client(request.call).request(
                request.method,
                url,
                headers=self._headers(request),
                body=request.body,
                _request_timeout=deadlines,
            )
            response: aiohttp.ClientResponse = answer.response
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

    def _client(self, call: Call) -> RESTClientObject:
        if self._rest is None:
            try:
                self._rest = RESTClientObject(self.access.configuration())
            except (OSError, ssl.SSLError, ValueError) as error:
                cause = f"the CA or client certificate given for it cannot be used ({error})"
                raise BadCertificate(call, cause) from error
        return self._rest

    async def _doubt(self, refused: ApiError) -> None:
        """Read the certificate files anew for the next request: they may have been renewed in place."""
        renewable = self.access.client_certificate is not None
        if isinstance(refused, BadCertificate) or (isinstance(refused, Unauthorized) and renewable):
            await self.close()
