from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from crds.echo import canonical_json, echo_cluster, echo_endpoint, shorten
from tests.builders import endpoint_object

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_what_is_short_and_of_the_right_type_is_shown_as_it_is():
    spec = endpoint_object("west", "10.1.0.0/16", config={"udp-port": "0"}, health_check_ip="10.1.0.9")[
        "spec"
    ]

    assert json.loads(echo_endpoint(spec)) == spec


def test_long_lists_and_strings_are_cut():
    shown = json.loads(echo_endpoint({"subnets": ["10.0.0.0/8"] * 10_000, "hostname": "h" * 100_000}))

    assert shown["subnets"][-2:] == ["10.0.0.0/8", "… and 9992 more"]
    assert len(shown["subnets"]) == 9
    assert len(shown["hostname"]) == 253


@pytest.mark.parametrize(
    "spec", [None, [], "text", 7, {"subnets": "x", "backend_config": 1, "cluster_id": [1, 2]}]
)
def test_any_spec_gives_an_echo_with_all_required_fields(spec):
    assert json.loads(echo_endpoint(spec)).keys() >= {"cluster_id", "private_ip", "subnets", "nat_enabled"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.dictionaries(
        st.sampled_from(["cluster_id", "subnets", "healthCheckIP", "backend_config", "nat_enabled", "new"]),
        JSON,
    )
)
def test_an_echo_always_has_the_types_of_a_status_schema(spec):
    shown = json.loads(echo_endpoint(spec))

    assert isinstance(shown.pop("nat_enabled"), bool)
    assert all(isinstance(item, str) for item in shown.pop("subnets"))
    assert all(isinstance(value, str) for value in shown.pop("backend_config").values())
    assert all(isinstance(value, str) for value in shown.values())


def test_the_echo_of_a_cluster_names_it():
    assert json.loads(echo_cluster("west"))["cluster_id"] == "west"


def test_control_characters_never_reach_a_terminal():
    assert shorten("a\x1b[31mb\n") == "a?[31mb?"


def test_equal_values_have_one_text():
    assert canonical_json({"b": 1, "a": ["ü"]}) == canonical_json({"a": ["ü"], "b": 1}) == '{"a":["ü"],"b":1}'
