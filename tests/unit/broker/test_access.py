from __future__ import annotations

from broker.access import ADMIN_ACCOUNT, admin_objects, broker_namespace, member_objects
from crds.meta import ClusterId


def rights(objects) -> set[tuple[str, str, str, str]]:
    """Return the Role's rights as (group, resource, verb, name), "*" for any name."""
    (role,) = (each for each in objects if each["kind"] == "Role")
    return {
        (group, resource, verb, name)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
        for name in rule.get("resourceNames", ["*"])
    }


def test_a_member_has_an_account_rights_and_a_token_of_its_own():
    account, role, binding, secret = member_objects("broker", ClusterId("west"), {"mark": "1"})

    assert [each["kind"] for each in (account, role, binding, secret)] == [
        "ServiceAccount",
        "Role",
        "RoleBinding",
        "Secret",
    ]
    assert {each["metadata"]["namespace"] for each in (account, role, binding, secret)} == {"broker"}
    assert (
        account["metadata"]["name"]
        == role["metadata"]["name"]
        == binding["metadata"]["name"]
        == "cluster-west"
    )
    assert account["metadata"]["annotations"] == {"mark": "1"}
    assert binding["roleRef"]["name"] == "cluster-west"
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "cluster-west", "namespace": "broker"}]
    assert secret["type"] == "kubernetes.io/service-account-token"
    assert secret["metadata"]["name"] == "cluster-west-token"
    assert secret["metadata"]["annotations"] == {"kubernetes.io/service-account.name": "cluster-west"}


def test_a_member_reads_all_members_and_changes_only_its_own_cluster_object():
    west = rights(member_objects("broker", ClusterId("west")))

    clusters = {(verb, name) for group, resource, verb, name in west if resource == "clusters"}
    assert clusters == {
        ("get", "*"),
        ("list", "*"),
        ("watch", "*"),
        ("create", "*"),
        ("update", "west"),
        ("patch", "west"),
        ("delete", "west"),
    }


def test_a_member_reads_no_secret_and_no_account():
    west = rights(member_objects("broker", ClusterId("west")))

    assert {(group, resource) for group, resource, _, _ in west} == {
        ("submariner.io", "clusters"),
        ("submariner.io", "endpoints"),
    }


def test_the_administrator_holds_all_that_it_passes_on():
    admin = rights(admin_objects("broker"))

    assert {
        (group, resource, verb, "*")
        for group, resource, verb, _ in rights(member_objects("broker", ClusterId("west")))
    } <= admin
    assert not any(verb == "*" or resource == "*" for _, resource, verb, _ in admin)


def test_the_administrator_is_named_as_other_tools_expect():
    account, *_, secret = admin_objects()

    assert account["metadata"]["name"] == ADMIN_ACCOUNT == "submariner-k8s-broker-admin"
    assert (
        account["metadata"]["namespace"] == broker_namespace()["metadata"]["name"] == "submariner-k8s-broker"
    )
    assert secret["metadata"]["name"] == "submariner-k8s-broker-admin-token"
