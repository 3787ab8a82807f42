import io
import json
import logging

import pytest
import structlog

from isthmus.reconcile import logs


@pytest.fixture
def output():
    """What a daemon would write; the logging of other tests is put back."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield io.StringIO()
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    root.handlers[:] = before[0]
    root.setLevel(before[1])


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_every_line_is_json_that_names_daemon_cluster_and_node(output):
    logs.configure("gateway", "east", "east-gw", stream=output)

    structlog.get_logger().info("route_added", dst="10.1.0.0/16")

    line = json.loads(output.getvalue())
    assert line["timestamp"].endswith("Z")
    del line["timestamp"]
    assert line == {
        "event": "route_added",
        "level": "info",
        "dst": "10.1.0.0/16",
        "daemon": "gateway",
        "cluster": "east",
        "node": "east-gw",
    }


def test_debug_lines_appear_only_when_asked_for(output):
    logs.configure("gateway", "east", "east-gw", stream=output)
    structlog.get_logger().debug("pass_unchanged")
    assert output.getvalue() == ""

    logs.configure("gateway", "east", "east-gw", debug=True, stream=output)
    structlog.get_logger().debug("pass_unchanged")
    assert "pass_unchanged" in output.getvalue()


def test_a_terminal_gets_text_for_a_person(output):
    terminal = Terminal()
    logs.configure("gateway", "east", "east-gw", stream=terminal)

    structlog.get_logger().warning("pass_failed", failed=3)

    assert "pass_failed" in terminal.getvalue()
    with pytest.raises(ValueError, match="Expecting value"):
        json.loads(terminal.getvalue())


def test_a_traceback_shows_no_local_variables():
    terminal = Terminal()
    logs.configure("gateway", "east", "east-gw", stream=terminal)

    def fail(key: str) -> None:
        raise RuntimeError("a bug")

    try:
        fail("s3cret-key")
    except RuntimeError:
        logging.getLogger("asyncio").exception("Task exception was never retrieved")

    assert "a bug" in terminal.getvalue()
    assert "s3cret-key" not in terminal.getvalue().replace('fail("s3cret-key")', "")


def test_a_long_text_from_outside_is_cut(output):
    logs.configure("gateway", "east", "east-gw", stream=output)

    structlog.get_logger().warning("refused", body="x" * 100_000)

    assert len(output.getvalue()) < 3000


def test_the_warnings_of_libraries_take_the_same_way(output):
    logs.configure("gateway", "east", "east-gw", stream=output)

    logging.getLogger("aiohttp").info("connected")
    logging.getLogger("aiohttp").warning("closed by %s", "peer")

    line = json.loads(output.getvalue())
    assert (line["event"], line["level"], line["daemon"]) == ("closed by peer", "warning", "gateway")
