from __future__ import annotations

from collections.abc import Sequence

from crds.meta import ObjectRef, Rejection
from crds.routeagent import RouteAgentStatus
from isthmus.kube.events import Reporter
from isthmus.kube.resources import EVENTS, NAMESPACES, ROUTE_AGENTS
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome
from routeagent.reporting import CONFIRM_INTERVAL, KubeDesk, Reporting
from tests.fakes.clock import FakeClock
from tests.fakes.kubeapi import FakeKube

REJECTION = Rejection(ObjectRef("Endpoint", "ns", "bad"), "spec.subnets", "is empty")


class Desk:
    def __init__(self) -> None:
        self.statuses: list[RouteAgentStatus] = []
        self.announced: list[Sequence[Rejection]] = []
        self.failure: Transient | None = None

    async def write_status(self, status: RouteAgentStatus) -> bool:
        self._refuse()
        self.statuses.append(status)
        return True

    async def announce(self, rejections: Sequence[Rejection]) -> Outcome:
        self.announced.append(rejections)
        return Outcome("events", failures=(self.failure,) if self.failure else ())

    def _refuse(self) -> None:
        if self.failure:
            raise self.failure


class Rig:
    def __init__(self) -> None:
        self.desk, self.clock = Desk(), FakeClock()
        self.status = RouteAgentStatus("1.0")
        self.reporting = Reporting(self.desk, self.clock, lambda: self.status, lambda: (REJECTION,))


async def test_a_status_is_written_once_while_nothing_changes():
    rig = Rig()

    first = await rig.reporting.run_pass()
    second = await rig.reporting.run_pass()

    assert (first.writes, second.writes) == (1, 0)
    assert rig.desk.statuses == [rig.status]


async def test_a_changed_status_is_written_at_once():
    rig = Rig()
    await rig.reporting.run_pass()
    rig.status = RouteAgentStatus("1.0", "routes: refused")

    await rig.reporting.run_pass()

    assert rig.desk.statuses[-1].status_failure == "routes: refused"


async def test_an_unchanged_status_is_confirmed_now_and_then_in_case_somebody_removed_it():
    rig = Rig()
    await rig.reporting.run_pass()
    await rig.clock.advance(CONFIRM_INTERVAL)

    await rig.reporting.run_pass()

    assert len(rig.desk.statuses) == 2


async def test_an_api_server_that_refuses_is_a_failure_of_the_pass_and_is_tried_again():
    rig = Rig()
    rig.desk.failure = Transient("the server is away")

    report = await rig.reporting.run_pass()
    rig.desk.failure = None
    await rig.reporting.run_pass()

    assert [step for step, _ in report.failures] == ["status", "events"]
    assert rig.desk.statuses == [rig.status]


async def test_refused_objects_are_announced_in_every_pass():
    rig = Rig()

    await rig.reporting.run_pass()
    await rig.reporting.run_pass()

    assert rig.desk.announced == [(REJECTION,), (REJECTION,)]


async def test_the_desk_writes_the_nodes_object_and_the_events():
    api, clock = FakeKube(), FakeClock()
    await api.create(NAMESPACES, None, {"metadata": {"name": "ns"}})
    reporter = Reporter(api, clock, "isthmus-routeagent", "east-worker", "ns")
    desk = KubeDesk(api, reporter, "ns", "east-worker")

    first = await desk.write_status(RouteAgentStatus("1.0"))
    second = await desk.write_status(RouteAgentStatus("1.0"))
    outcome = await desk.announce([REJECTION])

    assert (first, second) == (True, False)
    assert (await api.get(ROUTE_AGENTS, "ns", "east-worker"))["status"]["version"] == "1.0"
    assert outcome.added == 1
    assert len((await api.list(EVENTS, "ns")).items) == 1
