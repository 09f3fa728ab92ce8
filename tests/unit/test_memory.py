"""What was worked out once is found again, and never for anything else."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.parameter_cache import ENTRIES, LARGEST, ParameterCache

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=4)


def recalls(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether what was made of one object is taken for the other."""
    memory = ParameterCache()
    return memory.get_or_make(one, object) is memory.get_or_make(other, object)


@given(OBJECTS, OBJECTS)
def test_objects_are_distinguished_as_their_json_is(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Equal ones are one, wherever they come from; others are not, though Python may call them equal."""
    assert recalls(one, copy.deepcopy(one))
    assert recalls(one, other) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"n": 1}, {"n": True}, id="true is no number"),
        pytest.param({"n": 1}, {"n": 1.0}, id="a number with a point is another text"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="the order of keys is kept in what is sent"),
    ],
)
def test_what_python_calls_equal_is_distinguished(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A body made for the one must not be sent for the other."""
    assert one == other
    assert not recalls(one, other)


def test_what_is_large_or_deep_is_made_anew() -> None:
    """Caching it would cost more than it saves."""
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    for fields in ({"tools": "x" * LARGEST}, deep):
        assert not recalls(fields, fields)


def test_it_does_not_grow_for_ever() -> None:
    """A program that names a new user in every call is served, and its users are forgotten."""
    memory = ParameterCache()
    for number in range(1000):
        assert memory.get_or_make({"user": f"u{number}"}, partial(str, number)) == str(number)
        assert len(memory._made) <= ENTRIES
