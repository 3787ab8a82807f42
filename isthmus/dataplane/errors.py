"""What a refusal of the kernel means, decided once where the errno is seen.

"Already so" is success for the drivers: `Exists` on adding an equal object and `Missing` on removing are
caught by whoever asked, everything else is collected for the next pass.
"""

from __future__ import annotations

import errno
import os

from isthmus.reconcile.errors import Transient


class KernelRefused(Transient):
    """The kernel said no for a reason that has no kind of its own."""


class Missing(KernelRefused):
    """The object, or the link it stands on, is not there."""


class Exists(KernelRefused):
    """There is such an object already."""


class Busy(KernelRefused):
    """The object or a lock is in use; it passes."""


class NoPermission(KernelRefused):
    """We lack the right."""


class InTheWay(Transient):
    """Somebody else's object has the name that ours needs."""


_MISSING = frozenset({errno.ENOENT, errno.ESRCH, errno.ENODEV, errno.ENXIO, errno.EADDRNOTAVAIL})


def refused(what: str, code: int) -> KernelRefused:
    """The error for *what* (as in "add route 10.1.0.0/16") that failed with errno *code*."""
    reason = os.strerror(code).lower()
    if code in _MISSING:
        return Missing(f"cannot {what}: {reason}")
    if code == errno.EEXIST:
        return Exists(f"cannot {what}: there is one already")
    if code in (errno.EBUSY, errno.EAGAIN, errno.EINTR):
        return Busy(f"cannot {what}: {reason}; it is tried again")
    if code in (errno.EPERM, errno.EACCES):
        return NoPermission(f"cannot {what}: {reason}; run as root with the NET_ADMIN capability")
    return KernelRefused(f"cannot {what}: {reason} (errno {code})")
