from __future__ import annotations

import pytest

from isthmus.dataplane.command import CommandFailed
from isthmus.dataplane.errors import Busy, NoPermission
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from tests.fakes.command import FakeCommand


async def test_held_lock_is_named_with_a_way_to_find_its_holder():
    refusal = CommandFailed(
        "iptables-legacy-restore",
        4,
        "Another app is currently holding the xtables lock; still 0s 0us time ahead",
    )
    command = FakeCommand({"iptables-legacy-restore": refusal})

    with pytest.raises(Busy, match=r"fuser -v /run/xtables\.lock"):
        await kernel_packet_filter(command, 4, "legacy").apply("*nat\nCOMMIT\n")


async def test_lacking_rights_are_named():
    refusal = CommandFailed(
        "iptables-nft-save", 4, "Could not fetch rule set generation id: Permission denied"
    )
    command = FakeCommand({"iptables-nft-save": refusal})

    with pytest.raises(NoPermission, match="run as root"):
        await kernel_packet_filter(command, 4, "nft").dump()


async def test_refused_line_is_quoted_beside_its_number():
    refusal = CommandFailed("ipset", 1, "ipset v7.17: Error in line 2: Set cannot be created")
    command = FakeCommand({"ipset": refusal})

    with pytest.raises(CommandFailed, match="the line is: create B"):
        await kernel_packet_filter(command, 4, "nft").sets.apply("create A\ncreate B\n")


async def test_rules_are_restored_without_flush_and_with_patience_for_the_lock():
    command = FakeCommand({"ip6tables-nft-restore": ""})

    await kernel_packet_filter(command, 6, "nft").apply("*nat\nCOMMIT\n")

    assert command.calls == [("ip6tables-nft-restore --noflush -w 5", "*nat\nCOMMIT\n")]


async def test_empty_table_stays_where_nft_is_not_installed():
    await kernel_packet_filter(FakeCommand(), 4, "nft").drop_table("nat")


async def test_legacy_backend_keeps_its_tables():
    command = FakeCommand({"nft": ""})

    await kernel_packet_filter(command, 4, "legacy").drop_table("nat")

    assert command.calls == []
