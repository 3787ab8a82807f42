from __future__ import annotations

import errno

import pytest

from isthmus.dataplane.errors import Busy, Exists, KernelRefused, Missing, NoPermission, refused


@pytest.mark.parametrize(
    ("code", "kind", "word"),
    [
        (errno.ESRCH, Missing, "no such process"),
        (errno.ENODEV, Missing, "no such device"),
        (errno.EEXIST, Exists, "there is one already"),
        (errno.EBUSY, Busy, "tried again"),
        (errno.EPERM, NoPermission, "run as root"),
        (errno.EINVAL, KernelRefused, "invalid argument"),
    ],
)
def test_errno_becomes_a_kind_and_a_sentence(code, kind, word):
    error = refused("add route 10.1.0.0/16", code)

    assert type(error) is kind
    assert str(error).startswith("cannot add route 10.1.0.0/16: ")
    assert word in str(error)
