"""What the members are seen to think of a foreign member's objects."""

from __future__ import annotations

from isthmus.lab.lab import Lab
from tests.e2e import rogue
from tests.e2e.hoststate import host_state
from tests.e2e.rogue import Case
from tests.e2e.told import events, reports, words

MEMBERS = ("east", "west")


def assert_refused(lab: Lab, member: str, case: Case) -> None:
    """Every daemon of *member* says what is wrong with the bad object."""
    told = words(lab, member, case.claims)
    refused = [word for word in told if word.status == "error" and case.field in word.message]
    assert all(case.says in word.message for word in refused), refused
    assert {(word.kind, word.node) for word in refused} == {
        ("Gateway", f"{member}-gateway"),
        ("RouteAgent", f"{member}-gateway"),
        ("RouteAgent", f"{member}-worker"),
    }, told


def assert_event(lab: Lab, member: str, case: Case) -> None:
    """An Event on the bad object names the field."""
    told = [text for kind, name, text in events(lab, member) if (kind, name) == (case.kind, case.named)]
    assert any(case.field in text and case.says in text for text in told), told


def assert_not_refused(lab: Lab, member: str) -> None:
    told = [word for report in reports(lab, member) for word in report.words]
    assert not [word for word in told if "refused: " in word.message], told


def assert_forgotten(lab: Lab, member: str) -> None:
    assert_not_refused(lab, member)
    assert not words(lab, member, rogue.ID)


def assert_cables(lab: Lab, member: str, cables: set[str]) -> None:
    """The gateway of *member* holds these connections to the foreign member."""
    state = host_state(lab)[f"{member}-gateway"]
    found = {line.split(":")[0].removeprefix("isthmus-") for line in state if line.startswith("isthmus-sub")}
    assert {name for name in found if rogue.ID in name} == cables, found
