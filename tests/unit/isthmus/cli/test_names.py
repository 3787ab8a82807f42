from __future__ import annotations

from broker.access import BROKER_NAMESPACE
from isthmus.cli import names
from isthmus.lab import kubelet


def test_the_labs_kubelet_looks_where_join_writes():
    assert kubelet.NAMESPACE == names.NAMESPACE
    assert kubelet.CONFIG_MAP == names.CONFIG_MAP
    assert kubelet.GATEWAY_LABEL == names.GATEWAY_LABEL
    assert set(kubelet.ACCOUNTS.values()) == {names.GATEWAY_ACCOUNT, names.ROUTE_AGENT_ACCOUNT}


def test_a_member_and_a_broker_can_share_a_cluster():
    assert names.NAMESPACE != BROKER_NAMESPACE
