"""The lock of the legacy backend: it is waited for, and then its holder can be found by what we say."""

from __future__ import annotations

import fcntl
from ipaddress import ip_network
from pathlib import Path

import pytest

from isthmus.dataplane.command import SystemCommand
from isthmus.dataplane.errors import Busy
from isthmus.dataplane.iptables.driver import sync_ruleset
from isthmus.dataplane.iptables.kernel import kernel_packet_filter
from isthmus.dataplane.ruleset import Accept, Chain, Match, Rule, Ruleset
from tests.netns import private_namespace

pytestmark = pytest.mark.root

KEEP = Rule(Match(destination=ip_network("10.1.0.0/16")), Accept(), "pods keep their address")
WANTED = Ruleset(4, chains=(Chain("nat", "SUBMARINER-POSTROUTING", (KEEP,)),))


async def test_lock_that_is_held_is_named_and_the_next_pass_arrives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "xtables.lock"
    # The lock is one file for the whole host: other programs must not wait for this test.
    monkeypatch.setenv("XTABLES_LOCKFILE", str(lock))
    with private_namespace():
        packet_filter = kernel_packet_filter(SystemCommand(), 4, "legacy")
        with lock.open("w") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            outcome = await sync_ruleset(packet_filter, WANTED)

        assert [type(error) for error in outcome.failures] == [Busy]
        assert "xtables lock" in str(outcome.failures[0])
        assert (await sync_ruleset(packet_filter, WANTED)).failures == ()
