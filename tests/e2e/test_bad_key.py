"""A pre-shared key that differs in one cluster: both gateways name the cause, and the right one cures it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from broker.info import PSK_SECRET
from isthmus.lab import charon
from isthmus.lab.lab import Lab
from tests.e2e.breaking import changed_secret, restart
from tests.e2e.flows import target
from tests.e2e.patience import eventually
from tests.e2e.seen import MEMBERS
from tests.e2e.steady import steady_flow
from tests.e2e.told import await_well, reports


def test_a_wrong_key_is_named_at_both_ends_and_the_right_one_is_taken_up_by_running_daemons(
    bad_lab: Lab, tmp_path: Path
) -> None:
    await_well(bad_lab, *MEMBERS)
    inside = target(bad_lab, "west", "worker", "Pod IP").address
    with steady_flow(bad_lab, "west/web-gateway", inside, tmp_path / "ping.log") as flow, flow.unharmed():
        with changed_secret(bad_lab, "west", PSK_SECRET, "psk", b"the key of another clusterset"):
            # A tunnel that is up outlives the change of its key; this one has to be negotiated anew.
            restart(bad_lab, "west-gateway", charon.NAME)

            for member in MEMBERS:
                eventually(partial(assert_cause_named, bad_lab, member))
        await_well(bad_lab, *MEMBERS)


def assert_cause_named(lab: Lab, member: str) -> None:
    (gateway,) = (report for report in reports(lab, member) if report.kind == "Gateway")
    (word,) = gateway.words
    assert word.status == "error", gateway
    assert "pre-shared key" in word.message
