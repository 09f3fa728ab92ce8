"""What was worked out once is found again, and never for anything else."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.memory import Memory

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=4)


@given(OBJECTS, OBJECTS)
def test_a_key_tells_objects_apart_as_their_json_does(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Equal ones have one key, wherever they come from; others another, though Python may call them equal."""
    assert Memory.key(one) == Memory.key(copy.deepcopy(one))
    assert (Memory.key(one) == Memory.key(other)) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"n": 1}, {"n": True}, id="true is no number"),
        pytest.param({"n": 1}, {"n": 1.0}, id="a number with a point is another text"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="the order of keys is kept in what is sent"),
    ],
)
def test_what_python_calls_equal_is_told_apart(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A body made for the one must not be sent for the other."""
    assert one == other
    assert Memory.key(one) != Memory.key(other)


def test_what_is_large_or_deep_is_not_kept() -> None:
    """It would cost more than it saves; such a call is worked out anew."""
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    assert Memory.key({"tools": "x" * 20_000}) is None
    assert Memory.key(deep) is None
    memory = Memory()
    memory.keep(None, "made")
    assert memory.get(None) is None


def test_it_does_not_grow_for_ever() -> None:
    """A program that names a new user in every call is served, and forgotten."""
    memory = Memory()
    for number in range(1000):
        key = Memory.key({"user": f"u{number}"})
        memory.keep(key, number)
        assert memory.get(key) == number
    assert len(memory._made) <= 64
