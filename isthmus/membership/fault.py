"""Why an object that parses is still not honoured: field and reason, not yet tied to an object."""

from __future__ import annotations

from dataclasses import dataclass

from crds.meta import ObjectRef, Rejection


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one field, in a user's words."""

    field: str
    reason: str

    def rejection(self, ref: ObjectRef) -> Rejection:
        """Return the refusal of the object that *ref* names."""
        return Rejection(ref, self.field, self.reason)
