from __future__ import annotations

import io
import json

import pytest
import yaml

from isthmus.cli.output import Format, Progress, Table, render_data, render_table


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_each_line_carries_its_mark():
    stream = io.StringIO()
    progress = Progress(stream)

    progress.done("namespace")
    progress.failed("node")
    progress.warned("careful")
    progress.said("read")

    assert stream.getvalue() == " ✓ namespace\n ✗ node\n ⚠ careful\n   read\n"


def test_a_step_is_marked_when_it_has_ended():
    stream = io.StringIO()

    with Progress(stream).step("waiting"):
        assert stream.getvalue() == ""

    assert stream.getvalue() == " ✓ waiting\n"


def test_a_failed_step_is_marked_and_its_error_goes_on():
    stream = io.StringIO()

    with pytest.raises(RuntimeError), Progress(stream).step("waiting"):
        raise RuntimeError

    assert stream.getvalue() == " ✗ waiting\n"


def test_on_a_terminal_the_result_overwrites_the_announcement():
    stream = Terminal()

    with Progress(stream).step("waiting"):
        pass

    assert stream.getvalue() == " • waiting …\r ✓ waiting\x1b[K\n"


TABLE = Table(("NAME", "STATE"), (("east", "connected"), ("west", "error")), ({"name": "east"},))


def test_a_table_is_laid_out_in_columns():
    text = render_table(TABLE, width=80)

    lines = text.splitlines()
    assert lines[0].split() == ["NAME", "STATE"]
    assert lines[-1].split() == ["west", "error"]
    assert "\x1b" not in text


def test_a_narrow_terminal_loses_no_text():
    text = render_table(Table(("MESSAGE",), (("0123456789" * 5,),), ()), width=20)

    assert "".join(text.split()[2:]).replace("─", "") == "0123456789" * 5


def test_markup_in_a_cell_is_text():
    assert "[red]x[/red]" in render_table(Table(("A",), (("[red]x[/red]",),), ()), width=40)


@pytest.mark.parametrize(("form", "load"), [(Format.JSON, json.loads), (Format.YAML, yaml.safe_load)])
def test_data_comes_back_from_each_format(form: Format, load):
    results = {"east": [{"a": 1, "b": [True, None]}], "west": []}

    assert load(render_data(results, form)) == results
