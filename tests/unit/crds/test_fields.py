from __future__ import annotations

from datetime import UTC, datetime

import pytest

from crds.fields import Fields, created_at, kind_of, object_fields, origin_of, parse_time
from crds.meta import CLUSTER_ID_LABEL, Invalid, ObjectRef

REF = ObjectRef("Endpoint", "here", "west")


def spec(**values: object) -> Fields:
    return Fields(REF, values, "spec", echo="{}")


def refusal(caught: pytest.ExceptionInfo[Invalid]) -> str:
    return str(caught.value)


def test_a_refusal_names_the_object_the_field_and_the_reason():
    with pytest.raises(Invalid) as caught:
        spec().text("hostname", 9)

    assert refusal(caught) == "Endpoint here/west: spec.hostname: is missing"
    assert caught.value.echo == "{}"


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (None, "is missing"),
        (7, "is the number 7, not a string"),
        (True, "is the boolean true, not a string"),
        ([], "is a list, not a string"),
        ("x" * 10, "has 10 characters; at most 9 are allowed"),
        ("a\nb", "holds control characters"),
    ],
)
def test_a_string_of_another_type_length_or_with_control_characters_is_refused(value, reason):
    with pytest.raises(Invalid) as caught:
        spec(hostname=value).text("hostname", 9)

    assert caught.value.rejection.reason == reason


@pytest.mark.parametrize(
    ("value", "reason"),
    [(None, "is missing; write true or false"), ("true", 'is the string "true"; write true or false')],
)
def test_a_boolean_must_be_one(value, reason):
    with pytest.raises(Invalid) as caught:
        spec(nat_enabled=value).flag("nat_enabled")

    assert caught.value.rejection.reason == reason


def test_a_list_names_the_faulty_entry():
    with pytest.raises(Invalid) as caught:
        spec(subnets=["10.1.0.0/16", "10.2.0.1/16"]).networks("subnets")

    assert caught.value.rejection.field == "spec.subnets[1]"


@pytest.mark.parametrize(
    ("value", "field", "reason"),
    [
        ("10.1.0.0/16", "spec.subnets", 'is the string "10.1.0.0/16", not a list'),
        ([7], "spec.subnets[0]", "is the number 7, not a string"),
        (["10.0.0.0/8"] * 10_000, "spec.subnets", "has 10000 entries; at most 256 are honoured"),
    ],
)
def test_a_list_of_the_wrong_shape_is_refused(value, field, reason):
    with pytest.raises(Invalid) as caught:
        spec(subnets=value).networks("subnets")

    assert (caught.value.rejection.field, caught.value.rejection.reason) == (field, reason)


def test_null_lists_and_empty_addresses_count_as_absent():
    fields = spec(global_cidr=None, public_ip="", healthCheckIP=None)

    assert fields.networks("global_cidr") == ()
    assert fields.optional_address("public_ip") is None
    assert fields.optional_address("healthCheckIP") is None


def test_a_missing_spec_is_refused():
    with pytest.raises(Invalid) as caught:
        object_fields({"metadata": {"name": "west"}}, "Endpoint").child("spec")

    assert str(caught.value) == "Endpoint /west: spec: is missing or not an object"


@pytest.mark.parametrize("raw", [{}, {"metadata": None}, {"metadata": {"name": ""}}])
def test_an_object_without_name_is_refused(raw):
    with pytest.raises(Invalid, match=r"metadata\.name: is missing"):
        object_fields(raw, "Endpoint")


def test_time_and_origin_are_read_from_the_metadata():
    raw = {"metadata": {"creationTimestamp": "2026-01-02T03:04:05Z", "labels": {CLUSTER_ID_LABEL: "west"}}}

    assert created_at(raw) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert origin_of(raw) == "west"
    assert created_at({}) is None
    assert origin_of({"metadata": {"labels": None}}) is None


def test_times_are_utc_whatever_the_offset():
    assert parse_time("2026-01-02T03:04:05+01:00") == parse_time("2026-01-02T02:04:05")
    assert parse_time("yesterday") is None
    assert parse_time("0001-01-01T00:00:00+23:00") is None


def test_every_json_type_has_a_name():
    assert [kind_of(None), kind_of({}), kind_of(1.5)] == ["null", "an object", "the number 1.5"]
