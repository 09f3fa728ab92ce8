"""JSON from outside never raises, and what is written can be read."""

from __future__ import annotations

import gc
import inspect
import json
import sys
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.jsons import (
    MAX_NESTING,
    dump_json,
    encode_json,
    is_nested_too_deep,
    object_length,
    parse_json,
    parse_object,
    to_list,
    to_object,
)

HUGE_INTEGER = "9" * 100_000

NO_JSON = [
    pytest.param(b"", id="nothing"),
    pytest.param(b"null", id="null"),
    pytest.param(b"{", id="a begun object"),
    pytest.param(b"\xff\xfe{}", id="no UTF-8"),
    pytest.param(b'{"a": "\xff"}', id="a string that is no UTF-8"),
    pytest.param(b"[" * 1_000_000, id="a million brackets"),
    pytest.param(b'{"a":' * 200_000 + b"1" + b"}" * 200_000, id="two hundred thousand levels"),
    pytest.param(b"<html></html>", id="a page"),
]


@pytest.mark.parametrize("data", NO_JSON)
def test_what_is_no_json_is_none(data: bytes) -> None:
    """Parsing never raises, whatever a server sends."""
    assert parse_json(data) is None
    assert parse_object(data) is None


def nested(levels: int, *, inside: str = "1") -> str:
    """Return arrays and objects in turn, one in the other."""
    opening = ["[", '{"a":'] * levels
    closing = ["]", "}"] * levels
    return "".join(opening[:levels]) + inside + "".join(reversed(closing[:levels]))


TRICKY = ["\\", '\\"', '"', '\\\\"', "\n", ""]


@pytest.mark.parametrize(
    ("text", "is_too_deep"),
    [
        pytest.param(nested(MAX_NESTING), False, id="the deepest"),
        pytest.param(nested(MAX_NESTING + 1), True, id="one level deeper"),
        pytest.param(f"[{nested(MAX_NESTING)}]", True, id="one array around it"),
        pytest.param(nested(15), False, id="few levels"),
        pytest.param(f"[{', '.join([nested(60)] * 3)}]", False, id="three beside each other"),
        pytest.param(f"[{', '.join([nested(60), nested(100)])}]", True, id="the second is too deep"),
        pytest.param(nested(60, inside=f'"{"[{" * 60}"'), False, id="brackets in a string"),
        pytest.param(
            nested(60, inside=r'"\\\"' + "[{" * 60 + '"'), False, id="brackets after an escaped quote"
        ),
        pytest.param(
            nested(60, inside=f'["{"]}" * 60}", {nested(60)}]'), True, id="closing ones in a string"
        ),
        pytest.param(f"[{', '.join(['[]'] * 300)}]", False, id="many empty arrays"),
        pytest.param('["]",' * 300 + "0" + ',"["]' * 300, True, id="levels closed by strings"),
        pytest.param(
            f"[{', '.join(['[]'] * 300)}, {json.dumps(TRICKY)}]", False, id="quotes and backslashes"
        ),
        pytest.param(nested(98, inside="[[], [[]]]"), True, id="the last of several is too deep"),
        pytest.param(nested(MAX_NESTING + 1, inside='"}"'), True, id="a closing one in the deepest string"),
        pytest.param(nested(MAX_NESTING - 1, inside='"}"'), False, id="one in a string that is not too deep"),
    ],
)
def test_the_depth_of_json_is_bounded(text: str, is_too_deep: bool) -> None:
    """What reads the value later is recursive, and a call must not end in a `RecursionError`."""
    assert is_nested_too_deep(text.encode()) is is_too_deep
    assert (parse_json(text) is None) is is_too_deep
    assert (parse_json(f" {text}") is None) is is_too_deep
    assert json.loads(text) is not None


@pytest.mark.parametrize("opening", ['{"a":', "["])
@pytest.mark.parametrize("before", ["", " "])
def test_the_depth_of_an_object_is_bounded(opening: str, before: str) -> None:
    """Both ways of parsing obey the bound, whatever its levels are."""
    closing = "]" if opening == "[" else "}"
    for levels in (MAX_NESTING - 1, MAX_NESTING):
        text = f'{before}{{"a": {opening * levels}1{closing * levels}}}'
        assert (parse_object(text) is None) is (levels == MAX_NESTING)


class Finalized:
    """Garbage that only the garbage collector finds, with a finalizer in Python."""

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        """Run code that needs a stack of its own."""
        descend(150)


def descend(levels: int) -> None:
    """Call itself so many times."""
    if levels:
        descend(levels - 1)


@pytest.mark.parametrize("parse", [parse_json, parse_object])
def test_a_finalizer_that_runs_during_parsing_has_a_stack(
    parse: Callable[[str], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The parser never goes so deep into a text that code which Python runs in between fails."""
    levels = sys.getrecursionlimit() - len(inspect.stack()) - 10
    text = f'{{"a": {"[" * levels}{"]" * levels}}}'
    failed: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", failed.append)
    thresholds = gc.get_threshold()
    gc.collect()
    for _ in range(10):
        Finalized()
    try:
        gc.set_threshold(levels - 50)  # the parser makes a list at each level
        assert parse(text) is None
    finally:
        gc.set_threshold(*thresholds)
        gc.collect()
    assert not failed


def test_a_deep_text_with_half_a_surrogate_pair_does_not_raise() -> None:
    """Its depth is counted in bytes, and UTF-8 has none for it."""
    assert parse_json(f'["\ud83d", {nested(MAX_NESTING)}]') is None
    assert parse_json(f'["\ud83d", {nested(MAX_NESTING - 1)}, {nested(2)}]') is not None


@pytest.mark.parametrize("rest", ["x", "{}", ",", " 7", "\0"])
def test_an_object_followed_by_more_is_no_json(rest: str) -> None:
    """The fast path reads one object, which must be all of the text but white space."""
    assert parse_json(f'{{"a": 1}}{rest}') is None
    assert parse_json('{"a": 1} \n') == {"a": 1}


def test_a_huge_integer_does_not_raise() -> None:
    """Python's limit of digits is no way to crash a call; where there is none, the number is read."""
    assert parse_json(f'{{"a": {HUGE_INTEGER}}}') is None or parse_json(HUGE_INTEGER) is not None


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=9)
)
def test_what_is_written_is_what_python_writes(value: object) -> None:
    """The writer in C that is made once writes as `json.dumps` does, objects in their order."""
    members = {"value": value, "more": [{"é": value}]}
    assert encode_json(members) == json.dumps(members, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize("value", [[1], "text", 7, True, None])
def test_only_an_object_is_an_object(value: object) -> None:
    """`parse_object` and `to_object` return None for all other values."""
    assert to_object(value) is None
    assert parse_object(json.dumps(value)) is None
    assert to_list({"a": 1}) is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(json_values)
def test_what_is_written_is_read_back(value: object) -> None:
    """Any JSON value survives, even one with a lone surrogate."""
    assert parse_json(dump_json(value)) == value


def test_text_outside_ascii_is_written_as_it_is() -> None:
    """JSON is written as UTF-8, without escapes and without spaces."""
    assert dump_json({"a": "é", "b": [1]}) == '{"a":"é","b":[1]}'.encode()


def test_half_a_surrogate_pair_is_escaped() -> None:
    """UTF-8 has no bytes for it, JSON has an escape."""
    assert dump_json("\ud83d") == b'"\\ud83d"'
    assert dump_json({"a": "\ud83d", "b": [1, 2]}) == b'{"a":"\\ud83d","b":[1,2]}'


def test_a_byte_order_mark_is_passed_over() -> None:
    """Some servers send one before their JSON."""
    assert parse_object(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("data", "length"),
    [(b"{}", 2), (b'{"a": ["}"]} {}', 12), (b'{"a": 1', 0), (b'{"}', 0), (b"", 0)],
)
def test_the_length_of_an_object_ends_with_its_last_bracket(data: bytes, length: int) -> None:
    """An object that does not end has none."""
    assert object_length(data) == length
