"""A kind that the tunnel stands on is not defined any more: told, and healed by its return."""

from __future__ import annotations

import json
from pathlib import Path

from isthmus.lab.lab import Lab
from tests.e2e.breaking import send
from tests.e2e.flows import target
from tests.e2e.seen import MEMBERS
from tests.e2e.steady import steady_flow
from tests.e2e.told import await_failure, await_well

NAME = "endpoints.submariner.io"


def test_without_endpoints_the_gateway_says_what_to_install_and_their_return_heals(
    bad_lab: Lab, tmp_path: Path
) -> None:
    await_well(bad_lab, *MEMBERS)
    definition = json.loads(bad_lab.kubectl("west", "get", "crd", NAME, "-o", "json"))
    metadata = {"name": NAME, "labels": definition["metadata"].get("labels", {})}
    inside = target(bad_lab, "west", "worker", "Pod IP").address
    with steady_flow(bad_lab, "west/web-gateway", inside, tmp_path / "ping.log") as flow, flow.unharmed():
        # The API server deletes all Endpoints with their definition, so the tunnel goes, too.
        bad_lab.kubectl("west", "delete", "crd", NAME)
        try:
            await_failure(bad_lab, "west", NAME, "install Isthmus' CustomResourceDefinitions")
        finally:
            send(bad_lab, "west", definition | {"metadata": metadata, "status": {}}, "create")
        await_well(bad_lab, *MEMBERS)
