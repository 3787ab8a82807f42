"""The broker file on disk: it opens a clusterset, so it is private from its first byte and never lost."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

from broker.info import BadBrokerInfo, BrokerInfo, decode_info
from isthmus.cli.faults import Fault, usage

_LARGEST = 1 << 20


def read_broker_file(path: Path) -> BrokerInfo:
    """Read and decode a broker file.

    Raises:
        Fault: it is missing, unreadable, cut off, or no broker file.
    """
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST + 1)
    except OSError as error:
        raise usage(
            f"cannot read {path}: {_reason(error)}; give the broker-info.subm that "
            "'isthmus deploy-broker' wrote"
        ) from None
    if len(content) > _LARGEST:
        raise usage(f"{path} is no broker file: it is larger than {_LARGEST >> 20} MiB")
    try:
        return decode_info(content.decode("ascii", errors="replace"))
    except BadBrokerInfo as reason:
        raise usage(f"{path} is no usable broker file: {reason}") from None


def write_broker_file(path: Path, content: str, now: datetime) -> Path | None:
    """Write the file with mode 0600; an older one with other content is renamed and its new name returned.

    Raises:
        Fault: the directory cannot be written.
    """
    try:
        if path.exists() and path.read_text(encoding="ascii", errors="replace") == content:
            path.chmod(0o600)
            return None
        aside = _aside(path, now)
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(content)
        if aside is not None:
            path.rename(aside)
        fresh.rename(path)
    except OSError as error:
        raise Fault(
            f"cannot write {path}: {(error.strerror or str(error)).lower()}; choose a directory that can be"
        ) from None
    return aside


def _reason(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


def _aside(path: Path, now: datetime) -> Path | None:
    if not path.exists():
        return None
    stamp = now.astimezone().isoformat(timespec="seconds").replace(":", "_")
    return path.with_name(f"{path.name}.{stamp}")
