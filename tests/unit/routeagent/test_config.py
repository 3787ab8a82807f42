from __future__ import annotations

from pathlib import Path

import pytest

from isthmus.reconcile.errors import Fatal
from routeagent.config import read_settings, state_directory
from tests import builders

COMPLETE = {
    "SUBMARINER_CLUSTERID": "east",
    "SUBMARINER_NAMESPACE": "submariner-operator",
    "SUBMARINER_SERVICECIDR": "10.96.0.0/16",
    "SUBMARINER_CLUSTERCIDR": "10.244.0.0/16",
    "NODE_NAME": "east-worker",
}


def fault(**changes: str) -> str:
    with pytest.raises(Fatal) as caught:
        read_settings(COMPLETE | changes)
    return str(caught.value)


def test_the_smallest_complete_environment_gives_the_defaults():
    settings = read_settings(COMPLETE)

    assert settings.local.cidrs == builders.networks("10.96.0.0/16", "10.244.0.0/16")
    assert (settings.node, settings.masquerade_bit, settings.health_interval) == ("east-worker", 14, 60.0)
    assert settings.state_directory == Path("/var/lib/isthmus")
    assert settings.kubeconfig is None


def test_workers_ping_sixty_times_less_often_than_gateways():
    assert read_settings(COMPLETE | {"SUBMARINER_HEALTHCHECKINTERVAL": "2"}).health_interval == 120.0


def test_health_checks_can_be_switched_off():
    assert read_settings(COMPLETE | {"SUBMARINER_HEALTHCHECKENABLED": "false"}).health_interval is None


def test_all_faults_are_told_at_once():
    with pytest.raises(Fatal) as caught:
        read_settings({})

    assert [line.split(":")[0].strip() for line in str(caught.value).splitlines()[1:]] == [
        "SUBMARINER_CLUSTERID",
        "SUBMARINER_SERVICECIDR",
        "SUBMARINER_CLUSTERCIDR",
        "SUBMARINER_NAMESPACE",
        "NODE_NAME",
    ]


@pytest.mark.parametrize("bit", ["-1", "32", "mark"])
def test_a_bit_that_no_mark_has_is_refused(bit):
    assert "ISTHMUS_MASQUERADE_BIT" in fault(ISTHMUS_MASQUERADE_BIT=bit)


def test_a_cluster_id_must_be_a_name():
    assert "'East!' is not a cluster id" in fault(SUBMARINER_CLUSTERID="East!")
    assert state_directory({"ISTHMUS_STATE_DIR": "/srv/state"}) == Path("/srv/state")
