"""Tell a refused object's owner why, as a Kubernetes Event on that object.

All Events go to the daemon's own namespace, the one where its account may write them, also those about an
object that lies elsewhere: at the broker, where one about it would be read by strangers, or in no namespace.

The same refusal is one Event, counted up when it is said again; its name follows from object and reason, so
that a restarted daemon counts on instead of beginning anew. Said again it is only after a while, because the
API server forgets Events after an hour.
"""

from __future__ import annotations

import hashlib
from collections import deque
from collections.abc import Iterable, Mapping
from datetime import datetime

from crds.meta import Rejection
from isthmus.kube.api import KubeApi, Object
from isthmus.kube.errors import ApiError, NotFound
from isthmus.kube.resources import EVENTS, RESOURCE_BY_KIND
from isthmus.reconcile.clock import Clock
from isthmus.reconcile.outcome import Outcome

STEP = "events"
REASON = "Refused"

REPEAT_SECONDS = 1800.0
PER_PASS = 20
"""Events written in one pass; thousands of refused objects must not become thousands of writes at once."""

PER_HOUR = 600
"""Events written in an hour: a member that changes a bad object all the time must not fill our API server,
which keeps an Event for an hour. The status shows every refusal all the same."""

LONGEST_MESSAGE = 1000
LONGEST_OBJECT_NAME = 200
"""With the digest behind it the Event's name stays below the 253 characters of a name."""


class Reporter:
    """One daemon's Events at one API server; remembers what it has said and when."""

    def __init__(self, api: KubeApi, clock: Clock, component: str, instance: str, namespace: str) -> None:
        self._api = api
        self._clock = clock
        self._source = {"component": component, "host": instance}
        self._namespace = namespace
        self._said: dict[Rejection, float] = {}
        self._written: deque[float] = deque()

    async def report(self, rejections: Iterable[Rejection]) -> Outcome:
        """Say each of the present *rejections* that was not said lately; forget those that are past."""
        present = sorted(set(rejections))
        self._said = {each: self._said[each] for each in present if each in self._said}
        at = self._clock.monotonic()
        due = [each for each in present if at - self._said.get(each, -REPEAT_SECONDS) >= REPEAT_SECONDS]
        added = changed = 0
        failures = []
        for rejection in due[: self._room(at)]:
            try:
                if await self._say(rejection):
                    added += 1
                else:
                    changed += 1
            except ApiError as error:
                failures.append(error)
                continue
            self._said[rejection] = at
            self._written.append(at)
        return Outcome(STEP, added=added, changed=changed, failures=tuple(failures))

    def _room(self, at: float) -> int:
        """How many Events this pass may write."""
        while self._written and self._written[0] <= at - 3600.0:
            self._written.popleft()
        return min(PER_PASS, PER_HOUR - len(self._written))

    async def _say(self, rejection: Rejection) -> bool:
        """Write one Event; True if it is a new one."""
        event = render_event(rejection, self._clock.now(), self._source, self._namespace)
        namespace, name = self._namespace, event["metadata"]["name"]
        try:
            known = await self._api.get(EVENTS, namespace, name)
        except NotFound:
            await self._api.create(EVENTS, namespace, event)
            return True
        again = {"count": (known.get("count") or 1) + 1, "lastTimestamp": event["lastTimestamp"]}
        await self._api.patch(EVENTS, namespace, name, again, kind="merge")
        return False


def render_event(rejection: Rejection, now: datetime, source: Mapping[str, str], namespace: str) -> Object:
    """The Event in *namespace* of one refusal, said for the first time."""
    ref = rejection.ref
    said = f"{ref.kind}/{ref.namespace}/{ref.name}/{ref.uid}: {rejection.field}: {rejection.reason}"
    digest = hashlib.sha256(said.encode()).hexdigest()[:16]
    elsewhere = f"in namespace {ref.namespace}: " if ref.namespace not in ("", namespace) else ""
    resource = RESOURCE_BY_KIND.get(ref.kind)
    time = now.strftime("%Y-%m-%dT%H:%M:%SZ")
    return {
        "apiVersion": "v1",
        "kind": "Event",
        # Cut in the middle, a name may end in what no part of a name may end in.
        "metadata": {
            "name": f"{ref.name[:LONGEST_OBJECT_NAME].rstrip('.-')}.{digest}",
            "namespace": namespace,
        },
        "involvedObject": {
            "apiVersion": resource.api_version if resource else "",
            "kind": ref.kind,
            # An API server takes no Event about an object of another namespace than the Event's own.
            "namespace": namespace,
            "name": ref.name,
            "uid": ref.uid,
        },
        "type": "Warning",
        "reason": REASON,
        "message": f"{elsewhere}{rejection.field}: {rejection.reason}"[:LONGEST_MESSAGE],
        "source": dict(source),
        "firstTimestamp": time,
        "lastTimestamp": time,
        "count": 1,
    }
