from __future__ import annotations

from datetime import UTC, datetime

from crds.lease import Lease, parse_lease, render_lease
from crds.meta import ObjectRef

REF = ObjectRef("Lease", "here", "submariner-gateway-lock")


def test_what_was_rendered_is_parsed_to_the_same():
    lease = Lease(
        ref=REF,
        holder="node-1-submariner-gateway",
        duration_seconds=15,
        acquire_time=datetime(2026, 1, 1, 0, 0, 0, 123, tzinfo=UTC),
        renew_time=datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC),
        transitions=3,
        resource_version="42",
    )

    rendered = render_lease(lease)

    assert rendered["spec"]["acquireTime"] == "2026-01-01T00:00:00.000123Z"
    assert rendered["metadata"]["resourceVersion"] == "42"
    assert parse_lease(rendered) == lease


def test_a_lease_that_nobody_holds_has_only_defaults():
    assert parse_lease({"metadata": {"name": REF.name, "namespace": "here"}, "spec": None}) == Lease(REF)


def test_a_released_lease_is_written_without_times_and_version():
    rendered = render_lease(Lease(REF, transitions=4))

    assert rendered["spec"] == {"holderIdentity": "", "leaseTransitions": 4}
    assert "resourceVersion" not in rendered["metadata"]
