"""What runs in a lab pod: says who it is and who asked, over TCP (HTTP) and UDP, on one port.

    GET /            {"server": "east/web-worker", "client": "10.20.1.10"}
    GET /bytes?n=N   N bytes, for transfers
    a UDP datagram   answered with the same JSON as GET /

Only the standard library, and run as a plain file: a pod starts in a few tens of milliseconds.
"""

from __future__ import annotations

import json
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

BLOCK = bytes(range(256)) * 256


class Answer(BaseHTTPRequestHandler):
    """One HTTP request; `server_name_shown` is the pod's name."""

    protocol_version = "HTTP/1.1"
    shown = "?"

    def do_GET(self) -> None:
        """Answer with names, or with as many bytes as asked for."""
        parts = urlsplit(self.path)
        if parts.path == "/bytes":
            self._send_bytes(int(parse_qs(parts.query).get("n", ["0"])[0]))
        else:
            self._send(identity(self.shown, self.client_address[0]))

    def _send(self, body: bytes) -> None:
        self._head(len(body), "application/json")
        self.wfile.write(body)

    def _send_bytes(self, count: int) -> None:
        self._head(count, "application/octet-stream")
        for _ in range(count // len(BLOCK)):
            self.wfile.write(BLOCK)
        self.wfile.write(BLOCK[: count % len(BLOCK)])

    def _head(self, length: int, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Keep quiet: thousands of requests would fill the log."""


def identity(server: str, client: str) -> bytes:
    """The JSON line that names both ends."""
    return json.dumps({"server": server, "client": client}).encode() + b"\n"


def answer_datagrams(name: str, port: int) -> None:
    """Answer every datagram with the names of both ends, for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("0.0.0.0", port))
        while True:
            _, client = udp.recvfrom(65535)
            udp.sendto(identity(name, client[0]), client)


def main() -> None:
    name, port = sys.argv[1], int(sys.argv[2])
    Answer.shown = name
    threading.Thread(target=answer_datagrams, args=(name, port), daemon=True).start()
    ThreadingHTTPServer.request_queue_size = 128
    with ThreadingHTTPServer(("0.0.0.0", port), Answer) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
