"""Wires each command: finds the kubeconfig, opens the API servers, and runs the command's own module."""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from broker.info import BrokerInfo, encode_info
from isthmus.cli import kubeconfig as contexts
from isthmus.cli import show
from isthmus.cli.apply import Target
from isthmus.cli.brokerfile import read_broker_file, write_broker_file
from isthmus.cli.deploybroker import BrokerRequest, deploy_broker
from isthmus.cli.faults import FAILED, Fault, usage
from isthmus.cli.join import Invitation, join
from isthmus.cli.joinplan import JoinArguments
from isthmus.cli.kubeconfig import KubeContext
from isthmus.cli.leave import Membership, leave_broker, leave_local, read_membership, warn_of_running_gateways
from isthmus.cli.names import BROKER_INFO_FILE
from isthmus.cli.output import Format, Progress, Table, to_stderr
from isthmus.kube import auth
from isthmus.reconcile.clock import Clock, SystemClock
from isthmus.reconcile.errors import Fatal, Transient


@dataclass(frozen=True, slots=True)
class Way:
    """How a command line names one cluster."""

    kubeconfig: str
    context: str

    def target(self) -> KubeContext:
        paths = contexts.kubeconfig_paths(self.kubeconfig, os.environ)
        return contexts.choose_target(contexts.read_targets(paths), self.context, paths)


@dataclass(frozen=True, slots=True)
class Selection:
    """How a command line names several clusters: one context, a list of them, or all."""

    kubeconfig: str
    context: str
    contexts: str

    def targets(self) -> tuple[KubeContext, ...]:
        paths = contexts.kubeconfig_paths(self.kubeconfig, os.environ)
        named = [self.context] if self.context else [part.strip() for part in self.contexts.split(",")]
        wanted = tuple(part for part in named if part)
        return contexts.choose_targets(contexts.read_targets(paths), wanted, paths)


def run_deploy_broker(way: Way, request: BrokerRequest, psk_from: str) -> None:
    """Run `deploy-broker` and leave the broker file in the working directory."""
    psk = read_broker_file(Path(psk_from)).psk if psk_from else b""
    target = way.target()
    progress, clock = to_stderr(), SystemClock()
    info = asyncio.run(_deploy_broker(target, replace(request, psk=psk), progress, clock))
    path = Path(BROKER_INFO_FILE)
    aside = write_broker_file(path, info, clock.now())
    if aside is not None:
        progress.said(f"the earlier {path} is kept as {aside}")
    progress.done(f"{path} written: it opens the clusterset to whoever holds it, keep it private")


async def _deploy_broker(
    target: KubeContext, request: BrokerRequest, progress: Progress, clock: Clock
) -> str:
    access = await auth.from_kubeconfig(target.path, target.context)
    async with auth.connect(access) as api:
        return encode_info(await deploy_broker(Target(api, progress, clock), request, access.server))


def run_join(file: Path, way: Way, broker_url: str, arguments: JoinArguments, *, insecure: bool) -> None:
    """Run `join`."""
    info = read_broker_file(file)
    asyncio.run(_join(_invitation(info, broker_url, insecure), way.target(), arguments))


def _invitation(info: BrokerInfo, broker_url: str, insecure: bool) -> Invitation:
    return Invitation(info, broker_url or info.server, insecure)


async def _join(invitation: Invitation, target: KubeContext, arguments: JoinArguments) -> None:
    progress = to_stderr()
    local_access = await auth.from_kubeconfig(target.path, target.context)
    async with auth.connect(local_access) as local, auth.connect(_admin_access(invitation)) as broker:
        cluster_id = await join(
            Target(local, progress, SystemClock()), broker, invitation, arguments, target.cluster
        )
    progress.done(
        f"Joined as {cluster_id}: 'isthmus show connections' shows the tunnels once the daemons run"
    )


def _admin_access(invitation: Invitation) -> auth.Access:
    info = invitation.info
    try:
        return auth.from_token(invitation.server, info.token, info.ca.decode() or None, invitation.insecure)
    except Fatal as error:
        raise usage(f"the broker's address cannot be used: {error}") from None


def run_leave(file: Path | None, way: Way, broker_url: str, *, local_only: bool, purge_schemas: bool) -> None:
    """Run `leave`."""
    invitation = _invitation(read_broker_file(file), broker_url, insecure=False) if file else None
    asyncio.run(_leave(way.target(), invitation, broker_url, local_only, purge_schemas))


async def _leave(
    target: KubeContext,
    invitation: Invitation | None,
    broker_url: str,
    local_only: bool,
    purge_schemas: bool,
) -> None:
    progress, clock = to_stderr(), SystemClock()
    access = await auth.from_kubeconfig(target.path, target.context)
    async with auth.connect(access) as api:
        local = Target(api, progress, clock)
        membership = await read_membership(api)
        await warn_of_running_gateways(local)
        if membership is None:
            progress.said("this cluster is no member: removing what may be left of an earlier join")
        elif not local_only:
            await _leave_broker(local, membership, invitation, broker_url)
        await leave_local(local, purge_schemas=purge_schemas)


async def _leave_broker(
    local: Target, membership: Membership, invitation: Invitation | None, broker_url: str
) -> None:
    if invitation is not None and invitation.info.namespace != membership.namespace:
        raise usage(
            f"this cluster is a member of the broker namespace {membership.namespace!r}, and the file is for "
            f"{invitation.info.namespace!r}: give the file of its own broker"
        )
    if invitation is not None:
        access = _admin_access(invitation)
    else:
        server = broker_url or membership.server
        access = auth.from_token(
            server, membership.token, membership.ca.decode() or None, membership.insecure
        )
    async with auth.connect(access) as broker:
        await leave_broker(replace(local, api=broker), membership, admin=invitation is not None)


def run_show(subject: str, selection: Selection, namespace: str, form: Format) -> None:
    """Run `show`: print every cluster that answers, then fail if one did not."""
    progress = to_stderr()
    tables, failures = asyncio.run(
        _read_tables(show.Subject(subject), selection.targets(), namespace, progress)
    )
    if tables:
        sys.stdout.write(show.render_results(tables, form))
    for failure in failures:
        progress.failed(failure)
    if failures:
        sys.exit(FAILED)


async def _read_tables(
    subject: show.Subject, targets: tuple[KubeContext, ...], namespace: str, progress: Progress
) -> tuple[dict[str, Table], list[str]]:
    tables: dict[str, Table] = {}
    failures: list[str] = []
    for target in targets:
        try:
            access = await auth.from_kubeconfig(target.path, target.context)
            async with auth.connect(access) as api:
                tables[target.context] = await show.read_table(api, namespace, subject, progress)
        except (Fault, Transient, Fatal) as error:
            failures.append(f"{target.context}: {error}")
    return tables, failures
