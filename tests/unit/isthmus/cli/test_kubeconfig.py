from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from isthmus.cli.faults import Fault
from isthmus.cli.kubeconfig import choose_target, choose_targets, kubeconfig_paths, read_targets


def write(path: Path, contexts: dict[str, str], current: str = "") -> Path:
    clusters = sorted(set(contexts.values()))
    document = {
        "current-context": current,
        "clusters": [{"name": name, "cluster": {"server": f"https://{name}:6443"}} for name in clusters],
        "contexts": [
            {"name": context, "context": {"cluster": cluster, "user": "u"}}
            for context, cluster in contexts.items()
        ],
    }
    path.write_text(yaml.safe_dump(document))
    return path


def test_the_option_comes_before_the_environment_and_that_before_the_home():
    environment = {"KUBECONFIG": "/a:/b", "HOME": "/home/u"}

    assert kubeconfig_paths("/x", environment) == (Path("/x"),)
    assert kubeconfig_paths("", environment) == (Path("/a"), Path("/b"))
    assert kubeconfig_paths("", {"HOME": "/home/u"}) == (Path("/home/u/.kube/config"),)


def test_the_current_context_is_the_default(tmp_path: Path):
    path = write(tmp_path / "config", {"a": "east", "b": "west"}, current="b")

    target = choose_target(read_targets((path,)), "", (path,))

    assert (target.context, target.cluster, target.server) == ("b", "west", "https://west:6443")


def test_a_named_context_is_found_in_a_second_file(tmp_path: Path):
    first = write(tmp_path / "one", {"a": "east"}, current="a")
    second = write(tmp_path / "two", {"a": "other", "b": "west"})

    targets = read_targets((first, tmp_path / "missing", second))

    assert choose_target(targets, "b", ()).path == second
    assert choose_target(targets, "a", ()).cluster == "east"


def test_an_unknown_context_is_refused_with_the_known_ones(tmp_path: Path):
    path = write(tmp_path / "config", {"a": "east", "b": "west"}, current="a")

    with pytest.raises(Fault, match=r"no context 'c' in .*; it has: a, b"):
        choose_target(read_targets((path,)), "c", (path,))


def test_all_contexts_means_one_for_each_server(tmp_path: Path):
    path = write(tmp_path / "config", {"a": "east", "a-admin": "east", "b": "west"}, current="a")

    targets = choose_targets(read_targets((path,)), (), (path,))

    assert [target.context for target in targets] == ["a", "b"]


def test_named_contexts_keep_their_order(tmp_path: Path):
    path = write(tmp_path / "config", {"a": "east", "b": "west"})

    assert [target.context for target in choose_targets(read_targets((path,)), ("b", "a"), (path,))] == [
        "b",
        "a",
    ]


def test_a_missing_file_names_itself(tmp_path: Path):
    with pytest.raises(Fault, match=r"no kubeconfig at .*nowhere"):
        read_targets((tmp_path / "nowhere",))


@pytest.mark.parametrize(("content", "reason"), [("{[", "not YAML"), ("", "is empty"), ("- a", "is empty")])
def test_a_broken_file_is_refused_in_a_sentence(tmp_path: Path, content: str, reason: str):
    path = tmp_path / "config"
    path.write_text(content)

    with pytest.raises(Fault, match=reason):
        read_targets((path,))


def test_a_file_without_contexts_is_refused(tmp_path: Path):
    path = write(tmp_path / "config", {})

    with pytest.raises(Fault, match="has no context"):
        choose_target(read_targets((path,)), "", (path,))
    with pytest.raises(Fault, match="has no context"):
        choose_targets(read_targets((path,)), (), (path,))


@pytest.mark.parametrize(
    ("text", "list_name"),
    [
        ("contexts: foo", "contexts"),
        ("contexts: [1, 2]", "contexts"),
        ("contexts: [{name: a, context: east}]", "contexts"),
        ("clusters: {a: b}", "clusters"),
        ("clusters: [{name: east, cluster: nope}]", "clusters"),
    ],
)
def test_a_malformed_file_is_refused_with_the_list_that_is_wrong(tmp_path: Path, text: str, list_name: str):
    path = tmp_path / "config"
    path.write_text(text)

    with pytest.raises(Fault, match=rf"{path} is malformed: `{list_name}` must be"):
        read_targets((path,))


def test_a_file_that_may_not_be_read_is_refused_in_one_line(tmp_path: Path):
    with pytest.raises(Fault, match="is a directory; give another"):
        read_targets((tmp_path,))
