"""The documents name what exists, and all of it: files, settings, metrics, log events, marks of ownership."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from isthmus.dataplane import ownership
from isthmus.lab.topology import load_topology

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
DAEMONS = ("broker", "gateway", "routeagent", "isthmus/kube", "isthmus/reconcile")
FILES = [
    str(path.relative_to(ROOT))
    for top in ("bench", "broker", "crds", "docs", "gateway", "isthmus", "routeagent", "tests", "tools")
    for path in (ROOT / top).rglob("*.*")
]
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")


def sources(*tops: str) -> str:
    return "\n".join(
        path.read_text(encoding="utf-8") for top in tops for path in sorted((ROOT / top).rglob("*.py"))
    )


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_source_file_that_a_document_names_is_there(document):
    named = set(re.findall(r"`([\w/]+\.(?:py|mod))`", document.read_text(encoding="utf-8")))

    missing = [name for name in named if not any(f"/{file}".endswith(f"/{name}") for file in FILES)]

    assert not missing


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_link_to_a_file_leads_to_one(document):
    targets = re.findall(r"\]\(([\w./-]+)(?:#[\w-]+)?\)", document.read_text(encoding="utf-8"))

    assert [target for target in targets if not (document.parent / target).exists()] == []


def test_every_log_event_of_the_daemons_is_explained_and_no_other():
    logged = set(re.findall(r"log\.(?:debug|info|warning|error)\(\s*\"(\w+)\"", sources(*DAEMONS)))
    table = OPERATIONS.split("| event | level | means |")[1].split("\n\n")[0]

    explained = {
        name
        for cell in re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", cell)
    }

    assert explained == logged


def test_every_setting_that_the_daemons_read_is_explained():
    read = set(
        re.findall(
            r"\"((?:SUBMARINER|CE_IPSEC|LEADERSHIP|ISTHMUS|BROKER_K8S)_[A-Z0-9_]+)\"", sources(*DAEMONS)
        )
    )

    assert {name for name in read if not name.endswith("_") and f"`{name}`" not in OPERATIONS} == set()


def test_every_metric_is_explained():
    made = set(
        re.findall(
            r"(?:Counter|Gauge|Histogram|MetricFamily)\(\s*\"(\w+)\"", sources("gateway", "isthmus/reconcile")
        )
    )

    assert made
    assert {name for name in made if f"`{name}" not in OPERATIONS} == set()


def test_every_mark_of_ownership_has_its_row():
    rows = (ROOT / "docs" / "ownership.md").read_text(encoding="utf-8")
    marks = {name: value for name, value in vars(ownership).items() if name.isupper()}

    assert {name for name, value in marks.items() if str(value).strip() not in rows} == set()


def test_the_topology_that_the_lab_s_page_shows_is_one(tmp_path):
    page = (ROOT / "docs" / "lab.md").read_text(encoding="utf-8")
    path = tmp_path / "lab.yaml"
    path.write_text(page.split("```yaml\n")[1].split("```")[0])

    topology = load_topology(path)

    assert [(cluster.name, cluster.site) for cluster in topology.clusters] == [
        ("east", "east"),
        ("west", "north"),
        ("north", "north"),
    ]
