from __future__ import annotations

import pytest

from isthmus.dataplane.sysctl import OriginalsFile, OriginalsUnreadable, OriginalsUnwritable, sync_sysctls
from isthmus.reconcile.errors import Transient
from isthmus.reconcile.outcome import Outcome
from tests.fakes.sysctl import FakeOriginals, FakeSysctl
from tests.laws import Faults, Subject, obeys_the_four_laws

RP_FILTER = "net/ipv4/conf/cni0/rp_filter"
FORWARDING = "net/ipv4/conf/vx-submariner/forwarding"


def settings() -> FakeSysctl:
    return FakeSysctl({RP_FILTER: "1", FORWARDING: "0", "net/ipv4/ip_forward": "1"})


async def test_sysctl_driver_obeys_the_four_laws():
    sysctl, originals = settings(), FakeOriginals()

    async def sync(desired: dict[str, str]) -> Outcome:
        return sync_sysctls(sysctl, originals, desired)

    async def state() -> object:
        return dict(sysctl.values)

    await obeys_the_four_laws(
        Subject(
            sync,
            state,
            ({RP_FILTER: "2"}, {RP_FILTER: "0", FORWARDING: "1"}),
            {},
            Faults(("read", "write"), sysctl.fail_next, sysctl.failures.clear),
        )
    )
    assert originals.values == {}


def test_value_that_is_so_already_is_neither_written_nor_kept():
    sysctl, originals = settings(), FakeOriginals()

    outcome = sync_sysctls(sysctl, originals, {RP_FILTER: "1"})

    assert (outcome.writes, originals.values) == (0, {})


def test_original_survives_a_drift_and_a_second_wish():
    sysctl, originals = settings(), FakeOriginals()
    sync_sysctls(sysctl, originals, {RP_FILTER: "2"})
    sysctl.values[RP_FILTER] = "0"

    outcome = sync_sysctls(sysctl, originals, {RP_FILTER: "2"})

    assert (outcome.changed, sysctl.values[RP_FILTER]) == (1, "2")
    assert originals.values == {RP_FILTER: "1"}


def test_setting_of_a_missing_interface_is_passed_over():
    outcome = sync_sysctls(settings(), FakeOriginals(), {"net/ipv4/conf/gone0/rp_filter": "2"})

    assert outcome == Outcome("sysctls")


def test_original_of_an_interface_that_is_gone_is_forgotten():
    sysctl, originals = settings(), FakeOriginals()
    sync_sysctls(sysctl, originals, {FORWARDING: "1"})
    del sysctl.values[FORWARDING]

    outcome = sync_sysctls(sysctl, originals, {})

    assert outcome == Outcome("sysctls")
    assert originals.values == {}


class FullDisk:
    """Keeps nothing."""

    def load(self):
        return {}

    def save(self, values):
        raise OriginalsUnwritable("no space left on device")


def test_nothing_is_written_when_the_original_cannot_be_kept():
    sysctl = settings()

    outcome = sync_sysctls(sysctl, FullDisk(), {RP_FILTER: "2"})

    assert [type(error) for error in outcome.failures] == [OriginalsUnwritable]
    assert sysctl.values[RP_FILTER] == "1"


def test_directory_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "state").write_text("a file where the directory belongs")

    with pytest.raises(OriginalsUnwritable, match="make that directory writable"):
        OriginalsFile(tmp_path / "state" / "sysctls.json").save({RP_FILTER: "1"})


def test_unreadable_originals_are_a_failure_and_nothing_is_written(tmp_path):
    path = tmp_path / "sysctls.json"
    path.write_text("{")
    sysctl = settings()

    outcome = sync_sysctls(sysctl, OriginalsFile(path), {RP_FILTER: "2"})

    assert [type(error) for error in outcome.failures] == [OriginalsUnreadable]
    assert sysctl.writes == 0


def test_one_refused_setting_does_not_stop_the_others():
    sysctl = settings()
    sysctl.fail_next("write", Transient("read-only"))

    outcome = sync_sysctls(sysctl, FakeOriginals(), {RP_FILTER: "2", FORWARDING: "1"})

    assert len(outcome.failures) == 1
    assert sysctl.values[FORWARDING] == "1"


def test_file_keeps_originals_over_a_restart_and_goes_with_the_last(tmp_path):
    path = tmp_path / "isthmus" / "sysctls.json"
    sysctl = settings()

    sync_sysctls(sysctl, OriginalsFile(path), {RP_FILTER: "2"})
    assert OriginalsFile(path).load() == {RP_FILTER: "1"}
    sync_sysctls(sysctl, OriginalsFile(path), {})

    assert sysctl.values[RP_FILTER] == "1"
    assert not path.exists()


@pytest.mark.parametrize("text", ["{", "", "[]", "null", '"x"'])
def test_broken_file_is_named_with_what_to_do(tmp_path, text):
    path = tmp_path / "sysctls.json"
    path.write_text(text)

    with pytest.raises(OriginalsUnreadable, match="repair the file, or remove it"):
        OriginalsFile(path).load()


def test_file_that_cannot_go_is_a_failure_of_its_own_kind(tmp_path):
    (tmp_path / "sysctls.json").mkdir()

    with pytest.raises(OriginalsUnwritable, match="cannot keep the original sysctl values"):
        OriginalsFile(tmp_path / "sysctls.json").save({})
