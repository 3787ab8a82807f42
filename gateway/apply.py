"""One pass of the gateway: survey, snapshot, plan, and what may be done about it in our present role.

The leader announces, copies and makes cables (`gateway.leading`). A follower makes sure that it holds none,
since the leader does. While that is undecided (the API is away, or the process has only just begun) nothing
new is planned; cables that we made as the leader are kept alive.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from crds.cluster import Cluster
from crds.endpoint import Endpoint
from gateway.cabling import Cabling
from gateway.config import Settings
from gateway.leadership import Role, Standing
from gateway.leading import Leading
from gateway.localendpoint import LocalPlan, plan_local
from gateway.picture import Held, Led, Picture
from gateway.snapshot import Snapshot, take_snapshot
from gateway.survey import Survey, Surveyor
from isthmus.kube.store import Store
from isthmus.reconcile.outcome import PassReport


@dataclass(frozen=True, slots=True)
class Members:
    """This cluster's copies of all members' objects."""

    clusters: Store[Cluster]
    endpoints: Store[Endpoint]


@dataclass(frozen=True, slots=True)
class Parts:
    """What a pass is put together from."""

    surveyor: Surveyor
    members: Members
    leading: Leading
    cabling: Cabling


class GatewayPass:
    """Runs passes; `picture` is what the last one came to."""

    def __init__(
        self,
        settings: Settings,
        parts: Parts,
        role: Callable[[], Role],
        on_picture: Callable[[Picture], None],
    ) -> None:
        self._settings = settings
        self._parts = parts
        self._role = role
        self._on_picture = on_picture
        self._held: Held | None = None
        self.picture = Picture()

    async def run(self) -> PassReport:
        """Look at everything again and act on it."""
        survey = await self._parts.surveyor.survey()
        snapshot = take_snapshot(self._parts.members.clusters.view(), self._parts.members.endpoints.view())
        plan = self._plan(survey)
        role = self._role()
        led = await self._act(role.standing, survey, plan, snapshot)
        self.picture = Picture(
            role=role,
            survey=survey,
            plan=plan,
            cables=self._held.cables if self._held else (),
            refusals=led.refusals,
            outcomes=(*survey.outcomes, *led.outcomes),
            watch_troubles=snapshot.troubles,
        )
        self._on_picture(self.picture)
        return PassReport.of(self.picture.outcomes)

    async def _act(
        self, standing: Standing, survey: Survey, plan: LocalPlan | None, snapshot: Snapshot
    ) -> Led:
        cabling, reachable = self._parts.cabling, not survey.driver_trouble
        match standing:
            case Standing.LEADER:
                led = await self._parts.leading.run(survey, plan, snapshot)
                self._held = led.held or self._held
                return led
            case Standing.FOLLOWER:
                self._held = None
                return Led(None, (), await cabling.release() if reachable else ())
            case Standing.UNDECIDED:
                kept = await cabling.carry(self._held) if self._held and reachable else ()
                return Led(self._held, (), kept)

    def _plan(self, survey: Survey) -> LocalPlan | None:
        if not (survey.node and survey.host and survey.driver):
            return None
        return plan_local(self._settings, survey.node, survey.host, survey.driver)
