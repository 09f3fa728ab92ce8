"""The deltas of calls in a stream: which call each continues, and what of it the caller gets."""

from __future__ import annotations

import copy
import itertools
from typing import Any, TypeAlias

import pytest

from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.chat.call_deltas import CallDeltas

JSON: TypeAlias = dict[str, Any]


def new_deltas() -> CallDeltas:
    """Return a reader of deltas whose new identifiers are counted."""
    numbers = itertools.count(1)
    return CallDeltas(lambda: f"new-{next(numbers)}")


def delta(arguments: object = None, **fields: object) -> JSON:
    """Return one delta of a call; `name` and the arguments are those of its function."""
    function = {"name": fields.pop("name", None), "arguments": arguments}
    return {**fields, "function": {key: value for key, value in function.items() if value is not None}}


def completed(*pieces: list[JSON]) -> list[list[JSON]]:
    """Return the calls in each delta of a stream as the caller gets them."""
    deltas, results = new_deltas(), list[list[JSON]]()
    for piece in copy.deepcopy(pieces):
        fields = {"tool_calls": piece}
        deltas.normalise(fields)
        results.append(fields["tool_calls"])
    return results


def first(index: int, call_id: str, arguments: str = "", name: str = "f") -> JSON:
    """Return the first delta of a call in OpenAI's form."""
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "type": "function", "function": function}


def later(index: int, arguments: str) -> JSON:
    """Return a later delta of a call in OpenAI's form."""
    return {"index": index, "function": {"arguments": arguments}}


FORMS = [
    pytest.param(
        [[first(0, "a", "{")], [first(0, "a", "}")]],
        [[first(0, "a", "{")], [later(0, "}")]],
        id="the id, the type and the name are repeated",
    ),
    pytest.param(
        [[delta("{}", index=0, name="f")], [delta("{}", index=1, name="f", id="")]],
        [[first(0, "call_new-1", "{}")], [first(1, "call_new-2", "{}")]],
        id="calls without an id get one each",
    ),
    pytest.param(
        [[first(3, "a", "{}")], [delta("{}", id="b", name="f")]],
        [[first(3, "a", "{}")], [first(4, "b", "{}")]],
        id="a call without an index follows the last one",
    ),
    pytest.param(
        [[delta("{", id="a", name="f")], [delta("{", id="b", name="f")], [delta("}", id="a")], [delta("}")]],
        [[first(0, "a", "{")], [first(1, "b", "{")], [later(0, "}")], [later(0, "}")]],
        id="an id leads back to its call, and what follows continues that one",
    ),
    pytest.param(
        [
            [delta("{", id="a", name="f"), delta("[", id="b", name="f")],
            [delta("}"), delta("]")],
            [delta("!")],
        ],
        [[first(0, "a", "{"), first(1, "b", "[")], [later(0, "}"), later(1, "]")], [later(1, "!")]],
        id="several deltas at once continue by position",
    ),
    pytest.param(
        [[delta("{}", name="f")], [delta("{}", name="f")]],
        [[first(0, "call_new-1", "{}")], [first(1, "call_new-2", "{}")]],
        id="the same name after complete arguments begins another call",
    ),
    pytest.param(
        [[delta('{"a":', name="f")], [delta("1}", name="f")]],
        [[first(0, "call_new-1", '{"a":')], [later(0, "1}")]],
        id="the same name before that is repeated",
    ),
    pytest.param(
        [[delta('{"a":', name="f")], [delta("{}", name="g")]],
        [[first(0, "call_new-1", '{"a":')], [first(1, "call_new-2", "{}", name="g")]],
        id="another name begins another call",
    ),
    pytest.param(
        [[{"id": "a"}], [delta(name="f")], [delta("{}")]],
        [
            [{"id": "a", "index": 0, "type": "function"}],
            [{"index": 0, "function": {"name": "f"}}],
            [later(0, "{}")],
        ],
        id="the id comes before the name",
    ),
    pytest.param(
        [[delta(index=0, id="a", name="get_")], [delta(index=0, name="time")], [delta("{", name="get_time")]],
        [
            [{"index": 0, "id": "a", "type": "function", "function": {"name": "get_"}}],
            [{"index": 0, "function": {"name": "time"}}],
            [later(0, "{")],
        ],
        id="a name in pieces, then repeated as a whole",
    ),
    pytest.param(
        [[first(0, "a", "{}")], [first(0, "b", "{")], [delta("}", index=0)], [first(1, "c", "{}")]],
        [[first(0, "a", "{}")], [first(1, "b", "{")], [later(1, "}")], [first(2, "c", "{}")]],
        id="index 0 for two calls, and index 1 for the third",
    ),
    pytest.param(
        [[first(0, "a", '{"a":')], [first(0, "b", "1}")]],
        [[first(0, "a", '{"a":')], [later(0, "1}")]],
        id="another id inside of the arguments is no other call",
    ),
    pytest.param(
        [[first(0, "a", "{}")], [delta(" ", index=0, id="b")], [delta(" ", index=0, name="g")]],
        [[first(0, "a", "{}")], [later(0, " ")], [later(0, " ")]],
        id="an id or a name alone begins no other call at the same index",
    ),
    pytest.param(
        [[{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}}]],
        [[{"index": 0, "id": "a", "type": "custom", "custom": {"name": "f", "input": "x"}}]],
        id="a custom call keeps its type",
    ),
]


@pytest.mark.parametrize(("pieces", "calls"), FORMS)
def test_each_delta_continues_the_right_call(pieces: list[list[JSON]], calls: list[list[JSON]]) -> None:
    """The SDK joins deltas by their index and appends their texts, so that each text must come once."""
    assert completed(*pieces) == calls


@pytest.mark.parametrize(
    ("tool_calls", "is_changed"),
    [
        pytest.param([first(0, "a")], False, id="OpenAI's form"),
        pytest.param([first(0, "a"), first(1, "b")], False, id="two calls"),
        pytest.param([{**first(0, "a"), "index": 0.0}], True, id="an index that is a float"),
        pytest.param([first(0, "")], True, id="an empty id"),
        pytest.param(first(0, "a"), True, id="a call without a list"),
    ],
)
def test_a_chunk_whose_calls_are_right_may_pass_unchanged(*, tool_calls: object, is_changed: bool) -> None:
    """Only a chunk that was changed is encoded again."""
    assert new_deltas().normalise({"tool_calls": tool_calls}) is is_changed


def test_the_name_of_the_older_function_call_comes_once_too() -> None:
    """`function_call` has no index, so all its deltas belong to one call."""
    deltas = new_deltas()
    begin: JSON = {"function_call": {"name": "f", "arguments": "{"}}
    repeated: JSON = {"function_call": {"name": "f", "arguments": "}"}}
    right: JSON = {"function_call": {"arguments": " "}}
    assert [deltas.normalise(each) for each in (begin, repeated, right)] == [False, True, False]
    assert begin["function_call"] == {"name": "f", "arguments": "{"}
    assert repeated["function_call"] == {"arguments": "}"}
    assert right["function_call"] == {"arguments": " "}


def test_a_change_of_the_calls_is_reported_although_a_function_call_beside_them_is_right() -> None:
    """The bytes of a chunk must not pass if any part of it was changed."""
    fields: JSON = {"tool_calls": [first(0, "")], "function_call": {"name": "f", "arguments": ""}}
    assert new_deltas().normalise(fields)


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"tool_calls": [7]}, "tool_calls[0]"),
        ({"tool_calls": [{"id": [], "function": {}}]}, "tool_calls[0].id"),
        ({"tool_calls": [{"function": 7}]}, "tool_calls[0].function"),
        ({"tool_calls": [{"function": {"name": 7}}]}, "tool_calls[0].function.name"),
        ({"tool_calls": [{"custom": 7}]}, "tool_calls[0].custom"),
        ({"function_call": 7}, "function_call"),
        ({"function_call": {"name": []}}, "function_call.name"),
    ],
)
def test_a_delta_that_is_no_call_is_an_error_that_names_it(fields: JSON, path: str) -> None:
    """The user sees in the error which part of the answer could not be read."""
    with pytest.raises(InvalidAnswerError) as caught:
        new_deltas().normalise(fields)
    assert str(caught.value).startswith(f"{path} is ")
