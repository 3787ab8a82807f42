from __future__ import annotations

import pytest

from isthmus.dataplane.command import ProgramMissing
from isthmus.dataplane.iptables.backend import detect_backend, installed_backends
from tests.fakes.command import FakeCommand

HINT = "*mangle\n:KUBE-IPTABLES-HINT - [0:0]\nCOMMIT\n"
TWO_RULES = "*filter\n-A INPUT -j ACCEPT\n-A FORWARD -j ACCEPT\nCOMMIT\n"
ONE_RULE = "*filter\n-A INPUT -j ACCEPT\nCOMMIT\n"
OURS = "*filter\n-A FORWARD -j SUBMARINER-A\n-A SUBMARINER-A -j ACCEPT\n-A SUBMARINER-A -j DROP\nCOMMIT\n"
NFT_IS_PLAIN = "iptables v1.8.9 (nf_tables)\n"
LEGACY_IS_PLAIN = "iptables v1.8.9 (legacy)\n"


@pytest.mark.parametrize(
    ("nft", "legacy", "plain", "expected"),
    [
        pytest.param(HINT, TWO_RULES, NFT_IS_PLAIN, "nft", id="kubelet's hint outweighs rules"),
        pytest.param(TWO_RULES, HINT, NFT_IS_PLAIN, "legacy", id="kubelet's hint is in legacy"),
        pytest.param(ONE_RULE, TWO_RULES, NFT_IS_PLAIN, "legacy", id="more rules"),
        pytest.param(OURS, ONE_RULE, NFT_IS_PLAIN, "legacy", id="our own rules do not count"),
        pytest.param("", "", LEGACY_IS_PLAIN, "legacy", id="the host's alternative is legacy"),
        pytest.param("", "", NFT_IS_PLAIN, "nft", id="the host's alternative is nft"),
    ],
)
async def test_backend_is_the_one_that_kubernetes_uses(nft, legacy, plain, expected):
    command = FakeCommand(
        {"iptables-nft-save": nft, "iptables-legacy-save": legacy, "iptables --version": plain}
    )

    assert await detect_backend(command, 4) == expected


async def test_backend_that_is_not_installed_is_not_chosen():
    command = FakeCommand({"ip6tables-legacy-save": ""})

    assert await detect_backend(command, 6) == "legacy"
    assert await installed_backends(command, 6) == ("legacy",)


async def test_host_without_iptables_is_told_to_install_it():
    with pytest.raises(ProgramMissing, match="install one"):
        await detect_backend(FakeCommand(), 4)
