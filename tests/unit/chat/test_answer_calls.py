"""Calls in answers in forms that OpenAI does not send: which are converted, completed or refused."""

from __future__ import annotations

import copy
import re
from typing import Any, TypeAlias

import pytest

from tess_openai.core.chat.answer_calls import complete_calls, to_call, to_calls
from tess_openai.core.chat.answer_types import InvalidAnswerError

JSON: TypeAlias = dict[str, Any]
FUNCTION: JSON = {"name": "f", "arguments": '{"a":1}'}
CALL: JSON = {"id": "call_1", "type": "function", "function": FUNCTION}
CUSTOM: JSON = {"id": "call_1", "type": "custom", "custom": {"name": "f", "input": "x"}}


@pytest.mark.parametrize(
    ("given", "call"),
    [
        pytest.param(
            {"id": "a", "name": "f", "arguments": {"a": 1}}, {"id": "a", "function": FUNCTION}, id="flat"
        ),
        pytest.param(
            {"function": "f", "arguments": '{"a":1}', "x": 7},
            {"x": 7, "function": FUNCTION},
            id="a name alone",
        ),
        pytest.param(
            {"function": {"name": "f", "arguments": ["a", None]}},
            {"function": {"name": "f", "arguments": '["a",null]'}},
            id="arguments that are a list",
        ),
        pytest.param({"id": "a", "name": None}, {"id": "a"}, id="an id alone"),
        pytest.param({"id": "a", "function": None}, {"id": "a"}, id="a null function"),
        pytest.param({**CALL, "id": 7}, {**CALL, "id": "7"}, id="an id that is a number"),
        pytest.param({**CALL, "type": "tool"}, CALL, id="another type"),
        pytest.param({**CALL, "type": None}, {**CALL, "type": None}, id="a null type"),
        pytest.param(
            {"custom": {"name": "f"}},
            {"custom": {"name": "f"}, "type": "custom"},
            id="a part of a custom call",
        ),
    ],
)
def test_a_call_is_converted_where_it_has_one_reading(given: JSON, call: JSON) -> None:
    """Fields that are missing are left to `complete_calls`, since a delta has only some of them."""
    before = copy.deepcopy(given)
    assert to_call(given, "calls[0]") == call
    assert given == before


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(7, "calls is 7", id="a number for the list"),
        pytest.param("f", "calls is a string of 1 character", id="a text for the list"),
        pytest.param([None], "calls[0] is null", id="null for a call"),
        pytest.param([7], "calls[0] is 7", id="a number for a call"),
        pytest.param([CALL, {**CALL, "id": True}], "calls[1].id is true", id="an id that is true"),
        pytest.param([{"function": 7}], "calls[0].function is 7", id="a number for the function"),
        pytest.param([{"name": 7}], "calls[0].function.name is 7", id="a name that is a number"),
        pytest.param(
            [{**CUSTOM, "custom": None}], "calls[0].custom is null", id="a custom call without its fields"
        ),
        pytest.param(
            [{"id": "a", "type": "custom"}], "calls[0].custom is null", id="a type alone, without its fields"
        ),
        pytest.param(
            [{"custom": {"input": 7}}], "calls[0].custom is an object", id="an input that is a number"
        ),
        pytest.param(
            [{"custom": {"name": 7}}], "calls[0].custom is an object", id="a custom name that is a number"
        ),
    ],
)
def test_what_is_no_call_is_refused_by_its_place(value: object, message: str) -> None:
    """The error shows the place and the type, and not the texts of the answer."""
    with pytest.raises(InvalidAnswerError, match="^" + re.escape(message)):
        to_calls(value, "calls")


@pytest.mark.parametrize(
    ("message", "completed"),
    [
        pytest.param({"tool_calls": [CALL, CUSTOM]}, None, id="right calls"),
        pytest.param({"function_call": FUNCTION}, None, id="a right call of the older form"),
        pytest.param({"content": "a", "tool_calls": None, "function_call": None}, None, id="no calls"),
        pytest.param(
            {"tool_calls": [{"function": {"name": "f"}}]},
            {"tool_calls": [{**CALL, "id": "call_new", "function": {"name": "f", "arguments": "{}"}}]},
            id="a name alone",
        ),
        pytest.param(
            {"tool_calls": [{**CALL, "id": "", "function": {"name": "f", "arguments": None}}]},
            {"tool_calls": [{**CALL, "id": "call_new", "function": {"name": "f", "arguments": "{}"}}]},
            id="an empty id and null arguments",
        ),
        pytest.param({"tool_calls": CALL}, {"tool_calls": [CALL]}, id="a call without a list"),
        pytest.param({"tool_calls": ""}, {"tool_calls": []}, id="an empty text"),
        pytest.param({"tool_calls": {}}, {"tool_calls": []}, id="an empty object"),
        pytest.param(
            {"function_call": {"name": "f"}},
            {"function_call": {"name": "f", "arguments": "{}"}},
            id="an older call without arguments",
        ),
        pytest.param(
            {"tool_calls": {"0": CALL}, "function_call": FUNCTION},
            {"tool_calls": [CALL], "function_call": FUNCTION},
            id="odd calls and a right older one",
        ),
    ],
)
def test_the_calls_of_a_message_are_completed(message: JSON, completed: JSON | None) -> None:
    """A message that is changed is not sent with the bytes of Tess."""
    fields = copy.deepcopy(message)
    assert complete_calls(fields, lambda: "new", "calls") is (completed is not None)
    assert fields == (message if completed is None else completed)


@pytest.mark.parametrize(
    ("message", "error"),
    [
        ({"tool_calls": [{"id": "a"}]}, "calls: a call without a name"),
        ({"tool_calls": [{"function": {"name": "", "arguments": "{}"}}]}, "calls: a call without a name"),
        ({"tool_calls": [{"custom": {"name": "f"}}]}, "calls: a call without a name or an input"),
        ({"tool_calls": [{"custom": {"input": "x"}}]}, "calls: a call without a name or an input"),
        ({"tool_calls": 7}, "calls is 7"),
        ({"function_call": {"arguments": "{}"}}, "calls function_call: a call without a name"),
        ({"function_call": 7}, "calls function_call is 7"),
    ],
)
def test_a_call_that_names_no_function_is_refused(message: JSON, error: str) -> None:
    """A program could not run it, and would answer the model with an error of its own."""
    with pytest.raises(InvalidAnswerError, match=f"^{re.escape(error)}$"):
        complete_calls(message, lambda: "new", "calls")
