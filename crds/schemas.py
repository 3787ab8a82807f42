"""The CustomResourceDefinitions that this package carries beside its records."""

from __future__ import annotations

from importlib import resources
from typing import Any

import yaml

SCHEMA_FILES = ("cluster.yaml", "endpoint.yaml", "gateway.yaml", "routeagent.yaml")


def load_schemas() -> tuple[dict[str, Any], ...]:
    """Return the definitions as objects ready to be written to an API server."""
    here = resources.files("crds")
    return tuple(yaml.safe_load((here / name).read_text(encoding="utf-8")) for name in SCHEMA_FILES)
