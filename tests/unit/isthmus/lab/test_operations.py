from __future__ import annotations

import pytest

from isthmus.lab.operations import changed
from isthmus.lab.wanplan import LinkState
from isthmus.reconcile.errors import Fatal


def test_what_is_not_named_stays():
    state = LinkState(delay_ms=20, loss_percent=1)

    assert changed(state, None, 3, False) == LinkState(delay_ms=20, loss_percent=3)
    assert changed(state, 0, None, True) == LinkState(cut=True, loss_percent=1)
    assert changed(LinkState(cut=True), None, None, False) == LinkState(cut=True)


@pytest.mark.parametrize(("delay", "loss"), [(-1, None), (10_001, None), (None, -0.1), (None, 101)])
def test_an_impossible_quality_is_refused(delay: float | None, loss: float | None):
    with pytest.raises(Fatal, match=r"--(delay|loss) .*: use 0 to"):
        changed(LinkState(), delay, loss, False)
