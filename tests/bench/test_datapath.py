"""Turns and summaries of the data path's figures."""

from __future__ import annotations

from collections import Counter

from bench.datapath import ROLES, WAYS, Samples, _order, summarise


def samples(ours: float) -> Samples:
    speeds = {"isthmus": ours, "by hand": 400.0, "clear": 4000.0}
    return Samples(
        throughput={(way, role): [speeds[way]] * 3 for way in WAYS for role in ROLES},
        charon_cpu={(way, role): [0.0] * 3 for way in WAYS for role in ROLES},
        round_trips={(way, role): [[0.5, 0.6, 9.0]] * 3 for way in WAYS for role in ROLES},
    )


def test_in_three_turns_every_way_is_first_once():
    first = Counter(_order(turn)[0] for turn in range(3))

    assert first == {(way, ROLES[0]): 1 for way in WAYS}


def test_every_turn_has_every_way_on_every_path():
    assert {frozenset(_order(turn)) for turn in range(4)} == {
        frozenset((way, role) for way in WAYS for role in ROLES)
    }


def test_the_ratio_to_the_hand_made_path_has_a_goal_and_the_one_to_clear_text_has_none():
    figures = {one.name: one for one in summarise(samples(390.0), "worker")}

    by_hand = figures["TCP worker to worker, isthmus / by hand"]
    assert (by_hand.value, by_hand.met) == (0.975, True)
    clear = figures["TCP worker to worker, isthmus / clear"]
    assert (clear.value, clear.goal) == (0.0975, None)


def test_half_the_speed_misses_the_goal():
    missed = [one.name for one in summarise(samples(200.0), "gateway") if one.met is False]

    assert missed == ["TCP gateway to gateway, isthmus / by hand"]


def test_kernel_esp_has_no_figure_of_charons_cpu():
    assert not [one for one in summarise(samples(400.0), "worker") if "CPU" in one.name]


def test_no_two_figures_share_a_name():
    names = [one.name for role in ROLES for one in summarise(samples(400.0), role)]

    assert len(names) == len(set(names))
