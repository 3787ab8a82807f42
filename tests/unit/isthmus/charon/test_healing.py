from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

from isthmus.charon.healing import (
    GRACE_SECONDS,
    EndChild,
    EndIke,
    Initiate,
    Judgement,
    Patience,
    Wanted,
    judge,
    orphans,
)
from isthmus.charon.records import IkeSa, Initiation
from tests.unit.isthmus.charon.worlds import child, ike, wanted

NOW = 1000.0
WEST = wanted()
WAITING = wanted(Initiation.AFTER_GRACE)


def decide(item: Wanted, *sas: IkeSa, now: float = NOW, patience: Patience | None = None) -> Judgement:
    return judge(item, sas, now, patience, GRACE_SECONDS)


class TestStarting:
    def test_the_side_that_starts_does_so_at_once(self):
        judgement = decide(WEST)

        assert judgement.commands == (Initiate(WEST),)
        assert judgement.recheck == NOW + 0.5

    def test_the_side_that_waits_starts_after_the_grace_time(self):
        first = decide(WAITING)
        assert (first.commands, first.recheck) == ((), NOW + 3)

        assert decide(WAITING, now=NOW + 2.9, patience=first.patience).commands == ()
        assert decide(WAITING, now=NOW + 3, patience=first.patience).commands == (Initiate(WAITING),)

    def test_a_peer_that_cannot_be_called_is_waited_for(self):
        assert decide(wanted(Initiation.NEVER)) == Judgement()

    def test_refused_attempts_come_at_growing_intervals(self):
        times: list[float] = []
        now, patience = NOW, None
        while len(times) < 8:
            judgement = decide(WEST, now=now, patience=patience)
            times += [now - NOW] * len(judgement.commands)
            patience = judgement.patience
            assert judgement.recheck is not None
            now = judgement.recheck

        assert times == [0, 0.5, 1.5, 3.5, 7.5, 15.5, 30.5, 45.5]

    def test_a_running_negotiation_is_left_to_end(self):
        patience = Patience(due=NOW - 1, attempts=1)

        judgement = decide(WEST, ike(state="CONNECTING"), patience=patience)

        assert judgement == Judgement(patience=patience)

    def test_an_exchange_on_an_established_ike_sa_is_left_to_end(self):
        assert decide(WEST, ike(busy=True)).commands == ()

    def test_an_ike_sa_that_lost_its_child_gets_a_new_one(self):
        assert decide(WEST, ike()).commands == (Initiate(WEST),)

    def test_a_call_to_an_address_that_the_peer_left_is_given_up(self):
        elsewhere = ike(state="CONNECTING", remote_address=IPv4Address("192.0.2.99"))

        assert decide(WEST, elsewhere).commands == (EndIke(1, hasty=True), Initiate(WEST))


class TestATunnelThatIsUp:
    def test_needs_nothing(self):
        assert decide(WEST, ike(child(WEST.child))) == Judgement()

    def test_is_not_disturbed_by_a_rekeying(self):
        old, new = child(WEST.child, state="REKEYED"), child(WEST.child, unique_id=2, age=0)

        assert decide(WEST, ike(old, new)).commands == ()

    def test_of_an_older_version_stays_until_the_new_one_is_up_for_a_while(self):
        stale = child("isthmus-older")

        assert decide(WEST, ike(stale)).commands == (Initiate(WEST),)
        young = decide(WEST, ike(stale, child(WEST.child, unique_id=2, age=1)))
        assert (young.commands, young.recheck) == ((), NOW + 3)
        assert decide(WEST, ike(stale, child(WEST.child, unique_id=2, age=3))).commands == (EndChild(1),)

    def test_lets_an_ike_sa_go_that_carries_only_an_older_version(self):
        old, new = ike(child("isthmus-older")), ike(child(WEST.child, unique_id=2), unique_id=2)

        assert decide(WEST, old, new).commands == (EndIke(1, hasty=True),)

    def test_lets_a_busy_ike_sa_be(self):
        old, new = ike(child("isthmus-older"), busy=True), ike(child(WEST.child, unique_id=2), unique_id=2)

        assert decide(WEST, old, new).commands == ()

    def test_lets_a_crossing_call_of_either_side_come_to_its_end(self):
        up = ike(child(WEST.child))

        assert decide(WEST, up, ike(state="CONNECTING", unique_id=2)).commands == ()
        assert decide(WEST, up, ike(state="CONNECTING", unique_id=2, initiator=False)).commands == ()

    def test_ends_a_call_to_an_address_that_the_peer_left(self):
        elsewhere = ike(state="CONNECTING", unique_id=2, remote_address=IPv4Address("192.0.2.99"))

        assert decide(WEST, ike(child(WEST.child)), elsewhere).commands == (EndIke(2, hasty=True),)


class TestTwoTunnelsForTheSameSubnets:
    def test_become_the_same_one_on_both_ends(self):
        ours = [
            ike(child(WEST.child, unique_id=1, spi_in="0a000000", spi_out="ff000000"), unique_id=1),
            ike(child(WEST.child, unique_id=2, spi_in="0b000000", spi_out="01000000"), unique_id=2),
        ]
        theirs = [
            replace(
                sa,
                unique_id=sa.unique_id + 10,
                children=tuple(replace(c, spi_in=c.spi_out, spi_out=c.spi_in) for c in sa.children),
            )
            for sa in ours
        ]

        assert decide(WEST, *ours).commands == (EndIke(1, hasty=True),)
        assert decide(WEST, *reversed(theirs)).commands == (EndIke(11, hasty=True),)

    def test_on_one_ike_sa_cost_only_a_child(self):
        both = ike(child(WEST.child, unique_id=1), child(WEST.child, unique_id=2))

        assert decide(WEST, both).commands == (EndChild(2),)

    def test_are_left_alone_while_one_is_young(self):
        both = ike(child(WEST.child, unique_id=1), child(WEST.child, unique_id=2, age=2))

        assert decide(WEST, both).commands == ()

    def test_are_no_extras_when_each_carries_another_pair(self):
        first, second = IPv4Network("10.20.0.0/16"), IPv4Network("10.21.0.0/16")
        pairs = ike(
            child(WEST.child, unique_id=1, remote_subnets=(first,)),
            child(WEST.child, unique_id=2, remote_subnets=(second,)),
        )

        assert decide(WEST, pairs).commands == ()


def test_sas_of_connections_that_are_gone_are_ended_and_foreign_ones_are_not():
    gone = ike(unique_id=5, name="isthmus-gone")
    leaving = ike(unique_id=6, name="isthmus-gone", state="DELETING")
    foreign = ike(unique_id=7, name="roadwarriors")

    assert orphans([WEST], [ike(), gone, leaving, foreign]) == (EndIke(5),)
