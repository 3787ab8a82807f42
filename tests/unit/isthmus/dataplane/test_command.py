from __future__ import annotations

import pytest

from isthmus.dataplane.command import CommandFailed, ProgramMissing, SystemCommand


async def test_program_reads_what_it_is_given_and_its_output_comes_back():
    done = await SystemCommand().run(["tr", "a-z", "A-Z"], stdin="isthmus")

    assert done.stdout == "ISTHMUS"


async def test_failure_carries_status_and_complaint():
    with pytest.raises(CommandFailed, match="ended with status 3: no such thing") as caught:
        await SystemCommand().run(["sh", "-c", "echo no such thing >&2; exit 3"])

    assert caught.value.status == 3


async def test_long_complaint_is_cut():
    with pytest.raises(CommandFailed) as caught:
        await SystemCommand().run(["sh", "-c", "yes | head -c 9000 >&2; exit 1"])

    assert len(str(caught.value)) < 500


async def test_missing_program_is_named():
    with pytest.raises(ProgramMissing, match="no-such-program is not installed"):
        await SystemCommand().run(["no-such-program"])


async def test_program_that_never_ends_is_killed():
    with pytest.raises(CommandFailed, match=r"took too long: no end within 0\.05 s"):
        await SystemCommand().run(["sleep", "60"], limit=0.05)


async def test_a_program_sees_no_secret_of_ours_and_speaks_english(monkeypatch):
    monkeypatch.setenv("CE_IPSEC_PSK", "the-key")
    monkeypatch.setenv("XTABLES_LOCKFILE", "/run/other.lock")

    shown = (await SystemCommand().run(["env"])).stdout.splitlines()

    assert {line.partition("=")[0] for line in shown} <= {
        "PATH",
        "XTABLES_LOCKFILE",
        "XTABLES_LIBDIR",
        "LC_ALL",
    }
    assert {"XTABLES_LOCKFILE=/run/other.lock", "LC_ALL=C"} <= set(shown)
