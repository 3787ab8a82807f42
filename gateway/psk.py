"""The pre-shared key of the whole fleet, in the form that every member's IKE daemon uses."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from gateway.config import PSK_VARIABLE
from isthmus.charon.records import Psk
from isthmus.reconcile.errors import Fatal


class RenewedKey:
    """The key as its file holds it now: Kubernetes renews a mounted Secret in place."""

    def __init__(self, file: Path | None, variables: Mapping[str, str], first: Psk) -> None:
        self._file = file
        self._variables = variables
        self._last = first

    def read(self) -> Psk:
        """Return the present key, or the last one while the file holds no usable key."""
        with suppress(Fatal):
            self._last = read_psk(self._file, self._variables)
        return self._last


def read_psk(file: Path | None, variables: Mapping[str, str]) -> Psk:
    """Return the key: the Base64 text (RFC 4648, section 4) of the Secret's raw bytes, used as ASCII.

    Without *file* the variable holds that text already. Raises Fatal when there is no usable key.
    """
    if file is None:
        return Psk(variables[PSK_VARIABLE].strip())
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise Fatal(
            f"no pre-shared key: cannot read {file}: {error.strerror}; "
            "mount the Secret that CE_IPSEC_PSKSECRET names (isthmus join creates it)"
        ) from error
    if not raw:
        raise Fatal(f"no pre-shared key: {file} is empty; run isthmus join again to write the Secret")
    return Psk(b64encode(raw).decode("ascii"))
