"""One pass over the cables: survey, snapshot, plan, and what may be done about it in our present role.

The leader makes the cables that the members' objects ask for. A follower makes sure that it holds none, since
the leader does. While that is undecided (the API is away, or the process has only just begun) nothing new is
planned; cables that we made as the leader are kept alive. No step of a pass speaks to an API server.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from gateway.cabling import Cabling
from gateway.config import IPSEC, Settings
from gateway.leadership import Role, Standing
from gateway.localendpoint import LocalPlan, local_cluster, plan_local
from gateway.picture import Held, Picture
from gateway.plan.cables import plan_cables
from gateway.snapshot import Members, Snapshot
from gateway.survey import Survey, Surveyor
from isthmus.membership.judge import Membership, judge
from isthmus.reconcile.outcome import Outcome, PassReport

BACKENDS = frozenset({IPSEC})


class Leadership(Protocol):
    """What a pass asks of the election."""

    @property
    def role(self) -> Role:
        """Our role as of the last event."""

    def leads(self) -> bool:
        """Whether we may still act as the leader at this very moment."""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pass is put together from."""

    surveyor: Surveyor
    members: Members
    leadership: Leadership
    cabling: Cabling


class GatewayPass:
    """Runs passes; `picture` is what the last one came to."""

    def __init__(self, settings: Settings, parts: Parts, on_picture: Callable[[Picture], None]) -> None:
        self._settings = settings
        self._parts = parts
        self._on_picture = on_picture
        self._held: Held | None = None
        self.picture = Picture()

    async def run(self) -> PassReport:
        """Look at everything again and act on it."""
        survey = await self._parts.surveyor.survey()
        known = self._parts.members.snapshot()
        plan = self._plan(survey)
        role = self._parts.leadership.role
        members = self._judge(known) if role.standing is Standing.LEADER else Membership()
        if role.standing is Standing.LEADER and plan and known.synced:
            self._held = _hold(survey, plan, members) or self._held
        outcomes = await self._act(role.standing, reachable=not survey.driver_trouble)
        self.picture = Picture(
            role=role,
            survey=survey,
            plan=plan,
            cables=self._held.cables if self._held else (),
            refusals=members.refusals,
            outcomes=(*survey.outcomes, *outcomes),
            watch_troubles=known.troubles,
        )
        self._on_picture(self.picture)
        return PassReport.of(self.picture.outcomes)

    async def _act(self, standing: Standing, reachable: bool) -> tuple[Outcome, ...]:
        cabling = self._parts.cabling
        if standing is Standing.FOLLOWER:
            self._held = None
            return await cabling.release() if reachable else ()
        deposed = standing is Standing.LEADER and not self._parts.leadership.leads()
        if self._held is None or deposed or not reachable:
            return ()
        return await cabling.carry(self._held)

    def _judge(self, known: Snapshot) -> Membership:
        local = local_cluster(self._settings)
        return judge(local, known.clusters, known.endpoints, known.invalid, BACKENDS)

    def _plan(self, survey: Survey) -> LocalPlan | None:
        if not (survey.node and survey.host and survey.driver):
            return None
        return plan_local(self._settings, survey.node, survey.host, survey.driver)


def _hold(survey: Survey, plan: LocalPlan, members: Membership) -> Held | None:
    if not (survey.host and survey.driver):
        return None
    return Held(plan.spec, survey.host, survey.driver, plan_cables(plan.spec, members))
