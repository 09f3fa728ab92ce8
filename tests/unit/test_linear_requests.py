"""No request of a caller, however ill-meant, takes more time than in proportion to its length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, TypeAlias

import pytest

from tess_openai.core.chat.messages import to_messages
from tess_openai.core.emulate.history import render_messages
from tess_openai.core.emulate.marks import Marks
from tess_openai.core.emulate.structured import JSONFormat, extract
from tess_openai.core.ledger import Ledger
from tess_openai.core.long_answers.native_messages import to_native_messages
from tess_openai.core.name_matching import match_name
from tess_openai.core.policy import Policy
from tess_openai.core.prompts import Prompts
from tess_openai.core.responses.input_items import to_chat_messages
from tess_openai.core.schemas.schema_checker import SchemaCache

JSON: TypeAlias = dict[str, Any]
MANY = 20_000
USER: JSON = {"role": "user", "content": "x" * 400}
SYSTEM: JSON = {"role": "system", "content": ["x"]}
ASSISTANT: JSON = {"role": "assistant", "content": ["x"]}
RESULT: JSON = {"role": "tool", "tool_call_id": "a", "content": "x" * 400}
CALLING: JSON = {
    "role": "assistant",
    "tool_calls": [{"type": "function", "function": {"name": "f", "arguments": "{}"}}] * MANY,
}
CALL: JSON = {"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}
REQUESTS: dict[str, Callable[[], object]] = {
    "joined neighbours": lambda: to_messages([USER] * 4 * MANY, Ledger(Policy("ignore")), merge=True),
    "neighbours of an execution": lambda: to_native_messages([USER] * MANY),
    "one author of an execution": lambda: to_native_messages([SYSTEM] * MANY),
    "two authors of an execution": lambda: to_native_messages([SYSTEM] * MANY + [ASSISTANT] * MANY),
    "results": lambda: render_messages([RESULT] * MANY, Marks("tokibanuve"), Prompts()),
    "results of other functions": lambda: render_messages(
        [CALLING, *[{"role": "tool", "name": "g", "content": "x"}] * MANY], Marks("tokibanuve"), Prompts()
    ),
    "calls of a response": lambda: to_chat_messages([CALL] * 2 * MANY, Ledger(Policy("ignore"))),
}


@pytest.mark.parametrize("translate", REQUESTS.values(), ids=REQUESTS)
def test_each_message_of_a_request_is_translated_once(translate: Callable[[], object]) -> None:
    """The messages before it are not copied or searched again with each message."""
    began = time.process_time()
    assert translate()
    assert time.process_time() - began < 2


def test_names_are_compared_without_preparing_all_of_them_again() -> None:
    """A text of a model contains thousands of words, and a request may offer hundreds of functions."""
    names = tuple(f"get-Number {number}" for number in range(500))
    began = time.process_time()
    for number in range(5000):
        assert match_name(f"other{number}", names) is None
    assert time.process_time() - began < 2


def test_a_schema_is_prepared_once_for_all_values_of_an_answer() -> None:
    """An answer may contain thousands of values, each of which may be a copy of the schema."""
    properties = {str(number): {"type": "string"} for number in range(2000)}
    wanted = JSONFormat({"type": "object", "properties": properties}, has_schema=True)
    began = time.process_time()
    assert extract("[]\n" * 5000, wanted, SchemaCache().checker()).problems
    assert time.process_time() - began < 3
