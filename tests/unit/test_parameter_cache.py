"""A cached value is returned for equal parameters, and for no others."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.parameter_cache import MAX_ENTRIES, MAX_ENTRY_BYTES, ParameterCache

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=4)


def share_a_value(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether the value cached for one object is returned for the other."""
    cache = ParameterCache()
    return cache.get_or_make(one, object) is cache.get_or_make(other, object)


@given(OBJECTS, OBJECTS)
def test_objects_with_different_json_do_not_share_a_value(one: dict[str, Any], other: dict[str, Any]) -> None:
    """Objects with equal JSON share a cached value; others do not, even where Python calls them equal."""
    assert share_a_value(one, copy.deepcopy(one))
    assert share_a_value(one, other) == (repr(one) == repr(other))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        pytest.param({"n": 1}, {"n": True}, id="true is no number"),
        pytest.param({"n": 1}, {"n": 1.0}, id="a number with a point is another text"),
        pytest.param({"a": 1, "b": 2}, {"b": 2, "a": 1}, id="the order of keys is kept in what is sent"),
    ],
)
def test_equal_python_objects_do_not_share_a_value(one: dict[str, Any], other: dict[str, Any]) -> None:
    """A body made for the one must not be sent for the other."""
    assert one == other
    assert not share_a_value(one, other)


def test_large_and_deep_objects_are_not_cached() -> None:
    """Caching it would cost more than it saves."""
    deep: dict[str, Any] = {}
    for _ in range(3000):
        deep = {"a": deep}
    for fields in ({"tools": "x" * MAX_ENTRY_BYTES}, deep):
        assert not share_a_value(fields, fields)


def test_the_cache_is_bounded() -> None:
    """A program that names a new user in every call is served, and the cache forgets old users."""
    cache = ParameterCache()
    for number in range(1000):
        assert cache.get_or_make({"user": f"u{number}"}, partial(str, number)) == str(number)
        assert len(cache._made) <= MAX_ENTRIES
