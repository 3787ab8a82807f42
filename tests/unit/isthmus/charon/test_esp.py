from __future__ import annotations

import pytest

from isthmus.charon.api import CharonFacts
from isthmus.charon.esp import esp_provider, needs_subnet_addresses

BOTH = frozenset({"kernel-libipsec", "kernel-netlink", "vici"})
KERNEL = frozenset({"kernel-netlink", "vici"})


def test_libipsec_takes_the_esp_part_when_it_is_loaded():
    assert esp_provider(CharonFacts("5.9.8", BOTH)) == "libipsec"
    assert esp_provider(CharonFacts("5.9.8", KERNEL)) == "kernel"
    assert esp_provider(CharonFacts("5.9.8", frozenset({"vici"}))) == "none"


@pytest.mark.parametrize(
    ("version", "needs"),
    [
        ("5.9.8", True),
        ("5.9.11", True),
        ("5.9.12", False),
        ("5.9.12dr1", False),
        ("6.0", False),
    ],
)
def test_only_older_versions_of_libipsec_need_an_address_in_each_subnet(version: str, needs: bool):
    assert needs_subnet_addresses(CharonFacts(version, BOTH)) is needs
    assert not needs_subnet_addresses(CharonFacts(version, KERNEL))
