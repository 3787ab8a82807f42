"""What this node tells about itself: plan, outcomes and pings become a RouteAgent status. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from crds.echo import shorten
from crds.gateway import ConnectionStatus
from crds.meta import IPAddress, Rejection
from crds.routeagent import RemoteEndpoint, RouteAgentStatus
from isthmus.membership.judge import Membership, Peer, Refusal
from isthmus.reconcile.outcome import PassReport
from routeagent.health import PeerReach, reach_of
from routeagent.plan.node import NodePlan
from routeagent.plan.role import Detached, Gateway, Worker

LONGEST_FAILURE = 1024
"""Characters of `statusFailure`."""


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the status of one node is made of; `plan` is None until the host's facts are known."""

    membership: Membership = field(default_factory=Membership)
    plan: NodePlan | None = None
    waiting: tuple[str, ...] = ()
    outcome: PassReport = field(default_factory=PassReport)

    @property
    def announced(self) -> tuple[Rejection, ...]:
        """Refused objects that this node writes Events about.

        All nodes refuse the same members, and the gateway's node says so for all of them. What is wrong with
        a node itself is in its own status.
        """
        if self.plan is None or not isinstance(self.plan.role, Gateway):
            return ()
        judged = tuple(refusal.rejection for refusal in self.membership.refusals)
        return judged + tuple(rejection for _, rejection in self.plan.refused)


def route_agent_status(version: str, report: Report, health: Mapping[str, PeerReach]) -> RouteAgentStatus:
    """The status to write; *health* is by cable name, empty where this node does not ping."""
    here = {} if report.plan is None else dict(report.plan.refused)
    return RouteAgentStatus(
        version=version,
        status_failure=shorten("; ".join(_troubles(report)), LONGEST_FAILURE),
        remote_endpoints=(
            *(_peer(peer, here.get(peer), report, health) for peer in report.membership.peers),
            *(_refusal(refusal) for refusal in report.membership.refusals),
        ),
    )


def ping_targets(report: Report) -> dict[str, IPAddress | None]:
    """Whom this node should ping, by cable name: a worker every honoured peer, other nodes nobody."""
    if report.plan is None or not isinstance(report.plan.role, Worker):
        return {}
    left_out = {peer for peer, _ in report.plan.refused}
    specs = [peer.endpoint.spec for peer in report.membership.peers if peer not in left_out]
    return {spec.cable_name: spec.ping_target for spec in specs}


def _troubles(report: Report) -> Iterable[str]:
    yield from dict.fromkeys(f"{step}: {error}" for step, error in report.outcome.failures)
    if report.plan is not None:
        yield from map(str, report.plan.rejections)


def _peer(
    peer: Peer, rejection: Rejection | None, report: Report, health: Mapping[str, PeerReach]
) -> RemoteEndpoint:
    spec = peer.endpoint.spec
    if rejection is not None:
        return _refusal(Refusal(rejection, spec.cluster_id, spec))
    trouble = _way_is_closed(report)
    if trouble:
        return RemoteEndpoint(ConnectionStatus.ERROR, trouble, spec)
    if report.plan is not None and isinstance(report.plan.role, Gateway):
        message = "this node is the gateway; its Gateway object tells the state of the connection"
        return RemoteEndpoint(ConnectionStatus.NONE, message, spec)
    status, message, latency = reach_of(health.get(spec.cable_name))
    return RemoteEndpoint(status, message, spec, latency)


def _way_is_closed(report: Report) -> str:
    """Why nothing can reach any peer from here, "" if the way is there."""
    if report.plan is None:
        return (
            "this node cannot read its own network (statusFailure says why), and changes nothing until it can"
        )
    if isinstance(report.plan.role, Detached):
        return report.plan.role.reason
    if report.waiting:
        names = ", ".join(report.waiting)
        return f"waiting for the device {names}; until it is back, traffic for other clusters is refused"
    return ""


def _refusal(refusal: Refusal) -> RemoteEndpoint:
    return RemoteEndpoint(ConnectionStatus.ERROR, refusal.message, refusal.endpoint)
