"""The one error a command raises for what its user can put right."""

from __future__ import annotations

FAILED = 1
USAGE = 2


class Fault(Exception):
    """The command cannot do what was asked; the text is one sentence that says what to do instead."""

    def __init__(self, sentence: str, exit_code: int = FAILED) -> None:
        """Keep the exit code: 2 for an argument that can never work, 1 for the state of the world."""
        super().__init__(sentence)
        self.exit_code = exit_code


def usage(sentence: str) -> Fault:
    """Make the error for an argument that is wrong in itself."""
    return Fault(sentence, USAGE)
