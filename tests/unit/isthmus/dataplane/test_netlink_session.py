from __future__ import annotations

import errno

import pytest
from pyroute2.netlink.exceptions import NetlinkDumpInterrupted, NetlinkError

from isthmus.dataplane.errors import Busy, KernelRefused, Missing
from isthmus.dataplane.netlink_session import DUMP_ATTEMPTS, Session, attributes, index_of


class Table:
    """Answers a dump with messages, after it was interrupted some times."""

    def __init__(self, interruptions):
        self.interruptions = interruptions
        self.reads = 0

    async def request(self):
        self.reads += 1
        return self.messages()

    async def messages(self):
        yield "half"
        if self.reads <= self.interruptions:
            raise NetlinkDumpInterrupted
        yield "whole"


async def refused_with(code):
    raise NetlinkError(code)


def session():
    return Session(socket=None)


async def test_interrupted_dump_is_read_again_from_the_start():
    table = Table(interruptions=2)

    assert await session().dump("routes", table.request) == ["half", "whole"]
    assert table.reads == 3


async def test_table_that_never_holds_still_is_left_for_a_later_pass():
    table = Table(interruptions=DUMP_ATTEMPTS)

    with pytest.raises(Busy, match="cannot read routes: it kept changing"):
        await session().dump("routes", table.request)


async def test_refused_dump_gets_its_meaning():
    with pytest.raises(KernelRefused, match="cannot read routes"):
        await session().dump("routes", lambda: refused_with(errno.EINVAL))


async def test_put_takes_an_equal_object_for_success_and_drop_a_missing_one():
    await session().put("add rule 150", refused_with(errno.EEXIST))
    await session().drop("remove rule 150", refused_with(errno.ENOENT))


async def test_write_says_what_was_refused():
    with pytest.raises(Missing, match="no such device"):
        await session().write("add route 10.1.0.0/16", refused_with(errno.ENODEV))


def test_missing_device_is_named():
    with pytest.raises(Missing, match="interface no-such-dev0 does not exist"):
        index_of("no-such-dev0")


def test_message_without_attributes_has_none():
    assert attributes({}) == {}
