from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from isthmus.dataplane.iptables.words import COMMENT_BYTES, comment, quote, split


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("-p tcp -j ACCEPT", ["-p", "tcp", "-j", "ACCEPT"]),
        ('-m comment --comment "two words"', ["-m", "comment", "--comment", "two words"]),
        (r'--comment "it\'s \"x\" \\ back"', ["--comment", 'it\'s "x" \\ back']),
        ('--comment ""', ["--comment", ""]),
        ("", []),
    ],
)
def test_line_is_split_as_iptables_splits_it(line, expected):
    assert split(line) == expected


@given(st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_quoted_word_comes_back_whole(word):
    assert split(quote(word)) == [word]


@given(st.text())
def test_comment_is_one_line_and_fits_the_kernel(reason):
    text = comment(reason)

    assert len(text.encode(errors="ignore")) <= COMMENT_BYTES
    assert "\n" not in text
    assert text.startswith("isthmus:")
