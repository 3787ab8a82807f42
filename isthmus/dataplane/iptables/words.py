"""Splits rules into words and quotes words, both as iptables-save and iptables-restore do it.

That is not a shell's way: inside double quotes a backslash makes any character plain, and a single quote is a
character like others.
"""

from __future__ import annotations

from isthmus.dataplane import ownership

COMMENT_BYTES = 255
"""What the kernel keeps of a comment (XT_MAX_COMMENT_LEN with its final zero is 256)."""


def split(line: str) -> list[str]:
    """The words of a line."""
    words: list[str] = []
    word: list[str] | None = None
    is_quoted = False
    characters = iter(line)
    for character in characters:
        if character == '"':
            is_quoted = not is_quoted
            word = word or []
        elif character == "\\" and is_quoted:
            word = word or []
            word.append(next(characters, ""))
        elif character.isspace() and not is_quoted:
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = word or []
            word.append(character)
    if word is not None:
        words.append("".join(word))
    return words


def quote(word: str) -> str:
    """The word in quotes, so that `split` gives it back."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"') + '"'


def comment(reason: str) -> str:
    """The comment that says *reason*: in one line, marked as ours, and short enough for the kernel."""
    text = ownership.COMMENT_PREFIX + " ".join(reason.split())
    return text.encode()[:COMMENT_BYTES].decode(errors="ignore").rstrip()
