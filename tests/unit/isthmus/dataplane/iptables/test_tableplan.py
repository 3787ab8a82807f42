"""What one table's restore text says, from what is wanted and what is there."""

from __future__ import annotations

from isthmus.dataplane.iptables.parse import parse_save
from isthmus.dataplane.iptables.tableplan import plan_table
from isthmus.dataplane.ruleset import Accept, Chain, Drop, Hook, Match, Rule

A, B = "SUBMARINER-A", "SUBMARINER-B"
KEEP = Chain("filter", A, (Rule(Match(), Accept(), "why"),))
STOP = Chain("filter", A, (Rule(Match(), Drop(), "why"),))
HOOK = Hook("filter", "FORWARD", A, first=True)
LEADS = '-m comment --comment "isthmus: leads to the rules of the cluster gateway"'
WHY = '-m comment --comment "isthmus: why"'


def found(*lines):
    return parse_save("\n".join(["*filter", ":FORWARD ACCEPT [0:0]", *lines, "COMMIT"]))["filter"]


IN_PLACE = found(f":{A} - [0:0]", f"-A FORWARD {LEADS} -j {A}", f"-A {A} {WHY} -j ACCEPT")


def test_what_is_so_already_needs_no_line():
    plan = plan_table([KEEP], [HOOK], IN_PLACE)

    assert (plan.lines, plan.drops_table) == ((), False)


def test_missing_table_is_marked_as_ours():
    plan = plan_table([KEEP], [HOOK], None)

    assert plan.lines == (
        ":SUBMARINER-NEW-TABLE - [0:0]",
        f":{A} - [0:0]",
        f"-A {A} {WHY} -j ACCEPT",
        f"-I FORWARD 1 {LEADS} -j {A}",
    )
    assert plan.counts["added"] == 2


def test_only_the_chain_that_differs_is_written():
    other = Chain("filter", B, ())
    there = found(f":{A} - [0:0]", f":{B} - [0:0]", f"-A FORWARD {LEADS} -j {A}", f"-A {A} {WHY} -j ACCEPT")

    plan = plan_table([STOP, other], [HOOK], there)

    assert plan.lines == (f":{A} - [0:0]", f"-A {A} {WHY} -j DROP")
    assert {verb: count for verb, count in plan.counts.items() if count} == {"changed": 1}


def test_hook_that_lost_the_first_place_is_moved():
    there = found(
        f":{A} - [0:0]",
        "-A FORWARD -j KUBE-FORWARD",
        f"-A FORWARD {LEADS} -j {A}",
        f"-A {A} {WHY} -j ACCEPT",
    )

    plan = plan_table([KEEP], [HOOK], there)

    assert plan.lines == (f"-D FORWARD {LEADS} -j {A}", f"-I FORWARD 1 {LEADS} -j {A}")
    assert plan.counts["changed"] == 1


def test_appended_hook_may_stand_anywhere():
    there = found(f":{A} - [0:0]", f"-A FORWARD {LEADS} -j {A}", "-A FORWARD -j X", f"-A {A} {WHY} -j ACCEPT")

    assert plan_table([KEEP], [Hook("filter", "FORWARD", A, first=False)], there).lines == ()


def test_doubled_hook_is_written_once_again():
    there = found(
        f":{A} - [0:0]",
        f"-A FORWARD {LEADS} -j {A}",
        f"-A FORWARD {LEADS} -j {A}",
        f"-A {A} {WHY} -j ACCEPT",
    )

    plan = plan_table([KEEP], [HOOK], there)

    assert [line.split()[0] for line in plan.lines] == ["-D", "-D", "-I"]
    assert plan.counts["removed"] == 1


def test_removal_takes_hooks_before_chains():
    plan = plan_table([], [], IN_PLACE)

    assert plan.lines == (f":{A} - [0:0]", f"-D FORWARD {LEADS} -j {A}", f"-X {A}")
    assert (plan.counts["removed"], plan.drops_table) == (2, False)


def test_table_that_only_we_used_goes():
    there = found(":SUBMARINER-NEW-TABLE - [0:0]")

    plan = plan_table([], [], there)

    assert plan.lines == (":SUBMARINER-NEW-TABLE - [0:0]", "-X SUBMARINER-NEW-TABLE")
    assert plan.drops_table


def test_table_that_others_use_by_now_stays():
    there = found(":SUBMARINER-NEW-TABLE - [0:0]", "-A FORWARD -j ACCEPT")

    assert not plan_table([], [], there).drops_table
