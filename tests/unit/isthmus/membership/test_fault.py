from __future__ import annotations

from crds.meta import ObjectRef, Rejection
from isthmus.membership.fault import Fault


def test_a_fault_becomes_the_refusal_of_an_object():
    ref = ObjectRef("Endpoint", "here", "west")

    assert Fault("spec.backend", "unknown").rejection(ref) == Rejection(ref, "spec.backend", "unknown")
