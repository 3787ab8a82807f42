from __future__ import annotations

from crds.meta import Invalid, ObjectRef, Rejection


def test_a_refusal_reads_as_object_field_and_reason():
    rejection = Rejection(ObjectRef("Endpoint", "here", "west"), "spec.subnets", "is empty")

    assert str(Invalid(rejection)) == "Endpoint here/west: spec.subnets: is empty"
    assert Invalid(rejection).echo == ""
