"""Answers every connection and every datagram with its own name and the client's address: NAME PORT."""

from __future__ import annotations

import socketserver
import sys
import threading

NAME, PORT = sys.argv[1], int(sys.argv[2])


class Stream(socketserver.StreamRequestHandler):
    """Reads how many kilobytes to send after the answer's line."""

    def handle(self) -> None:
        kilobytes = int(self.rfile.readline())
        self.wfile.write(f"{NAME} {self.client_address[0]}\n".encode() + b"x" * 1024 * kilobytes)


class Datagram(socketserver.DatagramRequestHandler):
    def handle(self) -> None:
        self.wfile.write(f"{NAME} {self.client_address[0]}\n".encode())


socketserver.ThreadingTCPServer.allow_reuse_address = True
stream = socketserver.ThreadingTCPServer(("", PORT), Stream)
datagram = socketserver.ThreadingUDPServer(("", PORT), Datagram)
threading.Thread(target=datagram.serve_forever, daemon=True).start()
print("ready", flush=True)
stream.serve_forever()
