"""Asks an echo server once and prints its answer, or why there is none: PROTOCOL ADDRESS PORT KB [SOURCE]."""

from __future__ import annotations

import socket
import sys

PROTOCOL, ADDRESS, PORT, KILOBYTES = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
SECONDS = 1.5


def ask() -> str:
    kind = socket.SOCK_STREAM if PROTOCOL == "tcp" else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as client:
        client.settimeout(SECONDS)
        if len(sys.argv) > 5:
            client.bind((sys.argv[5], 0))
        client.connect((ADDRESS, PORT))
        client.sendall(f"{KILOBYTES}\n".encode())
        if PROTOCOL == "udp":
            return client.recv(1024).decode()
        answer = b""
        while block := client.recv(1 << 16):
            answer += block
        line, _, rest = answer.partition(b"\n")
        return line.decode() if len(rest) == 1024 * KILOBYTES else f"only {len(rest)} bytes came"


try:
    print(ask())
except OSError as error:
    print(f"failed: {error}")
