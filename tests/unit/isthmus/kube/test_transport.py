"""What a server can do wrong on the wire, acted out by a small HTTP server on loopback."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from isthmus.kube import errors
from isthmus.kube.access import Access
from isthmus.kube.errors import Call
from isthmus.kube.transport import Limits, Request, Transport
from tests.apiserver import free_ports, make_authority, make_server_certificate

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]
CREDENTIAL = "s3cret"
IMPATIENT = Limits(request=0.2)
CALM = Limits()


def request(server: str = "") -> Request:
    return Request(Call(server, "list", "nodes"), "GET", "/api/v1/nodes", {"labelSelector": "a=b,c"})


@asynccontextmanager
async def serving(answer: Answer, tls: ssl.SSLContext | None = None):
    runner = web.ServerRunner(web.Server(answer, handler_cancellation=True), shutdown_timeout=0.1)
    await runner.setup()
    (port,) = free_ports(1)
    await web.TCPSite(runner, "127.0.0.1", port, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def connected(answer: Answer, limits: Limits = CALM, **credentials):
    async with serving(answer) as server:
        transport = Transport(Access(server, **credentials), limits)
        try:
            yield transport
        finally:
            await transport.close()


async def collect(transport: Transport) -> list[dict[str, Any] | None]:
    async with aclosing(transport.stream(request())) as lines:
        return [line async for line in lines]


def streaming(*chunks: bytes, stalls: bool = False) -> Answer:
    async def answer(received: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(received)
        for chunk in chunks:
            await response.write(chunk)
        if stalls:
            await asyncio.Event().wait()
        return response

    return answer


async def test_a_request_carries_the_query_and_the_credentials():
    async def answer(received: web.BaseRequest) -> web.Response:
        return web.json_response(
            {
                "path": received.path,
                "selector": received.query["labelSelector"],
                "authorization": received.headers["Authorization"],
                "agent": received.headers["User-Agent"],
            }
        )

    async with connected(answer, token=CREDENTIAL) as transport:
        assert await transport.fetch(request()) == {
            "path": "/api/v1/nodes",
            "selector": "a=b,c",
            "authorization": f"Bearer {CREDENTIAL}",
            "agent": "isthmus",
        }


async def test_a_token_file_that_vanished_is_named(tmp_path: Path):
    async with connected(streaming(), token=tmp_path / "token") as transport:
        with pytest.raises(errors.Unauthorized, match=r"token file cannot be read.*token"):
            await transport.fetch(request())


async def test_a_server_that_accepts_but_never_answers_is_given_up():
    async def answer(received: web.BaseRequest) -> web.Response:
        await asyncio.Event().wait()
        return web.Response()

    async with connected(answer, IMPATIENT) as transport:
        with pytest.raises(errors.Unavailable, match="no answer in time"):
            await transport.fetch(request())
        with pytest.raises(errors.Unavailable, match="no answer in time"):
            await collect(transport)


async def test_an_answer_that_stops_in_the_middle_is_given_up():
    async with connected(streaming(b'{"items": [', stalls=True), IMPATIENT) as transport:
        with pytest.raises(errors.Unavailable, match="no answer in time"):
            await transport.fetch(request())


@pytest.mark.parametrize("body", [b"<html>welcome</html>", b"[1]", b""])
async def test_something_that_is_no_api_server_is_suspected(body):
    async with connected(streaming(body)) as transport:
        with pytest.raises(errors.Unavailable, match="is this an API server"):
            await transport.fetch(request())


async def test_lines_are_put_together_however_they_arrive():
    chunks = (b'{"a"', b": 1}\n{", b'"b": 2}\n{"c": 3}\n')

    async with connected(streaming(*chunks)) as transport:
        assert await collect(transport) == [None, {"a": 1}, {"b": 2}, {"c": 3}]


async def test_a_line_of_megabytes_arrives():
    async with connected(streaming(b'{"a": "' + b"x" * 5_000_000 + b'"}\n')) as transport:
        _, line = await collect(transport)

    assert line is not None
    assert len(line["a"]) == 5_000_000


async def test_a_stream_that_falls_silent_ends():
    async with connected(streaming(b'{"a": 1}\n', stalls=True), Limits(silence=1.0)) as transport:
        assert await collect(transport) == [None, {"a": 1}]


async def test_a_stream_of_something_else_is_suspected():
    async with connected(streaming(b"<html>\n")) as transport:
        with pytest.raises(errors.Unavailable, match="is this an API server"):
            await collect(transport)


async def test_a_stream_that_is_cut_is_a_broken_connection():
    async def answer(received: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_length = 1000
        await response.prepare(received)
        await response.write(b'{"a": 1}\n')
        assert received.transport is not None
        received.transport.abort()
        return response

    async with connected(answer) as transport:
        with pytest.raises(errors.Unavailable, match="the connection broke"):
            await collect(transport)


async def test_a_refused_stream_is_classified():
    async def answer(received: web.BaseRequest) -> web.Response:
        return web.json_response({"message": "too old"}, status=410)

    async with connected(answer) as transport:
        with pytest.raises(errors.Gone, match="too old"):
            await collect(transport)


async def test_a_client_that_stops_listening_drops_its_connection():
    gone = asyncio.Event()

    async def answer(received: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(received)
        try:
            await asyncio.Event().wait()
        finally:
            gone.set()
        return response

    async with connected(answer) as transport:
        async with aclosing(transport.stream(request())) as lines:
            assert await anext(lines) is None

        async with asyncio.timeout(5):
            await gone.wait()


async def test_a_server_that_speaks_no_tls_is_told_from_one_that_is_away():
    async with serving(streaming()) as server:
        transport = Transport(Access(server.replace("http:", "https:")), CALM)

        with pytest.raises(errors.Unavailable, match="TLS handshake failed"):
            await transport.fetch(request())
        await transport.close()


async def test_a_name_that_nobody_knows_is_said():
    transport = Transport(Access("https://isthmus.invalid"), CALM)

    with pytest.raises(errors.Unavailable, match=r"isthmus\.invalid cannot be resolved"):
        await transport.fetch(request())
    await transport.close()


async def test_a_ca_that_is_no_certificate_is_said_and_may_be_corrected_later(tmp_path: Path):
    ca = tmp_path / "ca.crt"
    ca.write_text("not a certificate")
    transport = Transport(Access("https://127.0.0.1:1", ca=ca), CALM)

    with pytest.raises(errors.BadCertificate, match="CA or client certificate given for it cannot be used"):
        await transport.fetch(request())

    make_authority(tmp_path, "ca")
    with pytest.raises(errors.Unavailable, match="no connection"):
        await transport.fetch(request())
    await transport.close()


async def test_a_ca_file_that_is_renewed_is_believed_without_a_restart(tmp_path: Path):
    make_authority(tmp_path, "old")
    make_authority(tmp_path, "new")
    certificate = make_server_certificate(tmp_path, "new", "server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, tmp_path / "server.key")
    ca = tmp_path / "ca.crt"
    ca.write_text((tmp_path / "old.crt").read_text())

    async with serving(streaming(b"{}"), tls) as server:
        transport = Transport(Access(server, ca=ca), CALM)
        with pytest.raises(errors.BadCertificate, match="not trusted"):
            await transport.fetch(request())

        ca.write_text((tmp_path / "new.crt").read_text())
        assert await transport.fetch(request()) == {}
        await transport.close()


async def test_a_server_with_another_name_is_not_trusted(tmp_path: Path):
    make_authority(tmp_path, "ca")
    certificate = make_server_certificate(tmp_path, "ca", "server")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, tmp_path / "server.key")

    async with serving(streaming(b"{}"), tls) as server:
        transport = Transport(Access(server, ca=tmp_path / "ca.crt", server_name="other"), CALM)
        with pytest.raises(errors.BadCertificate, match="other"):
            await transport.fetch(request())
        await transport.close()


@pytest.mark.parametrize("levels", [500, 5_000])
async def test_an_answer_nested_without_measure_is_read_like_any_other(levels: int):
    deep = b'{"name": "west", "deep": ' + b"[" * levels + b"]" * levels + b"}"

    async def answer(_received: web.BaseRequest) -> web.Response:
        return web.Response(body=deep)

    async with connected(answer) as transport:
        assert (await transport.fetch(request()))["name"] == "west"
    async with connected(streaming(deep + b"\n")) as transport:
        lines = await collect(transport)

    assert [line["name"] for line in lines if line] == ["west"]
