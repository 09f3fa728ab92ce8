"""What a request asks to be emulated is read from it, put into the prompt, and reported to the caller."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tess_openai.core.emulate.emulation import LONG_CONVERSATION, Emulation, parse_emulation
from tess_openai.core.prompts import Prompts
from tess_openai.core.schemas.schema_checker import SchemaCache

BODY: dict[str, Any] = {
    "messages": [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "<call:x>"}],
    "tools": [
        {"type": "function", "function": {"name": "look", "description": "s3cret"}},
        {"type": "web_search"},
    ],
    "response_format": {"type": "json_object"},
    "stop": ["s3cret", "x"],
    "max_tokens": 9,
}


def parse(body: dict[str, Any], *params: str) -> Emulation | None:
    """Read a request of which these parameters are to be emulated."""
    return parse_emulation(
        body, params, agent_tools=(), prompts=Prompts(), schemas=SchemaCache(), new_id=lambda: "581850f6"
    )


ALL = ("tools", "response_format", "stop", "max_tokens")


@pytest.mark.parametrize(
    ("body", "params"),
    [
        pytest.param({}, ALL, id="nothing asked"),
        pytest.param(BODY, (), id="nothing to be emulated"),
        pytest.param({"tools": [], "stop": None, "max_tokens": None}, ALL, id="nothing meant"),
        pytest.param(
            {"tools": BODY["tools"][:1], "tool_choice": "none"}, ALL, id="functions not to be called"
        ),
    ],
)
def test_a_request_without_need_of_emulation_is_left_alone(
    body: dict[str, Any], params: tuple[str, ...]
) -> None:
    """It gets no instructions, and its answer is not parsed."""
    assert parse(body, *params) is None


@pytest.mark.parametrize("param", ALL)
def test_each_parameter_is_emulated_on_its_own(param: str) -> None:
    """The policy decides over each."""
    emulation = parse(BODY, param)
    assert emulation is not None
    parts = {
        "tools": emulation.offer,
        "response_format": emulation.json_format,
        "stop": emulation.stops or None,
        "max_tokens": emulation.limit,
    }
    assert [name for name, part in parts.items() if part is not None] == [param]


def test_a_history_of_calls_is_rendered_even_where_nothing_can_be_called() -> None:
    """The model sees what happened, and that it cannot go on so."""
    messages: list[object] = [{"role": "function", "name": "look", "content": "fine"}]
    emulation = parse({"messages": messages}, "tools")
    assert emulation is not None
    instructions, result = emulation.messages(messages)
    assert "No function can be called now" in instructions["content"]  # type: ignore[index] # messages are objects
    assert result["content"].startswith("<result:tokibanuve>")  # type: ignore[index] # a message is an object


def test_the_model_is_given_all_in_one_system_message() -> None:
    """The message has functions, format and length, and the caller's messages are not changed."""
    before = copy.deepcopy(BODY)
    emulation = parse(BODY, *ALL)
    assert emulation is not None
    system, user = emulation.messages(BODY["messages"])
    content: str = system["content"]  # type: ignore[index] # a message is an object
    assert content.startswith("Be brief.\n\nYou can call functions. ")
    assert "one JSON object" in content
    assert "9 tokens" in content
    assert user == {"role": "user", "content": "<~call:x>"}
    assert before == BODY


def test_where_only_the_answer_is_cut_the_messages_are_the_same_object() -> None:
    """`stop` needs no word to the model."""
    emulation = parse(BODY, "stop")
    assert emulation is not None
    assert emulation.messages(BODY["messages"]) is BODY["messages"]


def test_the_ledger_states_what_is_emulated_and_what_it_costs() -> None:
    """It gives numbers, and none of the caller's texts."""
    emulation = parse(BODY, *ALL)
    assert emulation is not None
    changes = emulation.changes(BODY["messages"])
    system, _ = emulation.messages(BODY["messages"])
    added = len(system["content"]) - len("Be brief.") + len("~")  # type: ignore[index] # messages are objects
    reported = f"{added} characters added to the messages"
    assert [(change.action, change.param, change.given, change.sent) for change in changes] == [
        ("emulated", "tools", "1 function", reported),
        ("stripped", "tools", "web_search", ""),
        ("emulated", "response_format", "a JSON object", reported),
        ("emulated", "stop", "2 sequences", ""),
        ("emulated", "max_tokens", "9", reported),
    ]
    assert [change.warn for change in changes] == [None, "request", None, None, None]
    assert "s3cret" not in "".join(map(str, changes))


def test_the_ledger_counts_what_telling_of_calls_adds() -> None:
    """Marks and headings too, in parts as in texts; and no word of the limit where the model hears none."""
    messages = [
        {"role": "user", "content": [{"type": "text", "text": "hello"}, {"type": "image_url"}]},
        {"role": "tool", "content": "fine"},
    ]
    emulation = parse({**BODY, "messages": messages, "max_tokens": 10**6}, "tools", "max_tokens")
    assert emulation is not None
    result = "<result:tokibanuve>\nResult of function:\n\n</result:tokibanuve>"
    instructions: str = emulation.messages(messages)[0]["content"]  # type: ignore[index] # messages are objects
    reported = f"{len(instructions) + len(result)} characters added to the messages"
    changes = emulation.changes(messages)
    assert [change.sent for change in changes if change.action == "emulated"] == [reported, ""]


@pytest.mark.parametrize("param", ALL)
def test_the_ledger_speaks_only_of_what_is_emulated(param: str) -> None:
    """Each emulated parameter has its own change, and no other parameter has one."""
    emulation = parse({**BODY, "tools": BODY["tools"][:1]}, param)
    assert emulation is not None
    assert [(change.action, change.param) for change in emulation.changes()] == [("emulated", param)]


JSON_OBJECT = {"response_format": {"type": "json_object"}}


@pytest.mark.parametrize(
    ("body", "reminder"),
    [
        pytest.param(
            {"tools": BODY["tools"]},
            "To call a function, write its block between "
            "<call:tokibanuve> and </call:tokibanuve>, as described.",
            id="functions",
        ),
        pytest.param(JSON_OBJECT, "Answer with the JSON only.", id="JSON"),
        pytest.param(
            {"tools": BODY["tools"], **JSON_OBJECT},
            "To call a function, write its block between "
            "<call:tokibanuve> and </call:tokibanuve>, as described.\n"
            "When you do not call a function: Answer with the JSON only.",
            id="both",
        ),
    ],
)
def test_a_long_conversation_ends_with_the_rules(body: dict[str, Any], reminder: str) -> None:
    """A short one does not; the system message, at whose end the instructions are, does not count."""
    emulation = parse(body, *ALL)
    assert emulation is not None
    last = {"role": "user", "content": "And now?"}
    system = {"role": "system", "content": "x" * 9_000}
    length = LONG_CONVERSATION - len(last["content"])
    *_, unchanged = emulation.messages([system, {"role": "user", "content": "x" * (length - 1)}, last])
    assert unchanged == last
    *_, reminded = emulation.messages([system, {"role": "user", "content": "x" * length}, last])
    assert reminded == {"role": "user", "content": f"And now?\n\n{reminder}"}


def test_a_request_that_only_cuts_its_answer_is_not_reminded() -> None:
    """There is no rule to repeat."""
    emulation = parse({"stop": "x"}, *ALL)
    assert emulation is not None
    messages: list[object] = [{"role": "user", "content": "x" * 9_000}]
    assert emulation.messages(messages) is messages


def test_the_instructions_can_be_replaced() -> None:
    """The prompts are data."""
    emulation = parse_emulation(
        {"response_format": {"type": "json_object"}},
        ["response_format"],
        agent_tools=(),
        prompts=Prompts(json_object="JSON!"),
        schemas=SchemaCache(),
        new_id=lambda: "1",
    )
    assert emulation is not None
    assert emulation.messages([]) == [{"role": "system", "content": "JSON!"}]


def test_the_ledger_states_what_of_a_schema_is_not_checked() -> None:
    """It names the keywords, for functions and for JSON."""
    schema = {"properties": {"s3cret": {"pattern": r"\p{L}"}, "b": {"$ref": "#/s3cret"}}}
    body = {
        "tools": [{"type": "function", "function": {"name": "look", "parameters": schema}}],
        "response_format": {"type": "json_schema", "json_schema": {"schema": {"required": True}}},
    }
    emulation = parse(body, *ALL)
    assert emulation is not None
    changes = [change for change in emulation.changes() if change.action == "noticed"]
    assert [(change.param, change.given) for change in changes] == [
        ("tools", "$ref, pattern"),
        ("response_format", "required"),
    ]
    assert "s3cret" not in "".join(map(str, changes))
