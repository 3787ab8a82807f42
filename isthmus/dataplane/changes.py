"""News from the kernel that links, addresses, routes or rules changed.

What changed is not read: whoever hears of it dumps the tables, which is the truth. So this listens on a plain
socket and decodes nothing, and a host with a busy routing table costs no parsing.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import AsyncGenerator

RTMGRP_LINK = 0x1
RTMGRP_IPV4_IFADDR = 0x10
RTMGRP_IPV4_ROUTE = 0x40
RTMGRP_IPV4_RULE = 0x80
RTMGRP_IPV6_IFADDR = 0x100
RTMGRP_IPV6_ROUTE = 0x400
RTMGRP_IPV6_RULE = 1 << 18
"""Bit of the group RTNLGRP_IPV6_RULE, number 19 (linux/rtnetlink.h); the rest are that header's RTMGRP_*."""

GROUPS = (
    RTMGRP_LINK
    | RTMGRP_IPV4_IFADDR
    | RTMGRP_IPV4_ROUTE
    | RTMGRP_IPV4_RULE
    | RTMGRP_IPV6_IFADDR
    | RTMGRP_IPV6_ROUTE
    | RTMGRP_IPV6_RULE
)

RECEIVE_BYTES = 1 << 16


class KernelFeed:
    """`ChangeFeed` of the namespace of the thread that starts to listen."""

    async def changes(self) -> AsyncGenerator[None, None]:
        """Yield once per burst of changes, for ever."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as news:
            news.setblocking(False)
            news.bind((0, GROUPS))
            while True:
                try:
                    await loop.sock_recv(news, RECEIVE_BYTES)
                except OSError as error:
                    if error.errno != errno.ENOBUFS:
                        raise
                    # More news than fits the buffer is news all the same.
                _drain(news)
                yield


def _drain(news: socket.socket) -> None:
    """Read what else is there, so that a burst of a thousand routes is one piece of news."""
    while True:
        try:
            news.recv(RECEIVE_BYTES)
        except BlockingIOError:
            return
        except OSError as error:
            if error.errno != errno.ENOBUFS:
                raise
