from __future__ import annotations

import pytest

from isthmus.cli.clusterid import choose_id, suggested_id
from isthmus.cli.faults import USAGE, Fault


def test_the_given_id_counts():
    assert choose_id("west-1", "kubernetes") == "west-1"


def test_without_one_the_kubeconfigs_name_is_made_a_label():
    assert choose_id("", "arn:aws:eks:EU/My_Cluster") == "arn-aws-eks-eu-my-cluster"


@pytest.mark.parametrize("given", ["West", "-west", "west-", "we_st", "a.b", "x" * 64])
def test_an_id_that_is_no_label_is_refused_as_usage(given: str):
    with pytest.raises(Fault, match="is not a valid name") as refused:
        choose_id(given, "kubernetes")

    assert refused.value.exit_code == USAGE


def test_the_refusal_suggests_a_valid_id():
    with pytest.raises(Fault, match="try --clusterid my-cluster"):
        choose_id("My_Cluster", "")


def test_a_kubeconfig_without_a_usable_name_asks_for_one():
    with pytest.raises(Fault, match="choose one with --clusterid"):
        choose_id("", "___")


def test_a_long_name_is_cut_to_a_label():
    assert suggested_id("a" * 62 + "--" + "b") == "a" * 62
