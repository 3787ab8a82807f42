"""Which id does a cluster join under, and is it one that every part of the system can carry?"""

from __future__ import annotations

import re

from crds.cluster import is_cluster_id
from crds.meta import ClusterId
from isthmus.cli.faults import usage

_LONGEST = 63


def suggested_id(name: str) -> str:
    """Turn a kubeconfig's cluster name into a label; "" when nothing of it is left."""
    label = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
    return label[:_LONGEST].rstrip("-")


def choose_id(given: str, kubeconfig_name: str) -> ClusterId:
    """Take the id that was given, else the kubeconfig's name for the cluster.

    Raises:
        Fault: neither is a usable id.
    """
    if given:
        if is_cluster_id(given):
            return ClusterId(given)
        hint = suggested_id(given)
        advice = f": try --clusterid {hint}" if hint else ""
        raise usage(
            f"cluster id {given[:80]!r} is not a valid name (1 to {_LONGEST} of a-z, 0-9 and '-', beginning "
            f"and ending with a letter or digit){advice}"
        )
    derived = suggested_id(kubeconfig_name)
    if not derived:
        raise usage("the kubeconfig gives this cluster no usable name: choose one with --clusterid")
    return ClusterId(derived)
