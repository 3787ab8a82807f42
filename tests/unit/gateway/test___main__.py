"""The program from outside, as far as it gets without touching the host."""

from __future__ import annotations

import os
import subprocess
import sys


def program(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gateway", *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.getcwd(), **variables},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_the_version_is_told():
    assert program("--version").stdout.strip().count(".") == 2


def test_a_start_that_cannot_work_is_one_line_of_reasons_and_exit_code_2():
    done = program(NODE_NAME="east-gateway", SUBMARINER_CLUSTERID="East!")

    assert done.returncode == 2
    [line] = done.stdout.splitlines()
    assert "Traceback" not in done.stdout + done.stderr
    if os.geteuid() == 0:
        assert "SUBMARINER_NAMESPACE: is not set" in line
    else:
        assert "run it as root" in line
