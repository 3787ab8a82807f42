"""Programs that answer what a test told them to, and remember how they were called."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from isthmus.dataplane.command import Completed, ProgramMissing
from isthmus.reconcile.errors import Transient


@dataclass(slots=True)
class FakeCommand:
    """Answers by the whole command line, else by the program's name; anything else is not installed."""

    answers: dict[str, str | Transient] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)
    """Command lines with what they were given to read."""

    async def run(self, argv: Sequence[str], *, stdin: str = "", limit: float = 30.0) -> Completed:
        line = " ".join(argv)
        self.calls.append((line, stdin))
        answer = self.answers.get(line, self.answers.get(argv[0]))
        if answer is None:
            raise ProgramMissing(f"{argv[0]} is not installed on this host; install it")
        if isinstance(answer, Transient):
            raise answer
        return Completed(answer, "")
