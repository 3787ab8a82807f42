from __future__ import annotations

import threading
from pathlib import Path

import pytest

from isthmus.lab import binaries
from isthmus.reconcile.errors import Fatal


def module(directory: Path, text: str) -> Path:
    (directory / "go.mod").write_text(text, encoding="utf-8")
    (directory / "go.sum").write_text("", encoding="utf-8")
    return directory


def fill(directory: Path, names: tuple[str, ...]) -> Path:
    directory.mkdir(parents=True)
    for name in names:
        (directory / name).touch(mode=0o755)
    return directory


def test_the_version_is_the_one_that_the_module_requires(tmp_path):
    pinned = module(tmp_path, "module x\n\nrequire k8s.io/kubernetes v1.36.3\n")

    assert binaries.pinned_version(pinned) == "v1.36.3"


def test_a_module_without_kubernetes_is_refused(tmp_path):
    with pytest.raises(Fatal, match=r"go\.mod does not require"):
        binaries.pinned_version(module(tmp_path, "module x\n"))


def test_the_repository_s_module_names_every_program_as_a_tool():
    text = (binaries.MODULE / "go.mod").read_text(encoding="utf-8")

    assert all(f"k8s.io/kubernetes/cmd/{name}\n" in text for name in binaries.NAMES)


def test_the_cache_follows_the_module(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    pinned = module(tmp_path, "require k8s.io/kubernetes v1.36.3\n")
    before = binaries.cache_directory(pinned)
    (pinned / "go.sum").write_text("other", encoding="utf-8")

    assert before.parent == tmp_path / "cache" / "isthmus" / "bin"
    assert "v1.36.3" in before.name
    assert binaries.cache_directory(pinned) != before


def test_the_linker_stamps_the_whole_version():
    flags = binaries.linker_flags("v1.36.3")

    assert "version.gitVersion=v1.36.3" in flags
    assert "version.gitMajor=1" in flags
    assert "version.gitMinor=36" in flags


def test_given_programs_are_used_as_they_are(tmp_path, monkeypatch):
    given = fill(tmp_path / "given", binaries.NAMES)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(given))

    programs = binaries.find_programs(pytest.fail)

    assert programs.path("kube-proxy") == str(given / "kube-proxy")


def test_given_programs_are_found_from_everywhere(tmp_path, monkeypatch):
    given = fill(tmp_path / "given", binaries.NAMES)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "given")
    monkeypatch.chdir(tmp_path)

    assert binaries.find_programs(pytest.fail).path("kubectl") == str(given / "kubectl")


def test_given_programs_that_are_incomplete_are_refused_by_name(tmp_path, monkeypatch):
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(fill(tmp_path / "given", ("kube-apiserver", "kubectl"))))

    with pytest.raises(Fatal, match="lacks kube-controller-manager, kube-proxy"):
        binaries.find_programs(pytest.fail)


def test_cached_programs_are_not_built_again(tmp_path, monkeypatch):
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    fill(binaries.cache_directory(), binaries.NAMES)

    assert binaries.find_programs(pytest.fail).directory == binaries.cache_directory()


def test_without_go_and_cache_the_way_out_is_said(tmp_path, monkeypatch):
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Fatal, match=r"Go toolchain.*KUBEBUILDER_ASSETS"):
        binaries.find_programs(lambda line: None)


def test_a_program_that_is_nowhere_is_named(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Fatal, match="etcd is not installed"):
        binaries.Programs(tmp_path).path("etcd")


def test_a_long_build_is_heard_of_while_it_lasts():
    heard: list[float] = []
    twice = threading.Event()

    def beat(seconds: float) -> None:
        heard.append(seconds)
        if len(heard) == 2:
            twice.set()

    assert binaries.with_heartbeat(lambda: twice.wait(10), beat, every=0.01)
    assert heard == sorted(heard)
    assert len(heard) >= 2
