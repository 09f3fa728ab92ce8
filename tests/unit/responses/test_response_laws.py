"""What holds for every response: a stream says what a whole answer says, and nothing asked for vanishes."""

from __future__ import annotations

import copy
import itertools
import json
from collections.abc import Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy, PolicyAction
from tess_openai.core.responses.response_parameters import (
    ONLY_IN_CHAT,
    PARAMETER_TYPES,
    RESPONSES_PARAMETERS,
)
from tests.flows import JSON, Carried
from tests.unit.responses.driven import drive

texts = st.text(max_size=12)
calls = st.lists(
    st.fixed_dictionaries(
        {
            "id": st.uuids().map(lambda number: f"call_{number.hex}"),
            "type": st.just("function"),
            "function": st.fixed_dictionaries(
                {"name": st.sampled_from(["f", "g"]), "arguments": st.sampled_from(["{}", '{"a": "é, 1"}'])}
            ),
        }
    ),
    max_size=3,
)
messages = st.fixed_dictionaries(
    {"content": texts},
    optional={"refusal": st.text(min_size=1, max_size=8), "tool_calls": calls},
)
reasons = st.sampled_from(["stop", "length", "content_filter"])


def cut(text: str, places: Sequence[int]) -> list[str]:
    """Cut a text at places, taken modulo its length."""
    edges = sorted({0, len(text), *(place % (len(text) + 1) for place in places)})
    return [text[start:end] for start, end in itertools.pairwise(edges)]


def to_stream(message: JSON, reason: str, places: Sequence[int]) -> bytes:
    """Return the chat stream of a message, its texts cut at places."""
    deltas: list[JSON] = [{"content": piece} for piece in cut(message["content"], places)]
    deltas += [{"refusal": piece} for piece in cut(message.get("refusal", ""), places)]
    for index, call in enumerate(message.get("tool_calls", [])):
        function = call["function"]
        deltas.append({"tool_calls": [{**call, "index": index, "function": {**function, "arguments": ""}}]})
        deltas += [
            {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}
            for piece in cut(function["arguments"], places)
        ]
    choices: list[JSON] = [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]
    choices.append({"index": 0, "delta": {}, "finish_reason": reason})
    root = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    events = [json.dumps({**root, "choices": [choice]}) for choice in choices]
    return "".join(f"data: {event}\n\n" for event in [*events, "[DONE]"]).encode()


def texts_and_calls(response: JSON) -> tuple[str, str, list[tuple[str, str, str]]]:
    """Return the text, the refusal and the calls of a response."""
    items = response["output"]
    parts = [part for item in items if item["type"] == "message" for part in item["content"]]
    return (
        "".join(part.get("text", "") for part in parts),
        "".join(part.get("refusal", "") for part in parts),
        [
            (item["call_id"], item["name"], item["arguments"])
            for item in items
            if item["type"] == "function_call"
        ],
    )


def assembled(driven: Carried) -> JSON:
    """Return the response that the deltas of an event stream add up to."""
    items: dict[str, JSON] = {}
    for event in driven.events:
        kind = event["type"]
        if kind == "response.output_item.added":
            items[event["item"]["id"]] = {**event["item"], "content": []}
        elif kind == "response.content_part.added":
            items[event["item_id"]]["content"].append(event["part"])
        elif kind in ("response.output_text.delta", "response.refusal.delta"):
            part = items[event["item_id"]]["content"][event["content_index"]]
            part["text" if "text" in part else "refusal"] += event["delta"]
        elif kind == "response.function_call_arguments.delta":
            items[event["item_id"]]["arguments"] += event["delta"]
    return {"output": list(items.values())}


@given(
    messages, reasons, st.lists(st.integers(0, 99), max_size=4), st.lists(st.integers(0, 9999), max_size=6)
)
def test_a_stream_states_what_a_whole_answer_states(
    message: JSON, reason: str, places: list[int], pieces: list[int]
) -> None:
    """The last event has the same response, however text and bytes are divided."""
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": reason}
    completion = json.dumps({"model": "tess-6", "choices": [choice]}).encode()
    whole = json.loads(drive({"input": "hi"}, [completion]).body)
    stream = to_stream(message, reason, places)
    edges = sorted({0, len(stream), *(piece % len(stream) for piece in pieces)})
    parts = [stream[start:end] for start, end in itertools.pairwise(edges)]
    driven = drive({"input": "hi", "stream": True}, parts)
    last = driven.events[-1]
    assert texts_and_calls(last["response"]) == texts_and_calls(assembled(driven))
    assert whole["output"] == last["response"]["output"]
    assert whole["status"] == last["response"]["status"]
    assert last["type"] == f"response.{whole['status']}"
    assert whole["incomplete_details"] == last["response"]["incomplete_details"]
    assert [event["sequence_number"] for event in driven.events] == list(range(len(driven.events)))
    done = [event["item"] for event in driven.events if event["type"] == "response.output_item.done"]
    assert sorted(done, key=lambda item: item["id"][-4:]) == last["response"]["output"]


@given(messages, st.lists(st.integers(0, 99), max_size=4), st.integers(0, 40), st.booleans())
def test_a_stream_that_breaks_states_what_its_events_stated(
    message: JSON, places: list[int], kept: int, is_error: bool
) -> None:
    """The failed response has the same items as the events before; those without an end are incomplete."""
    blocks = to_stream(message, "stop", places).split(b"\n\n")[:-3]  # without the finish reason and the end
    error = b'data: {"error": {"message": "stopped"}}'
    body = b"\n\n".join([*blocks[:kept], *[error] * is_error, b""])
    driven = drive({"input": "hi", "stream": True}, [body] if body else [])
    failed = next(event for event in driven.events if event["type"] == "response.failed")["response"]
    stated = assembled(driven)
    assert texts_and_calls(failed) == texts_and_calls(stated)
    assert [item["id"] for item in failed["output"]] == [item["id"] for item in stated["output"]]
    done = [event["item"] for event in driven.events if event["type"] == "response.output_item.done"]
    assert [item for item in failed["output"] if item["status"] == "completed"] == done
    assert {item["status"] for item in failed["output"]} <= {"completed", "incomplete"}


part_texts = st.text(min_size=1, max_size=8)
parts = st.one_of(
    st.fixed_dictionaries({"type": st.sampled_from(["input_text", "output_text"]), "text": part_texts}),
    st.fixed_dictionaries({"type": st.just("refusal"), "refusal": part_texts}),
    st.just({"type": "input_image", "image_url": "data:image/png;base64,AAAA", "detail": "auto"}),
    st.just({"type": "input_file", "file_data": "AAAA", "filename": "a.pdf"}),
)
items = st.one_of(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "system", "developer", "assistant"]),
            "content": part_texts | st.lists(parts, min_size=1, max_size=3),
        },
        optional={
            "type": st.just("message"),
            "id": st.just("msg_1"),
            "status": st.just("completed"),
            "x": texts,
        },
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("function_call"),
            "call_id": st.just("call_1"),
            "name": st.just("f"),
            "arguments": part_texts,
        },
        optional={"id": st.just("fc_1"), "namespace": st.none()},
    ),
    st.fixed_dictionaries(
        {
            "type": st.just("custom_tool_call"),
            "call_id": st.just("call_2"),
            "name": st.just("g"),
            "input": part_texts,
        }
    ),
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["function_call_output", "custom_tool_call_output"]),
            "call_id": st.just("call_1"),
            "output": part_texts,
        }
    ),
    st.just({"type": "reasoning", "id": "rs_1", "summary": [], "encrypted_content": "secret"}),
    st.just({"type": "web_search_call", "id": "ws_1", "status": "completed", "action": {}}),
)
VALUES: dict[str, st.SearchStrategy[object]] = {
    "a boolean": st.booleans(),
    "a list": st.lists(texts, max_size=2),
    "a number": st.integers(0, 9) | st.floats(0, 2),
    "a string": texts,
    "an integer": st.integers(0, 9),
    "an object": st.dictionaries(texts, texts | st.integers(0, 9), max_size=2),
    "an object of strings": st.dictionaries(texts, texts, max_size=2),
}
anything: st.SearchStrategy[object] = st.one_of(*VALUES.values())


def values_of(name: str) -> st.SearchStrategy[object]:
    """Return values of the parameter's type; any value where it has none."""
    return st.none() | VALUES.get(PARAMETER_TYPES.get(name, ""), anything)


bodies = st.fixed_dictionaries(
    {"input": part_texts | st.lists(items, min_size=1, max_size=4)},
    optional={
        "model": st.just("tess-6"),
        "instructions": st.none() | part_texts,
        "temperature": st.floats(0, 2),
        "text": st.sampled_from(
            [
                {},
                {"verbosity": "low"},
                {"format": {"type": "text"}},
                {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
                {"x": 1},
            ]
        ),
        "reasoning": st.sampled_from([{}, {"effort": "low"}, {"summary": "auto"}, {"x": 1}]),
        "tools": st.sampled_from(
            [
                [],
                [{"type": "function", "name": "f", "parameters": {}, "strict": True}],
                [{"type": "web_search"}],
                [{"type": "file_search"}],
                [{"type": "custom", "name": "g", "format": {"type": "grammar", "syntax": "lark"}}],
            ]
        ),
        "tool_choice": st.sampled_from(["auto", "none", "required", {"type": "function", "name": "f"}]),
        "include": st.sampled_from([None, [], ["reasoning.encrypted_content"], ["web_search_call.results"]]),
        "root_id": st.integers(1, 9),
        "audience": texts,
        **{
            name: values_of(name)
            for name in sorted(RESPONSES_PARAMETERS)
            if name
            not in {
                *("conversation", "include", "input", "instructions", "model", "previous_response_id"),
                *("reasoning", "stream", "stream_options", "temperature", "text", "tool_choice", "tools"),
            }
        },
    },
)
NEUTRAL: dict[str, list[Any]] = {
    "background": [False],
    "service_tier": ["auto", "default"],
    "top_logprobs": [0, False],
    "top_p": [1, True],
    "truncation": ["disabled"],
}
ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()
words = st.sampled_from(["warn", "ignore", "forward"])


@given(bodies, words)
def test_nothing_of_a_request_vanishes(body: JSON, word: PolicyAction) -> None:
    """Each key is sent, translated, neutral or in the ledger; and the caller's body is not changed."""
    before = copy.deepcopy(body)
    driven = drive(body, [ANSWER], options=Options(policy=Policy(word)))
    assert json.dumps(body) == json.dumps(before)
    assert driven.status == 200, driven.body
    named = {change.param.partition(".")[0] for change in driven.changes}
    for name, value in body.items():
        if (
            name in ("input", "instructions", "parallel_tool_calls", "store")
            or name in (driven.sent or {})
            or name in named
        ):
            continue
        is_neutral = value in (None, "", [], {}) or value in NEUTRAL.get(name, [])
        is_text = name == "text" and value.get("format") == {"type": "text"}
        is_about_tools = name == "tool_choice" and (value in ("auto", "none") or "tools" in named)
        is_moved = name in ("max_output_tokens", "reasoning", "text") and word == "forward"
        is_declined = name == "tools" and body.get("tool_choice") == "none"
        assert is_neutral or is_text or is_about_tools or is_moved or is_declined, name


def all_texts(value: object) -> list[str]:
    """Return each text that an item says to the model."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [text for item in value for text in all_texts(item)]
    if not isinstance(value, dict) or value.get("type") == "reasoning":
        return []
    names = ("text", "refusal", "content", "output", "arguments", "input")
    return [text for name in names for text in all_texts(value.get(name))]


@given(bodies)
def test_no_text_of_the_input_vanishes(body: JSON) -> None:
    """Every word of the conversation arrives; what reasoning holds does not."""
    sent = drive(body, [ANSWER]).messages
    arrived = "\n".join(message["content"] for message in sent)
    for text in [*all_texts(body["input"]), *all_texts(body.get("instructions"))]:
        assert text in arrived
    assert "secret" not in arrived


PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "a boolean": (bool,),
    "a list": (list,),
    "a number": (int, float),
    "a string": (str,),
    "an integer": (int,),
    "an object": (dict,),
    "an object of strings": (dict,),
}


@given(st.sampled_from(sorted(PARAMETER_TYPES)), anything)
def test_a_value_of_another_type_is_refused(name: str, value: Any) -> None:
    """OpenAI refuses it too, and the response would show it; so also under a policy that forwards."""
    driven = drive({"input": "hi", name: value}, [ANSWER], options=Options(policy=Policy("forward")))
    kind = PARAMETER_TYPES[name]
    is_right = type(value) in PYTHON_TYPES[kind]
    if is_right and kind == "an object of strings":
        is_right = all(isinstance(each, str) for each in value.values())
    if is_right:
        assert b"invalid_type" not in driven.body
    else:
        error = json.loads(driven.body)["error"]
        assert (driven.status, error["param"], error["code"]) == (400, name, "invalid_type")
        assert driven.sent is None


@given(st.sampled_from(sorted(ONLY_IN_CHAT)))
def test_a_parameter_of_chat_is_refused_by_name(name: str) -> None:
    """OpenAI refuses an unknown parameter too; the error says what to use instead."""
    driven = drive({"input": "hi", name: 1}, [ANSWER])
    assert driven.status == 400
    error = json.loads(driven.body)["error"]
    assert (error["param"], error["code"]) == (name, "unknown_parameter")
    assert driven.sent is None
