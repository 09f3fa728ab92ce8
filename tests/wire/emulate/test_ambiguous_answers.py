"""Answers that can be read in more than one way: asked about, and never guessed at, through the SDK."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import openai
import pytest

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
    from tests.wire.emulate.conftest import Model

TEXT = {"type": "string"}


def _function(name: str, /, *, strict: bool = False, **properties: Any) -> dict[str, Any]:
    parameters = {"type": "object", "properties": properties, "required": sorted(properties)}
    return {"type": "function", "function": {"name": name, "parameters": parameters, "strict": strict}}


TOOLS = [
    _function("write", path=TEXT, content=TEXT),
    _function("add", a={"type": "number"}),
    _function("delete_user", strict=True, name=TEXT),
]
GOOD = {"path": "C:\\new", "content": 'a "b"\nc'}
SUMMARY = {
    "type": "json_schema",
    "json_schema": {
        "name": "summary",
        "schema": {"type": "object", "properties": {"n": {"type": "number"}}, "required": ["n"]},
    },
}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            r'{open}{"name": "write", "arguments": {"path": "D:\data\new", "content": "x"}}{close}',
            id="a path",
        ),
        pytest.param(
            '{open}{"name": "write", "arguments": {"path": "a", "content": "<a b="c" d="e">"}}{close}',
            id="HTML",
        ),
        pytest.param('{open}{"name": "write", "arguments": {"path": "a", "content": "cut', id="a cut text"),
        pytest.param(
            '{open}{"name": "write", "arguments": {"path": "a", "content": "x"}', id="brackets and mark"
        ),
        pytest.param(
            'I could {open}{"name": "delete_user", "arguments": {"name": "A"}}{close} but shall I do it?',
            id="a call that is taken back",
        ),
        pytest.param('Ok.\n{"name": "add", "arguments": {"a": 1}}\n{close}', id="a mark is missing"),
        pytest.param('<tool_call>\n{"name": "add", "arguments": {"a": 1}}\n</tool_call>', id="a native form"),
        pytest.param('Thought: add.\nAction: add\nAction Input: {"a": 1}', id="ReAct"),
        pytest.param(
            '{open}{"name": "add", "arguments": {"type": "object", "properties": {"a": {}}}}{close}',
            id="the schema in place of the arguments",
        ),
    ],
)
def test_what_has_two_readings_is_asked_about(
    driver: Driver, client: Any, model: Model, *, stream: bool, answer: str
) -> None:
    """One further call gives the arguments, which the caller gets letter for letter."""
    model.simulator.script(model.write(answer), model.call("write", GOOD))
    (reply,) = model.asked(driver, client, stream=stream, tools=TOOLS)
    assert len(model.simulator.calls) == 2
    assert (reply.calls, reply.reason) == ([("write", GOOD)], "tool_calls")
    assert "call:" not in (reply.content or "")


def test_thinking_makes_no_call(driver: Driver, client: Any, model: Model, *, stream: bool) -> None:
    """Its call is not made, the answer is not lost, and nothing is paid twice."""
    answer = (
        '<think>{open}{"name": "delete_user", "arguments": {"name": "Ana"}}{close} is unconfirmed.</think>\n'
        "Please confirm."
    )
    model.simulator.script(model.write(answer))
    (reply,) = model.asked(driver, client, stream=stream, tools=TOOLS)
    assert len(model.simulator.calls) == 1
    assert (reply.calls, reply.reason) == ([], "stop")
    assert reply.content is not None
    assert reply.content.endswith("</think>\nPlease confirm.")
    assert "delete_user" not in reply.content


def test_a_tag_of_thinking_is_a_chunk_of_its_own(driver: Driver, client: Any, model: Model) -> None:
    """Frameworks look for it in single chunks, and would take the answer for thinking."""
    call = '{open}{"name": "delete_user", "arguments": {"name": "Ana"}}{close}'
    model.simulator.script(model.write(f"<think>{call} is unconfirmed.</think>\nPlease confirm."))
    chunks = driver.items(driver.ask(client, stream=True, tools=TOOLS))
    texts = [choice.delta.content for chunk in chunks for choice in chunk.choices if choice.delta.content]
    assert texts == ["<think>", " is unconfirmed.", "</think>", "\nPlease confirm."]


def test_arguments_that_break_the_schema_twice_are_handed_over(
    driver: Driver, client: Any, model: Model, *, stream: bool
) -> None:
    """OpenAI does so without `strict`; raw JSON is never returned as text."""
    bad = model.call("add", {"a": "many"})
    model.simulator.script(bad, bad)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        (reply,) = model.asked(driver, client, stream=stream, tools=TOOLS)
    assert (reply.calls, reply.reason) == ([("add", {"a": "many"})], "tool_calls")
    assert any("do not follow the schema" in str(each.message) for each in caught)


@pytest.mark.parametrize(
    "call",
    [
        pytest.param('{"name": "delete_user", "arguments": {"x": []}}', id="strict"),
        pytest.param(r'{"name": "write", "arguments": {"path": "C:\x", "content": ""}}', id="unreadable"),
        pytest.param('{"name": "remove_user", "arguments": {"name": "Ana"}}', id="a function not offered"),
        pytest.param(
            "{'name': 'write', 'arguments': {'path': 'a', 'content': '{open}"
            '{"name": "add", "arguments": {"a": 1}}{close}\'}}',
            id="a call in a string in single quotes",
        ),
    ],
)
def test_a_call_that_cannot_be_used_twice_is_an_error(
    driver: Driver, client: Any, model: Model, *, stream: bool, call: str
) -> None:
    """The adapter neither guesses nor returns the call as text."""
    model.simulator.script(*[model.write(f"{{open}}\n{call}\n{{close}}")] * 2)
    with pytest.raises(openai.APIError) as refusal:
        model.asked(driver, client, stream=stream, tools=TOOLS)
    assert refusal.value.code == "function_call_invalid"


@pytest.mark.parametrize("number", ["123456789012345678.12", "9007199254740993", "1e3", "1.10"])
def test_a_number_keeps_its_text(
    driver: Driver, client: Any, model: Model, *, stream: bool, number: str
) -> None:
    """This holds for arguments and for structured output."""
    model.simulator.script(model.call("add", f'{{"a": {number}}}'))
    assert f'"a":{number}}}' in _arguments(driver, client, stream=stream)
    model.simulator.script(f'Here:\n{{"n": {number}}}')
    (reply,) = model.asked(driver, client, stream=stream, response_format=SUMMARY)
    assert reply.content == f'{{"n": {number}}}'


def _arguments(driver: Driver, client: Any, *, stream: bool) -> str:
    answer = driver.ask(client, stream=stream, tools=TOOLS)
    if not stream:
        return str(answer.choices[0].message.tool_calls[0].function.arguments)
    choices = [choice for chunk in driver.items(answer) for choice in chunk.choices]
    deltas = [delta for choice in choices for delta in choice.delta.tool_calls or []]
    return "".join(delta.function.arguments or "" for delta in deltas)


def test_values_that_differ_are_asked_about(
    driver: Driver, client: Any, model: Model, *, stream: bool
) -> None:
    """Only the model can say which one it means."""
    model.simulator.script('{"n": 1}\nor rather\n{"n": 2}', '{"n": 2}')
    (reply,) = model.asked(driver, client, stream=stream, response_format=SUMMARY)
    assert (reply.content, len(model.simulator.calls)) == ('{"n": 2}', 2)


def test_json_that_cannot_be_read_is_content_and_prose_is_a_refusal(
    driver: Driver, client: Any, model: Model, *, stream: bool
) -> None:
    """A framework repairs the one by its own means; a refusal it takes for a refusal."""
    for unreadable in ('{"n": NaN}', '{"n": -Infinity, "x": 1}'):
        model.simulator.script(unreadable, unreadable)
        (reply,) = model.asked(driver, client, stream=stream, response_format=SUMMARY)
        assert (reply.content, reply.refusal) == (unreadable, None)
    model.simulator.script(*[r'{"n": "C:\x"}'] * 2)
    (reply,) = model.asked(driver, client, stream=stream, response_format=SUMMARY)
    assert (reply.content, reply.refusal) == (r'{"n": "C:\x"}', None)
    model.simulator.script(*["I would rather not."] * 2)
    (reply,) = model.asked(driver, client, stream=stream, response_format=SUMMARY)
    assert (reply.content or None, reply.refusal) == (None, "I would rather not.")


def test_the_exact_name_comes_before_any_prefix(
    driver: Driver, client: Any, model: Model, *, stream: bool
) -> None:
    """`functions.list` is called where it is offered, not `list`."""
    tools = [_function("functions.list", a=TEXT), _function("list", a=TEXT)]
    for name in ("functions.list", "list"):
        model.simulator.script(model.call(name, {"a": "x"}))
        (reply,) = model.asked(driver, client, stream=stream, tools=tools)
        assert reply.calls == [(name, {"a": "x"})]


def test_two_functions_of_one_name_are_refused(driver: Driver, client: Any, model: Model) -> None:
    """OpenAI refuses them too; nothing is sent."""
    with pytest.raises(openai.BadRequestError, match="names must be unique") as refusal:
        driver.ask(client, tools=[TOOLS[0], TOOLS[1], TOOLS[0]])
    assert refusal.value.param == "tools"
    assert not model.simulator.calls


def test_results_belong_to_their_calls(driver: Driver, client: Any, model: Model) -> None:
    """Some programs give all calls one identifier, or none."""
    for identifier in ("0", ""):
        calls = [
            {"id": identifier, "type": "function", "function": {"name": name, "arguments": json.dumps(GOOD)}}
            for name in ("write", "add")
        ]
        messages = [
            {"role": "user", "content": "Go."},
            {"role": "assistant", "tool_calls": calls},
            {"role": "tool", "tool_call_id": identifier, "content": "first"},
            {"role": "tool", "tool_call_id": identifier, "content": "second"},
        ]
        model.simulator.script("Done.")
        driver.ask(client, tools=TOOLS, messages=messages)
        sent = str(model.received[-1]["messages"][-1]["content"])
        order = ["Result of write", "first", "Result of add", "second"]
        assert sorted(order, key=sent.index) == order
