"""What the chat route accepts and refuses, and which switch decides it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.jsons import dump_json
from tess_openai.testing import Profile, TessSimulator
from tess_openai.testing.simulator_profile import OPENAI_ONLY_PARAMETERS
from tests.testing.chat_bodies import (
    HELLO,
    JSON,
    REPLY,
    SYSTEM,
    Send,
    agent,
    messages,
    refused_fields,
    reported,
)

ACCEPTED: dict[str, JSON] = {
    "the body of the documentation's curl": {
        "temperature": 1,
        "model": "tess-6",
        "messages": [{"role": "user", "content": "Create a short release note."}],
        "tools": "no-tools",
        "stream": False,
    },
    "the body of the documentation's second curl": {
        "temperature": "1",
        "model": "tess-5",
        "messages": [{"role": "user", "content": "hello there!"}],
        "tools": "no-tools",
        "stream": True,
    },
    "messages alone": {},
    "a system message and a history": messages(SYSTEM, HELLO, REPLY, HELLO),
    "neighbours of one role": messages(HELLO, HELLO),
    "several system messages, anywhere": messages(SYSTEM, SYSTEM, HELLO, SYSTEM),
    "an assistant who speaks last": messages(HELLO, REPLY),
    "a temperature that is an option as text": {"temperature": "0.25"},
    "a temperature that is an option as a number": {"temperature": 0.5},
    "a whole temperature written as a float": {"temperature": 1.0},
    "root_id and file_ids": {"root_id": 7, "file_ids": [1, 2]},
    "a custom root field": {"brand-name": "Acme"},
    "text that is not ASCII": messages({"role": "user", "content": "olá 🎉 \u2028"}),
}

REFUSED: dict[str, tuple[JSON, list[str]]] = {
    "no messages": (messages(), ["messages"]),
    "messages that are no list": ({"messages": "hello"}, ["messages"]),
    "a message that is no object": (messages("hello"), ["messages.0"]),
    "a message without role": (messages({"content": "x"}), ["messages.0.role"]),
    "a developer message": (messages({"role": "developer", "content": "x"}, HELLO), ["messages.0.role"]),
    "a tool message": (
        messages(HELLO, {"role": "tool", "content": "x", "tool_call_id": "1"}),
        ["messages.1.role", "messages.1.tool_call_id"],
    ),
    "a function message": (messages(HELLO, {"role": "function", "content": "x"}), ["messages.1.role"]),
    "a role that is no text": (messages({"role": ["user"], "content": "x"}), ["messages.0.role"]),
    "a message with a name": (messages({**HELLO, "name": "Ann"}), ["messages.0.name"]),
    "an assistant message with a refusal of null": (
        messages(HELLO, {**REPLY, "refusal": None}, HELLO),
        ["messages.1.refusal"],
    ),
    "content that is absent": (messages({"role": "user"}), ["messages.0.content"]),
    "content that is null": (messages({"role": "user", "content": None}), ["messages.0.content"]),
    "content that is empty": (messages({"role": "user", "content": ""}), ["messages.0.content"]),
    "content that is a number": (messages({"role": "user", "content": 5}), ["messages.0.content"]),
    "content in text parts": (
        messages({"role": "user", "content": [{"type": "text", "text": "x"}]}),
        ["messages.0.content"],
    ),
    "a temperature between the options": ({"temperature": 0.7}, ["temperature"]),
    "a temperature close to an option": ({"temperature": 0.2500001}, ["temperature"]),
    "a temperature written with a zero more": ({"temperature": "0.50"}, ["temperature"]),
    "a temperature beyond every float": ({"temperature": 10**400}, ["temperature"]),
    "a temperature that is a boolean": ({"temperature": True}, ["temperature"]),
    "a model of OpenAI that the agent lacks": ({"model": "gpt-4.1"}, ["model"]),
    "a model that is no text": ({"model": 6}, ["model"]),
    "tools as an empty list": ({"tools": []}, ["tools"]),
    "tools as functions": ({"tools": [{"type": "function", "function": {"name": "f"}}]}, ["tools"]),
    "tools as a list of letters": ({"tools": list("internet")}, ["tools"]),
    "an unknown tool": ({"tools": "telescope"}, ["tools"]),
    "a null": ({"tools": None, "stop": None}, ["tools", "stop"]),
    "a stream that is no boolean": ({"stream": "true"}, ["stream"]),
    "a root_id that is text": ({"root_id": "7"}, ["root_id"]),
    "a root_id that is a boolean": ({"root_id": True}, ["root_id"]),
    "file_ids that are texts": ({"file_ids": ["1"]}, ["file_ids"]),
    "several things at once": ({"top_p": 1, "temperature": 3}, ["top_p", "temperature"]),
}


@pytest.mark.parametrize("body", ACCEPTED.values(), ids=ACCEPTED)
def test_strict_accepts(body: JSON, simulator: TessSimulator, send: Send) -> None:
    """What is documented, and free root fields, pass."""
    assert send(simulator, body).status == 200


@pytest.mark.parametrize(("body", "names"), REFUSED.values(), ids=REFUSED)
def test_strict_refuses(body: JSON, names: list[str], simulator: TessSimulator, send: Send) -> None:
    """What is not documented is refused, and the answer names each field."""
    assert refused_fields(send(simulator, body)) == names


@pytest.mark.parametrize("name", sorted(OPENAI_ONLY_PARAMETERS))
def test_strict_refuses_what_only_openai_has(name: str, simulator: TessSimulator, send: Send) -> None:
    """Every other parameter of OpenAI's chat API is refused by name, a neutral value too."""
    assert refused_fields(send(simulator, {name: 1})) == [name]


def test_the_openai_only_parameters_are_those_of_the_sdk() -> None:
    """No parameter of the SDK's newest chat API is missing from the list, so that none slips through."""
    params = pytest.importorskip("openai.types.chat.completion_create_params")
    known = set(params.CompletionCreateParamsBase.__annotations__) - OPENAI_ONLY_PARAMETERS
    assert known <= {"messages", "model", "temperature", "tools"}


NOT_JSON: dict[str, bytes] = {
    "nothing": b"",
    "half an object": b'{"messages": [',
    "a list": b'[{"role": "user"}]',
    "a byte order mark": b'\xef\xbb\xbf{"messages":[{"role":"user","content":"x"}]}',
    "NaN": b'{"messages":[{"role":"user","content":"x"}],"temperature":NaN}',
    "a lone surrogate": b'{"messages":[{"role":"user","content":"\\ud800"}]}',
    "Latin-1": '{"messages":[{"role":"user","content":"é"}]}'.encode("latin-1"),
    "UTF-16": '{"messages":[{"role":"user","content":"x"}]}'.encode("utf-16"),
    "a depth without end": b'{"messages":' + b"[" * 100_000,
}


@pytest.mark.parametrize("body", NOT_JSON.values(), ids=NOT_JSON)
def test_a_body_that_is_no_json_object_is_an_empty_one(
    body: bytes, simulator: TessSimulator, send: Send
) -> None:
    """Laravel then misses the first required field."""
    assert refused_fields(send(simulator, body)) == ["messages"]


def test_a_body_of_another_type_is_an_empty_one(simulator: TessSimulator, send: Send) -> None:
    """JSON is read only where the content type says so."""
    assert refused_fields(send(simulator, headers={"content-type": "text/plain"})) == ["messages"]


def test_the_laravel_message_counts_the_other_errors(simulator: TessSimulator, send: Send) -> None:
    """One error is shown alone; of several the first is shown, with their number."""
    one = reported(send(simulator, {"temperature": 0.7}))
    three = reported(send(simulator, {"temperature": 0.7, "top_p": 1, "seed": 1}))
    assert one == {
        "message": "The selected temperature is invalid.",
        "errors": {"temperature": ["The selected temperature is invalid."]},
    }
    assert three["message"] == "The top p field is prohibited. (and 2 more errors)"


def test_the_documented_dialect(send: Send) -> None:
    """The status is 400, with the fields under `messages`."""
    response = send(TessSimulator(profile=Profile.documented()), {"temperature": 0.7})
    assert response.status == 400
    assert reported(response) == {
        "error": "Validation failed",
        "messages": {"temperature": ["The selected temperature is invalid."]},
    }


AGENTS: dict[str, tuple[int, JSON, list[str]]] = {
    "a model for an agent whose model is fixed": (43, {"model": "tess-6"}, ["model"]),
    "half a degree where only 0 and 1 are offered": (44, {"temperature": 0.5}, ["temperature"]),
    "a text agent without its required field": (45, {}, ["nome-da-empresa"]),
    "a text agent with a field of the wrong type": (
        45,
        {"nome-da-empresa": 5, "paragraphs": "two", "language": "Klingon"},
        ["nome-da-empresa", "paragraphs", "language"],
    ),
    "an image agent": (47, {}, ["id"]),
    "the label in place of the option's value": (
        48,
        {"audience": "all", "temperature": "precise"},
        ["temperature"],
    ),
    "a chat agent without its own required field": (48, {}, ["audience"]),
}


@pytest.mark.parametrize(("number", "body", "names"), AGENTS.values(), ids=AGENTS)
def test_an_agent_refuses(
    number: int, body: JSON, names: list[str], simulator: TessSimulator, send: Send
) -> None:
    """Each agent has its own questions."""
    assert refused_fields(send(simulator, body, target=agent(number))) == names


AGENTS_ACCEPT: dict[str, tuple[int, JSON]] = {
    "a call without a model to a fixed-model agent": (43, {}),
    "a text agent with its required field": (45, {"nome-da-empresa": "Acme", "paragraphs": 2}),
    "the value of a labelled option": (48, {"audience": "all", "temperature": 0}),
}


@pytest.mark.parametrize(("number", "body"), AGENTS_ACCEPT.values(), ids=AGENTS_ACCEPT)
def test_an_agent_accepts(number: int, body: JSON, simulator: TessSimulator, send: Send) -> None:
    """Each agent has its own questions."""
    assert send(simulator, body, target=agent(number)).status == 200


def test_required_questions_of_text_agents_only(send: Send) -> None:
    """Users observed that a chat agent's own required field may be absent."""
    simulator = TessSimulator(profile=Profile(required_questions="text agents"))
    assert send(simulator, target=agent(48)).status == 200
    assert refused_fields(send(simulator, target=agent(45))) == ["nome-da-empresa"]


def test_an_agents_own_field_is_not_openais(send: Send) -> None:
    """A question named like a parameter of OpenAI's is a field of the agent's."""
    from tess_openai.testing import SimulatedAgent, SimulatedQuestion

    own = SimulatedAgent.chat(42, custom=[SimulatedQuestion(name="user", type="text")])
    simulator = TessSimulator(agents=[own])
    assert send(simulator, {"user": "Ann"}).status == 200
    assert refused_fields(send(simulator, {"user": 5})) == ["user"]


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)

NAMES = st.sampled_from(
    ["messages", "temperature", "model", "tools", "stream", "root_id", "file_ids", "top_p", "x"]
)

MESSAGE = st.fixed_dictionaries({}, optional={"role": VALUES, "content": VALUES, "name": VALUES})
BODIES = st.dictionaries(NAMES, VALUES | st.lists(MESSAGE, max_size=3))


@given(
    body=BODIES, number=st.sampled_from([42, 43, 45, 47, 48]), profile=st.sampled_from(["strict", "lenient"])
)
def test_any_body_gets_an_answer(body: JSON, number: int, profile: str, send: Send) -> None:
    """The rules accept any JSON or name what is wrong with it, and never raise."""
    simulator = TessSimulator(profile=Profile.strict() if profile == "strict" else Profile.lenient())
    response = send(simulator, dump_json(body), target=agent(number))
    assert response.status == 200 or refused_fields(response)
