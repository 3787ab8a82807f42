"""The election as events in, commands out; then whole histories of two candidates in virtual time."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.election import Election
from gateway.leadership import (
    Become,
    CallFailed,
    Command,
    Finish,
    Holding,
    LeaseRead,
    LeaseWritten,
    Read,
    Role,
    SetAside,
    Sleep,
    Standing,
    StopRequested,
    Woken,
    Write,
    WriteLost,
)
from tests.unit.gateway.electionworld import TIMES, Call, Candidate, World

OURS = Holding("us", 15.0, "1")
THEIRS = Holding("them", 15.0, "1")
FREE = Holding("", 15.0, "1")


def election() -> Election:
    return Election("us", TIMES)


def leading(at: float = 0.0) -> Election:
    machine = election()
    machine.handle(Woken(), at)
    machine.handle(LeaseRead(None), at)
    machine.handle(LeaseWritten(OURS, at), at)
    assert machine.role.standing is Standing.LEADER
    return machine


def roles(commands: list[Command]) -> list[Role]:
    return [command.role for command in commands if isinstance(command, Become)]


def writes(commands: list[Command]) -> list[str]:
    return [command.holder for command in commands if isinstance(command, Write)]


def test_a_candidate_reads_before_it_writes():
    assert election().handle(Woken(), 0.0) == [Read(10.0)]


def test_a_missing_lease_is_created_in_our_name():
    assert election().handle(LeaseRead(None), 0.0) == [Write("us", None, new_term=True, timeout=10.0)]


def test_a_written_lease_makes_us_leader_and_is_renewed_after_the_retry_period():
    machine = election()
    machine.handle(LeaseRead(None), 0.0)

    commands = machine.handle(LeaseWritten(OURS, 0.0), 0.1)

    assert commands == [Become(Role(Standing.LEADER)), Sleep(2.0)]


def test_a_leader_renews_without_reading_first():
    assert leading().handle(Woken(), 2.0) == [Write("us", OURS, new_term=False, timeout=8.0)]


def test_a_lease_held_by_another_is_respected_and_the_holder_named():
    commands = election().handle(LeaseRead(THEIRS), 0.0)

    assert commands == [Become(Role(Standing.FOLLOWER, "them")), Sleep(2.0)]


def test_the_time_of_a_foreign_holder_runs_from_when_we_saw_it_and_not_from_its_stamp():
    machine = election()
    machine.handle(LeaseRead(THEIRS), 100.0)

    assert writes(machine.handle(LeaseRead(THEIRS), 114.9)) == []
    assert writes(machine.handle(LeaseRead(THEIRS), 115.0)) == ["us"]


def test_a_renewed_foreign_lease_starts_its_time_again():
    machine = election()
    machine.handle(LeaseRead(THEIRS), 0.0)
    machine.handle(LeaseRead(replace(THEIRS, version="2")), 14.0)

    assert writes(machine.handle(LeaseRead(replace(THEIRS, version="2")), 20.0)) == []


def test_a_foreign_holder_that_announced_a_longer_lease_is_given_that_long():
    machine = election()
    patient = Holding("them", 60.0, "1")
    machine.handle(LeaseRead(patient), 0.0)

    assert writes(machine.handle(LeaseRead(patient), 59.0)) == []
    assert writes(machine.handle(LeaseRead(patient), 60.0)) == ["us"]


def test_a_released_lease_is_taken_at_once():
    machine = election()
    machine.handle(LeaseRead(THEIRS), 0.0)

    assert machine.handle(LeaseRead(FREE), 1.0) == [Write("us", FREE, new_term=True, timeout=10.0)]


def test_a_restarted_holder_goes_on_without_a_new_term():
    assert election().handle(LeaseRead(OURS), 0.0) == [Write("us", OURS, new_term=False, timeout=10.0)]


def test_reading_our_own_name_alone_does_not_make_us_leader():
    machine = election()

    commands = machine.handle(LeaseRead(OURS), 0.0)

    assert roles(commands) == []
    assert not machine.leads(0.0)


def test_a_leader_whose_calls_fail_steps_down_at_the_deadline_and_not_before():
    machine = leading()

    early = machine.handle(CallFailed("connection refused"), 9.0)
    late = machine.handle(CallFailed("connection refused"), 10.0)

    assert roles(early) == []
    assert early[-1] == Sleep(1.0)
    assert [role.standing for role in roles(late)] == [Standing.UNDECIDED, Standing.UNDECIDED]
    assert roles(late)[-1].detail == "connection refused"


def test_a_leader_stops_leading_at_the_deadline_even_if_no_event_comes():
    machine = leading()

    assert machine.leads(9.9)
    assert not machine.leads(10.0)


def test_the_deadline_runs_from_the_sending_of_the_last_good_write():
    machine = leading()
    machine.handle(LeaseWritten(replace(OURS, version="2"), sent=2.0), 9.0)

    assert machine.leads(11.9)
    assert not machine.leads(12.0)


def test_an_answer_that_comes_after_its_own_deadline_makes_no_leader():
    machine = election()
    machine.handle(LeaseRead(None), 0.0)

    assert roles(machine.handle(LeaseWritten(OURS, sent=0.0), 10.0)) == []


def test_a_leader_that_was_cut_off_goes_on_when_nobody_took_the_lease():
    machine = leading()
    machine.handle(CallFailed("cut"), 12.0)

    assert machine.handle(Woken(), 30.0) == [Read(10.0)]
    assert writes(machine.handle(LeaseRead(OURS), 30.0)) == ["us"]
    assert roles(machine.handle(LeaseWritten(replace(OURS, version="2"), 30.0), 30.1)) == [
        Role(Standing.LEADER)
    ]


def test_a_leader_that_finds_another_name_in_the_lease_follows_at_once():
    machine = leading()
    assert machine.handle(WriteLost(), 2.0) == [Sleep(0.5)]
    assert machine.handle(Woken(), 2.5) == [Read(7.5)]

    commands = machine.handle(LeaseRead(THEIRS), 2.6)

    assert roles(commands) == [Role(Standing.FOLLOWER, "them")]


def test_a_stopping_leader_releases_the_lease_and_then_finishes():
    machine = leading()

    commands = machine.handle(StopRequested(), 1.0)

    assert commands[-1] == Write("", OURS, new_term=False, timeout=2.0)
    assert machine.handle(LeaseWritten(FREE, 1.0), 1.1) == [Finish()]


def test_a_stopping_leader_that_is_unsure_of_the_version_reads_first():
    machine = leading()
    machine.handle(CallFailed("timeout"), 2.0)

    assert machine.handle(StopRequested(), 3.0)[-1] == Read(2.0)
    assert writes(machine.handle(LeaseRead(replace(OURS, version="7")), 3.1)) == [""]


def test_a_stopping_leader_does_not_take_the_lease_from_a_successor():
    machine = leading()
    machine.handle(CallFailed("timeout"), 2.0)
    machine.handle(StopRequested(), 3.0)

    assert machine.handle(LeaseRead(THEIRS), 3.1) == [Finish()]


def test_a_stopping_follower_has_nothing_to_release():
    machine = election()
    machine.handle(LeaseRead(THEIRS), 0.0)

    assert machine.handle(StopRequested(), 1.0) == [Finish()]


def test_a_stop_ends_also_when_the_api_is_away_or_the_write_is_lost():
    for event in (CallFailed("refused"), WriteLost()):
        machine = leading()
        machine.handle(StopRequested(), 1.0)

        assert machine.handle(event, 3.0)[-1] == Finish()


def test_a_gateway_that_sets_itself_aside_releases_and_leaves_the_lease_free_for_others():
    machine = leading()

    commands = machine.handle(SetAside(61.0, "charon does not answer"), 1.0)

    assert roles(commands) == [Role(Standing.UNDECIDED, "charon does not answer")]
    assert writes(commands) == [""]
    machine.handle(LeaseWritten(FREE, 1.0), 1.1)
    assert machine.handle(LeaseRead(FREE), 3.0) == [Sleep(2.0)]
    assert writes(machine.handle(LeaseRead(FREE), 61.0)) == ["us"]


def test_a_gateway_set_aside_in_doubt_about_the_version_releases_after_reading():
    machine = leading()
    machine.handle(CallFailed("timeout"), 2.0)

    assert machine.handle(SetAside(60.0, "no charon"), 3.0)[-1] == Read(10.0)
    assert writes(machine.handle(LeaseRead(replace(OURS, version="9")), 3.1)) == [""]


call = st.builds(
    Call,
    there=st.sampled_from([0.01, 0.01, 0.5, 6.0]),
    back=st.sampled_from([0.01, 0.01, 0.5, 6.0]),
    lost=st.sampled_from(["", "", "request", "answer"]),
)
phases = st.lists(st.tuples(call, st.integers(1, 8)), min_size=1, max_size=6)


def calls(stretches: list[tuple[Call, int]]) -> list[Call]:
    """Stretches of good and bad network; it is good to begin with, so that there is someone to depose."""
    return [Call(0.01, 0.01)] * 3 + [call for call, times in stretches for _ in range(times)]


@settings(max_examples=300, deadline=None)
@given(first=phases, second=phases, skew=st.floats(0.7, 1.4))
def test_two_candidates_never_lead_at_once_while_clock_rates_stay_within_the_bound(first, second, skew):
    one = Candidate("a", 1.0, calls(first), Election("a", TIMES), used=-1)
    other = Candidate("b", skew, calls(second), Election("b", TIMES), used=-1)

    assert World([one, other]).run(until=200.0) == []


def test_the_simulation_does_see_two_leaders_when_the_clock_rates_break_the_bound():
    """Guards the property above: the world it runs in must be able to show the fault."""
    cut_off = [Call(0.01, 0.01)] * 4 + [Call(0.01, 0.01, "request")] * 50
    one = Candidate("a", 1.0, cut_off, Election("a", TIMES), used=-1)
    fast = Candidate("b", 2.2, [Call(0.02, 0.02)], Election("b", TIMES))

    assert World([one, fast]).run(until=60.0) != []


def test_a_healthy_network_always_has_a_leader_after_the_first_moments():
    quick = [Call(0.01, 0.01)]
    one = Candidate("a", 1.0, quick, Election("a", TIMES))
    world = World([one, Candidate("b", 1.0, quick, Election("b", TIMES))])

    world.run(until=120.0)

    assert [candidate.machine.leads(120.0) for candidate in world.candidates].count(True) == 1


def test_a_partitioned_leader_is_replaced_and_follows_when_it_comes_back():
    cut_after_ten_calls = [Call(0.01, 0.01)] * 10 + [Call(0.01, 0.01, "request")] * 8
    one = Candidate("a", 1.0, cut_after_ten_calls, Election("a", TIMES), used=-1)
    other = Candidate("b", 1.0, [Call(0.02, 0.02)], Election("b", TIMES))
    world = World([one, other])

    assert world.run(until=55.0) == []
    assert other.machine.leads(55.0)

    assert world.run(until=140.0) == []
    assert one.machine.role.standing is Standing.FOLLOWER
