from __future__ import annotations

from typing import Any

from isthmus.cli.rbac import render_access


def allowed(kind: str, name: str) -> dict[str, list[str]]:
    """Verbs by resource of one role."""
    for item in render_access():
        if (item["kind"], item["metadata"]["name"]) == (kind, name):
            return {resource: rule["verbs"] for rule in item["rules"] for resource in rule["resources"]}
    raise AssertionError(f"no {kind} {name}")


def test_an_account_comes_before_its_roles_and_these_before_their_bindings():
    kinds = [item["kind"] for item in render_access()]

    assert kinds == ["ServiceAccount", "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding"] * 2


def test_the_route_agent_cannot_write_what_the_gateways_publish():
    verbs = allowed("Role", "submariner-routeagent")

    assert verbs["endpoints"] == ["get", "list", "watch"]
    assert verbs["clusters"] == ["get", "list", "watch"]
    assert verbs["gateways"] == ["get", "list", "watch"]
    assert "delete" in verbs["routeagents"]


def test_nobody_may_read_secrets_or_write_nodes():
    for item in render_access():
        for rule in item.get("rules", ()):
            assert "secrets" not in rule["resources"]
            assert "*" not in rule["resources"] + rule["verbs"]
            if rule["resources"] == ["nodes"]:
                assert rule["verbs"] == ["get", "list", "watch"]


def test_every_binding_names_the_role_and_the_account_of_its_own_name():
    def bindings() -> list[dict[str, Any]]:
        return [item for item in render_access() if item["kind"].endswith("Binding")]

    for binding in bindings():
        name = binding["metadata"]["name"]
        assert binding["roleRef"]["name"] == name
        assert [subject["name"] for subject in binding["subjects"]] == [name]
        assert binding["roleRef"]["kind"] == binding["kind"].removesuffix("Binding")
