"""The lab of the benchmarks: two joined clusters, the same as the demo's, always removed at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from isthmus.lab import clusterset
from isthmus.lab import lab as labs
from isthmus.lab.lab import Lab
from isthmus.lab.topology import default_topology

NAME = "isthmusbench"


@contextmanager
def joined_lab(say: Callable[[str], None]) -> Iterator[Lab]:
    """A fresh lab for the block's duration; one that an earlier run left behind goes first."""
    labs.down(say, NAME)
    try:
        lab = labs.up(default_topology(), say, NAME)
        clusterset.join_all(lab, say)
        yield lab
    finally:
        labs.down(say, NAME)
