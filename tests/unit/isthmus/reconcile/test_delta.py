from isthmus.reconcile.delta import diff


def test_equal_states_need_no_writes():
    delta = diff({"a": 1}, {"a": 1})

    assert not delta
    assert delta.size == 0


def test_each_difference_is_added_changed_or_removed():
    delta = diff({"new": 1, "same": 2, "other": 3}, {"same": 2, "other": 4, "old": 5})

    assert (delta.added, delta.changed, delta.removed) == ({"new": 1}, {"other": 3}, {"old": 5})
    assert delta
    assert delta.size == 3
