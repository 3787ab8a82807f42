"""What a pass found, decided and did, as one value: the status, the metrics and readiness are made of it."""

from __future__ import annotations

from dataclasses import dataclass, field

from crds.endpoint import EndpointSpec
from crds.meta import Rejection
from gateway.drivers import DriverFacts
from gateway.leadership import Role, Standing
from gateway.localendpoint import LocalPlan
from gateway.plan.cables import Cable
from gateway.survey import Survey
from isthmus.dataplane.facts import HostFacts
from isthmus.membership.judge import Refusal
from isthmus.reconcile.outcome import Outcome

BEGINNING = Role(Standing.UNDECIDED, "the gateway has just started")


@dataclass(frozen=True, slots=True)
class Held:
    """Cables that we made as the leader, with all that is needed to make them again."""

    local: EndpointSpec
    host: HostFacts
    driver: DriverFacts
    cables: tuple[Cable, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """The whole of one pass."""

    role: Role = BEGINNING
    survey: Survey = field(default_factory=Survey)
    plan: LocalPlan | None = None
    cables: tuple[Cable, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    watch_troubles: tuple[str, ...] = ()

    @property
    def active(self) -> bool:
        """Whether this gateway leads."""
        return self.role.standing is Standing.LEADER

    @property
    def rejections(self) -> tuple[Rejection, ...]:
        """Everything that was refused, for Events."""
        of_node = self.plan.rejections if self.plan else ()
        return of_node + tuple(refusal.rejection for refusal in self.refusals)

    @property
    def troubles(self) -> tuple[str, ...]:
        """What does not work, in words, each cause once."""
        undecided = self.role.detail if self.role.standing is Standing.UNDECIDED else ""
        failures = (str(failure) for outcome in self.outcomes for failure in outcome.failures)
        told = (undecided, self.survey.node_trouble, *self.watch_troubles, *failures)
        return tuple(dict.fromkeys(trouble for trouble in told if trouble))
