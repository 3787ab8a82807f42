"""How a daemon logs: for a person on a terminal, as one JSON object per line otherwise.

The libraries' own logging goes the same way, from WARNING on.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog
from structlog.typing import Processor, WrappedLogger

LONGEST_TEXT = 2000
"""Characters of one field; what a stranger sent may be megabytes."""


def configure(
    daemon: str, cluster: str, node: str, *, debug: bool = False, stream: TextIO = sys.stdout
) -> None:
    """Set logging up once, before the event loop starts; every line then names daemon, cluster and node."""
    level = logging.DEBUG if debug else logging.INFO
    common: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        shorten,
    ]
    if stream.isatty():
        # Not the pretty tracebacks: they show local variables, the pre-shared key among them.
        plain = structlog.dev.plain_traceback
        last: list[Processor] = [structlog.dev.ConsoleRenderer(exception_formatter=plain)]
    else:
        last = [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    structlog.configure(
        processors=[*common, *last],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(daemon=daemon, cluster=cluster, node=node)
    _adopt_standard_logging(stream, common, last)


def _adopt_standard_logging(stream: TextIO, common: list[Processor], last: list[Processor]) -> None:
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    output = logging.StreamHandler(stream)
    output.setFormatter(
        structlog.stdlib.ProcessorFormatter(foreign_pre_chain=common, processors=[remove_meta, *last])
    )
    logging.basicConfig(handlers=[output], level=logging.WARNING, force=True)


def shorten(
    _logger: WrappedLogger, _method: str, fields: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Cut every long text of a line."""
    for name, value in fields.items():
        if isinstance(value, str) and len(value) > LONGEST_TEXT:
            fields[name] = value[:LONGEST_TEXT] + "…"
    return fields
