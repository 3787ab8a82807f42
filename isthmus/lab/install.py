"""Plays the kubelet for Isthmus: starts on every node what `isthmus join` asked for, and takes it back.

It reads nothing but what `join` wrote in the cluster, so that a cluster which runs in the lab would run on real
nodes from the same objects.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from isthmus.kube.api import KubeApi
from isthmus.kube.auth import connect, from_kubeconfig
from isthmus.kube.errors import NotFound
from isthmus.kube.resources import CONFIG_MAPS, NODES, SECRETS
from isthmus.lab import charon, kubelet, process
from isthmus.lab.controlplane import API_PORT
from isthmus.lab.lab import Lab, Report
from isthmus.lab.node import Machine
from isthmus.lab.supervisor import Unit
from isthmus.lab.topology import Cluster
from isthmus.reconcile.errors import Fatal, Transient

TOKEN_SECONDS = 30 * 86400
UNINSTALL_SECONDS = 60
_ROOT_CA_SECONDS = 30
