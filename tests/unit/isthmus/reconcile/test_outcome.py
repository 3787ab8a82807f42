from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome, PassReport


def test_a_report_adds_up_the_writes_of_its_steps():
    report = PassReport.of([Outcome("links", added=1), Outcome("routes", changed=2, removed=3)])

    assert report.writes == 6


def test_a_report_names_the_step_of_each_failure():
    locked, missing = Transient("locked"), Transient("missing")
    report = PassReport.of([Outcome("sets", failures=(locked,)), Outcome("routes", failures=(missing,))])

    assert report.failures == (("sets", locked), ("routes", missing))
