from __future__ import annotations

import json
import socket
import threading
import urllib.request
from http.server import ThreadingHTTPServer

import pytest

from isthmus.lab.httpserver import Answer, answer_datagrams, identity


@pytest.fixture
def url(monkeypatch):
    monkeypatch.setattr(Answer, "shown", "east/web")
    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def get(url: str) -> bytes:
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(url, timeout=10) as answer:
        return bytes(answer.read())


def test_it_says_who_it_is_and_who_asked(url):
    assert json.loads(get(f"{url}/")) == {"server": "east/web", "client": "127.0.0.1"}


@pytest.mark.parametrize("count", [0, 1, 65_536, 1_000_003])
def test_it_sends_as_many_bytes_as_asked_for(url, count):
    assert len(get(f"{url}/bytes?n={count}")) == count


def test_it_answers_datagrams_with_both_names():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    threading.Thread(target=answer_datagrams, args=("east/web", port), daemon=True).start()

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.05)
        for _ in range(200):
            client.sendto(b"?", ("127.0.0.1", port))
            try:
                answer = client.recv(1000)
                break
            except (TimeoutError, ConnectionRefusedError):
                continue

    assert answer == identity("east/web", "127.0.0.1")
