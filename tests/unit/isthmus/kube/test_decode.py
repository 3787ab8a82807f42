import json

import pytest

from isthmus.kube.decode import DEEPEST, decode


def nested(levels: int, opening: str = '{"a":', closing: str = "}", core: str = "1") -> bytes:
    return (opening * levels + core + closing * levels).encode()


def depth(value: object) -> int:
    levels = 0
    while value:
        value = value.get("a") if isinstance(value, dict) else value[0] if isinstance(value, list) else None
        levels += 1
    return levels


def test_ordinary_json_comes_out_as_it_is() -> None:
    text = json.dumps({"items": [{"a": "[{", "b": None, "c": [1, 2.5, True]}], "unicode": "ä"}).encode()

    assert decode(text) == json.loads(text)


@pytest.mark.parametrize("levels", [DEEPEST + 1, 500, 980, 9_000])
@pytest.mark.parametrize(("opening", "closing"), [('{"a":', "}"), ("[", "]")])
def test_what_is_nested_without_measure_is_cut_off(levels: int, opening: str, closing: str) -> None:
    value = decode(nested(levels, opening, closing))

    assert depth(value) == DEEPEST


def test_the_deepest_level_that_is_kept_keeps_its_content() -> None:
    assert decode(nested(DEEPEST)) == json.loads(nested(DEEPEST))


def test_neighbours_of_a_cut_value_are_kept() -> None:
    text = b'{"before": "\\"]}", "deep": ' + nested(2_000, core='"}}"') + b', "after": [{"x": 1}]}'

    value = decode(text)

    assert (value["before"], value["after"]) == ('"]}', [{"x": 1}])


def test_what_was_cut_can_be_written_as_json_again() -> None:
    assert json.loads(json.dumps(decode(nested(9_000))))


@pytest.mark.parametrize("text", [b"", b"<html>", b'{"a":' * 3_000, b'["unfinished'])
def test_other_text_is_no_json(text: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(text)
