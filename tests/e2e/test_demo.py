"""The demo says what it shows, and what it shows is so."""

from __future__ import annotations

import re
import sys

import pytest

from isthmus.lab import lab as labs
from isthmus.lab import process

NAME = "e2edemo"


@pytest.fixture
def clean():
    labs.down(print, NAME)
    yield
    labs.down(print, NAME)


def demo() -> str:
    command = [sys.executable, "-m", "isthmus.cli", "lab", "demo", "--name", NAME]
    done = process.run(command, timeout=240)
    assert done.ok, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def test_the_demo_shows_tunnel_fetches_and_an_encrypted_wire_also_a_second_time(clean: None) -> None:
    first = demo()
    again = demo()

    for said in (first, again):
        assert "172.31.1.50 ⇄ 172.31.2.50, ESTABLISHED" in said
        assert re.search(r"AES_GCM_16_256, SPIs [0-9a-f]{8} in, [0-9a-f]{8} out", said)
        assert len(re.findall(r"(10\.10\.1\.10|10\.20\.1\.10) \(the Pod itself\)", said)) == 4
        assert re.search(r"^0 +0 +CLEAR TEXT", said, re.MULTILINE)
        assert "10485760 bytes" in said

    invited = re.findall(r"^ +\$ (.*)$", again, re.MULTILINE)[-7:]
    assert invited[0].startswith("export KUBECONFIG=")
    # All but the last, which takes the lab down, are typed as they stand.
    for line in invited[1:-1]:
        typed = process.run(["bash", "-c", f"{invited[0]}; {line}"], timeout=60)
        assert typed.ok, f"{line}: {typed.stderr}"
