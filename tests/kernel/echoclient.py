"""Asks an echo server once and prints its answer, or why there is none: PROTOCOL ADDRESS PORT KB [SOURCE]."""

from __future__ import annotations

import socket
import sys

SECONDS = 1.5


def ask(
    protocol: str, address: str, port: int, kilobytes: int = 1, source: str = "", seconds: float = SECONDS
) -> str:
    """The answer's first line, or what went wrong instead; asks from the thread's namespace."""
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    try:
        with socket.socket(socket.AF_INET, kind) as client:
            client.settimeout(seconds)
            if source:
                client.bind((source, 0))
            client.connect((address, port))
            client.sendall(f"{kilobytes}\n".encode())
            if protocol == "udp":
                return client.recv(1024).decode().strip()
            return _read_stream(client, kilobytes)
    except OSError as error:
        return f"failed: {error}"


def _read_stream(client: socket.socket, kilobytes: int) -> str:
    answer = b""
    while block := client.recv(1 << 16):
        answer += block
    line, _, rest = answer.partition(b"\n")
    return line.decode() if len(rest) == 1024 * kilobytes else f"only {len(rest)} bytes came"


if __name__ == "__main__":
    print(ask(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), "".join(sys.argv[5:6])))
