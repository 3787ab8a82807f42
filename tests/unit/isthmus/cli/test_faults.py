from __future__ import annotations

from isthmus.cli.faults import Fault, usage


def test_a_wrong_argument_and_a_world_that_refuses_end_with_different_codes():
    assert usage("no such option").exit_code == 2
    assert Fault("no answer").exit_code == 1
    assert str(usage("no such option")) == "no such option"
