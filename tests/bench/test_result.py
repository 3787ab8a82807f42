"""Figures, their goals, and how they are kept."""

from __future__ import annotations

import json
from pathlib import Path

from bench.result import at_least, at_most, dump, exactly, load_all, parse, save, shown


def test_a_goal_is_met_up_to_its_limit():
    assert at_most("rss", 80.0, "MB", 80, "a small node").met is True
    assert at_most("rss", 80.1, "MB", 80, "a small node").met is False
    assert at_least("ratio", 0.95, "ratio", 0.95, "by hand").met is True
    assert at_least("ratio", 0.94, "ratio", 0.95, "by hand").met is False
    assert exactly("writes", 4, "writes", 4, "the delta").met is True
    assert exactly("writes", 5, "writes", 4, "the delta").met is False


def test_a_figure_for_information_has_no_goal():
    one = shown("throughput", 612.3, "Mbit/s", "clear text")

    assert (one.goal, one.met) == (None, None)


def test_values_are_kept_with_four_significant_digits_but_judged_as_measured():
    one = at_most("time", 100.01, "ms", 100, "the goal")

    assert (one.value, one.met) == (100.0, False)


def test_the_json_is_a_list_of_records_with_exactly_these_fields():
    [record] = json.loads(dump([at_most("cpu", 12.5, "ms CPU", 100, "issue")]))

    assert record == {
        "name": "cpu",
        "value": 12.5,
        "unit": "ms CPU",
        "goal": "≤ 100",
        "met": True,
        "against": "issue",
    }


def test_what_was_dumped_is_read_back():
    results = (shown("a", 1.0, "s", ""), at_least("b", 2.0, "ratio", 1, "x"))

    assert parse(dump(results)) == results


def test_parts_are_put_together_in_the_order_asked_for_and_missing_ones_are_left_out(tmp_path: Path):
    first, second = shown("a", 1.0, "s", ""), shown("b", 2.0, "s", "")
    save(tmp_path, "one", [first])
    save(tmp_path, "two", [second])

    assert load_all(tmp_path, ["two", "never", "one"]) == (second, first)
