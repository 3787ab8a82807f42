"""Which clusters does a kubeconfig name? Finds the files as kubectl does; opens no connection."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isthmus.cli.faults import Fault, usage


@dataclass(frozen=True, slots=True)
class KubeContext:
    """One context: the cluster that it leads to, by the kubeconfig's own names."""

    path: Path
    context: str
    cluster: str
    server: str


def kubeconfig_paths(option: str, environment: Mapping[str, str]) -> tuple[Path, ...]:
    """The files to read: --kubeconfig, else $KUBECONFIG (several, ':' between them), else ~/.kube/config."""
    if option:
        return (Path(option).expanduser(),)
    listed = [part for part in environment.get("KUBECONFIG", "").split(os.pathsep) if part]
    if listed:
        return tuple(Path(part).expanduser() for part in listed)
    return (Path(environment.get("HOME", "/root")) / ".kube" / "config",)


def read_targets(paths: tuple[Path, ...]) -> tuple[KubeContext, ...]:
    """Return the contexts of all files; of two with one name the first counts. The current one comes first.

    Raises:
        Fault: no file is there, or one cannot be read.
    """
    found: dict[str, KubeContext] = {}
    current = ""
    loaded = [(path, _load(path)) for path in paths]
    documents = [(path, document) for path, document in loaded if document is not None]
    if not documents:
        raise usage(
            f"no kubeconfig at {', '.join(map(str, paths))}: give one with --kubeconfig or $KUBECONFIG"
        )
    for path, document in documents:
        current = current or str(document.get("current-context") or "")
        for target in _targets(path, document):
            found.setdefault(target.context, target)
    return tuple(sorted(found.values(), key=lambda target: target.context != current))


def choose_target(targets: tuple[KubeContext, ...], context: str, paths: tuple[Path, ...]) -> KubeContext:
    """Return the named context, or the current one.

    Raises:
        Fault: there is none of that name, or none at all.
    """
    where = ", ".join(str(path) for path in paths)
    if not targets:
        raise usage(f"the kubeconfig {where} has no context: give another with --kubeconfig")
    if not context:
        return targets[0]
    for target in targets:
        if target.context == context:
            return target
    known = ", ".join(target.context for target in targets)
    raise usage(f"no context {context!r} in {where}; it has: {known}")


def choose_targets(
    targets: tuple[KubeContext, ...], contexts: tuple[str, ...], paths: tuple[Path, ...]
) -> tuple[KubeContext, ...]:
    """Return the named contexts; without names every context, one for each distinct server."""
    if contexts:
        return tuple(choose_target(targets, context, paths) for context in contexts)
    if not targets:
        return (choose_target(targets, "", paths),)
    by_server: dict[str, KubeContext] = {}
    for target in targets:
        by_server.setdefault(target.server, target)
    return tuple(by_server.values())


def _load(path: Path) -> dict[str, Any] | None:
    """The file's content; None if there is no such file."""
    import yaml

    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror.lower() if isinstance(error, OSError) and error.strerror else str(error)
        raise usage(
            f"cannot read the kubeconfig {path}: {reason}; give another with --kubeconfig, or run this as "
            "a user who may read it"
        ) from None
    except yaml.YAMLError:
        raise usage(
            f"the kubeconfig {path} is not YAML: repair it or give another with --kubeconfig"
        ) from None
    if not isinstance(document, dict):
        raise usage(f"the kubeconfig {path} is empty: give another with --kubeconfig")
    return document


def _targets(path: Path, document: Mapping[str, Any]) -> list[KubeContext]:
    servers = {
        name: str(cluster.get("server") or "")
        for name, cluster in _named(path, document, "clusters", "cluster")
    }
    found: list[KubeContext] = []
    for name, context in _named(path, document, "contexts", "context"):
        cluster = str(context.get("cluster") or "")
        found.append(KubeContext(path, name, cluster, servers.get(cluster, "")))
    return found


def _named(
    path: Path, document: Mapping[str, Any], plural: str, kind: str
) -> list[tuple[str, dict[str, Any]]]:
    """The named entries of one of the file's lists, such as `- name: east` with its `cluster:`."""
    entries = document.get(plural) or []
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _malformed(path, plural, kind)
    named = [(str(entry["name"]), entry.get(kind) or {}) for entry in entries if entry.get("name")]
    if not all(isinstance(value, dict) for _, value in named):
        raise _malformed(path, plural, kind)
    return named


def _malformed(path: Path, plural: str, kind: str) -> Fault:
    return usage(
        f"the kubeconfig {path} is malformed: `{plural}` must be a list of entries with `name` and `{kind}`; "
        "repair it or give another with --kubeconfig"
    )
