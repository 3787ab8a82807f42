from __future__ import annotations

import re

import pytest

from isthmus.lab.progress import report


def test_a_step_is_told_on_stderr_with_the_time_it_came(capsys: pytest.CaptureFixture[str]):
    report("networks")

    told = capsys.readouterr()
    assert re.fullmatch(r"  +\d+\.\d s  networks\n", told.err)
    assert told.out == ""
