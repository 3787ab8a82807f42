"""Accounts at the broker: how a cluster is enrolled there, found again, and struck off."""

from __future__ import annotations

import base64

from broker.access import member_account, member_objects, token_secret
from crds.meta import ClusterId
from isthmus.cli.apply import Target, apply_objects, delete_object
from isthmus.cli.faults import Fault
from isthmus.cli.names import CLUSTER_UID_ANNOTATION
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.errors import NotFound
from isthmus.kube.resources import ROLE_BINDINGS, ROLES, SECRETS, SERVICE_ACCOUNTS

_POLL_SECONDS = 0.1
_POLLS = 200


async def read_member(broker: KubeApi, namespace: str, cluster_id: ClusterId) -> Object | None:
    """Read the account of an id; None when there is none."""
    try:
        return await broker.get(SERVICE_ACCOUNTS, namespace, member_account(cluster_id))
    except NotFound:
        return None


async def ensure_member(broker: Target, namespace: str, cluster_id: ClusterId, cluster_uid: str) -> str:
    """Give the id an account of its own with the rights of a member, and return its token.

    *cluster_uid* tells a later `join` whose account it is.

    Raises:
        Fault: the broker's controllers issue no token.
    """
    marks = {CLUSTER_UID_ANNOTATION: cluster_uid}
    account = member_account(cluster_id)
    await apply_objects(
        broker, f"Account {account} at the broker", member_objects(namespace, cluster_id, marks)
    )
    return (await read_token(broker, namespace, account))["token"].decode()


async def read_token(broker: Target, namespace: str, account: str) -> dict[str, bytes]:
    """Wait until the account's token Secret is filled; return its data (`token`, `ca.crt`, `namespace`).

    Raises:
        Fault: it is not filled within 20 seconds.
    """
    name = token_secret(account)
    for _ in range(_POLLS):
        data = (await broker.api.get(SECRETS, namespace, name)).get("data") or {}
        if data.get("token"):
            return {key: base64.b64decode(value) for key, value in data.items()}
        await broker.clock.sleep(_POLL_SECONDS)
    raise Fault(
        f"the control plane at {broker.api.server} issues no token for account {account}: check that its "
        "kube-controller-manager runs, then run this again"
    )


async def remove_member(broker: Target, namespace: str, cluster_id: ClusterId) -> None:
    """Delete the account with its rights and token; its rights go first."""
    account = member_account(cluster_id)
    removed = [
        await delete_object(broker.api, resource, namespace, name)
        for resource, name in (
            (ROLE_BINDINGS, account),
            (ROLES, account),
            (SECRETS, token_secret(account)),
            (SERVICE_ACCOUNTS, account),
        )
    ]
    broker.progress.done(
        f"Account {account} at the broker: {'removed' if any(removed) else 'was gone already'}"
    )
