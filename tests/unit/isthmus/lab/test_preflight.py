from __future__ import annotations

import os

import pytest

from isthmus.lab import preflight
from isthmus.reconcile.errors import Fatal


def offer(directory, names):
    for name in names:
        (directory / name).touch(mode=0o755)


def test_a_complete_machine_passes(tmp_path, monkeypatch):
    offer(tmp_path, preflight.PACKAGES)
    monkeypatch.setenv("PATH", str(tmp_path))

    preflight.require_programs()


def test_what_is_missing_is_named_with_the_package_to_install(tmp_path, monkeypatch):
    offer(tmp_path, set(preflight.PACKAGES) - {"etcd", "ip"})
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(Fatal, match=r"needs etcd, ip: install etcd-server iproute2 \(Debian's names\)"):
        preflight.require_programs()


def test_without_root_one_sentence_says_so(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 1000)

    with pytest.raises(Fatal, match="run this as root"):
        preflight.require_root()
