from __future__ import annotations

from ipaddress import ip_network

import pytest

from isthmus.reconcile.environment import Environment, wants_debug, wants_uninstall
from isthmus.reconcile.errors import Fatal


def faults(env: Environment) -> str:
    with pytest.raises(Fatal) as caught:
        env.check("the gateway")
    return str(caught.value)


def test_no_fault_passes_the_check():
    Environment({}).check("the gateway")


def test_an_empty_variable_counts_as_absent():
    env = Environment({"A": "  ", "B": ""})

    assert (env.text("A", "x"), env.flag("B", True), env.number("B", 3, 0, 9)) == ("x", True, 3)


@pytest.mark.parametrize(("text", "value"), [("TRUE", True), ("1", True), ("no", False), ("f", False)])
def test_booleans_come_in_the_usual_spellings(text, value):
    assert Environment({"A": text}).flag("A", not value) is value


def test_every_fault_is_told_at_once_one_a_line():
    env = Environment({"FLAG": "maybe", "PORT": "70000", "NETS": "10.0.0.1/8,fe80::/129", "NONE": ", ,"})
    env.required("ID", "an id")
    env.flag("FLAG", False)
    env.number("PORT", 1, 1, 65535)
    env.networks("NETS", "networks")
    env.networks("NONE", "networks")

    text = faults(env)

    assert text.splitlines()[1:] == [
        "  ID: is not set; give it an id",
        "  FLAG: 'maybe' is neither true nor false",
        "  PORT: '70000' is not a whole number from 1 to 65535",
        '  NETS: "10.0.0.1/8" has bits set behind the prefix; the network is 10.0.0.0/8',
        '  NETS: "fe80::/129" is not a CIDR; write one such as 10.1.0.0/16',
        "  NONE: holds nothing but commas; give it networks",
    ]


@pytest.mark.parametrize("text", ["0.0.0.0/0", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4"])
def test_networks_that_no_cluster_can_have_are_faults(text):
    env = Environment({"NETS": text})
    env.networks("NETS", "networks")

    assert f"NETS: {text} covers" in faults(env)


def test_a_list_of_networks_keeps_its_order():
    env = Environment({"NETS": "10.2.0.0/16, 10.1.0.0/16,"})

    assert env.networks("NETS", "networks") == (ip_network("10.2.0.0/16"), ip_network("10.1.0.0/16"))


def test_an_uninstall_is_asked_for_by_a_variable() -> None:
    assert wants_uninstall({"SUBMARINER_UNINSTALL": "true"}, "the daemon")
    assert not wants_uninstall({}, "the daemon")


def test_a_cluster_id_that_is_no_dns_label_is_a_fault_that_says_what_one_is() -> None:
    env = Environment({"SUBMARINER_CLUSTERID": "East.1"})

    env.cluster_id()

    with pytest.raises(Fatal, match=r"SUBMARINER_CLUSTERID: .East\.1. is not a cluster id; use at most 63"):
        env.check("the daemon")


@pytest.mark.parametrize(("text", "wanted"), [("yes", True), ("TRUE", True), ("", False), ("maybe", False)])
def test_details_are_logged_when_a_variable_asks_for_them(text: str, wanted: bool) -> None:
    assert wants_debug({"SUBMARINER_DEBUG": text}) is wanted
