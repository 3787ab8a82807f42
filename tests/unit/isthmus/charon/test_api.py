from __future__ import annotations

from pathlib import Path

from isthmus.charon.api import Charon, CharonAway, CharonRefused
from isthmus.charon.session import ViciSession
from isthmus.reconcile.errors import Transient
from tests.fakes.charon import FakeCharon


def test_the_fake_and_the_real_one_can_stand_for_each_other():
    charons: list[Charon] = [FakeCharon(), ViciSession(Path("/nowhere"))]

    assert len(charons) == 2


def test_both_refusals_may_pass():
    assert issubclass(CharonAway, Transient)
    assert issubclass(CharonRefused, Transient)
