"""The questions: each is one short request and a check of its answer.

Source: the open points of `docs/facts-about-tess.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tess_openai.cli.probe.probe_replies import Reply
from tess_openai.core.agents import Agent
from tess_openai.core.jsons import JSONObject, parse_object

Case: TypeAlias = Literal["answer", "status"]
NO_HEADERS: Final[Mapping[str, str | None]] = {}
SYSTEM: Final = {"role": "system", "content": "You answer in one short sentence."}
USER: Final = {"role": "user", "content": "Say OK."}
CODE: Final = "KUMQUAT"
OTHER_CODE: Final = "PERSIMMON"
_ASK: Final = "Which code words were you given? Repeat them."
_PIXEL: Final = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4z8AAAAMB"
    "AQDJ/pLvAAAAAElFTkSuQmCC"
)
"""A PNG of one red pixel."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeQuestion:
    """One question.

    Attributes:
        name: The key in the profile.
        body: Differences from the plain request; None is sent as null.
        headers: Differences from the plain headers; None removes a header.
        shows: Returns whether an answer shows the effect; None where no effect is visible.
        case: Whether the answer is evaluated, or only its status recorded.
    """

    name: str
    body: JSONObject = field(default_factory=dict[str, object])
    headers: Mapping[str, str | None] = field(default_factory=lambda: NO_HEADERS)
    shows: Callable[[Reply], bool] | None = None
    case: Case = "answer"


def say(*messages: Mapping[str, object]) -> JSONObject:
    """Return a request body with these messages."""
    return {"messages": [dict(message) for message in messages]}


def ask(*messages: Mapping[str, object]) -> JSONObject:
    """Return a request body with a system message first: without one some agents hang (reported)."""
    return say(SYSTEM, *messages)


def repeats(*codes: str) -> Callable[[Reply], bool]:
    """Return a check whether an answer repeats all code words."""
    return lambda reply: all(code in reply.text.upper() for code in codes)


def _code(role: str, code: str = CODE) -> dict[str, object]:
    return {"role": role, "content": f"A code word is {code}."}


_FUNCTION: Final[JSONObject] = {
    "type": "function",
    "function": {
        "name": "say_ok",
        "description": "Says OK.",
        "parameters": {"type": "object", "properties": {}},
    },
}
_PARAMETERS: Final[Mapping[str, object]] = {
    "frequency_penalty": 0.5,
    "logit_bias": {"50256": -100},
    "max_completion_tokens": 1,
    "max_tokens": 1,
    "metadata": {"probe": "yes"},
    "n": 2,
    "parallel_tool_calls": False,
    "presence_penalty": 0.5,
    "prompt_cache_key": "probe",
    "reasoning_effort": "low",
    "response_format": {"type": "json_object"},
    "safety_identifier": "probe",
    "seed": 7,
    "service_tier": "auto",
    "stop": ["b"],
    "store": False,
    "tool_choice": "none",
    "top_p": 0.9,
    "user": "probe",
    "verbosity": "low",
}
_LONG: Final = ask({"role": "user", "content": "Count in words from one to twenty."})
_NO_EFFECT: Final[tuple[JSONObject, None]] = ({}, None)
_EFFECTS: Final[Mapping[str, tuple[JSONObject, Callable[[Reply], bool]]]] = {
    "max_completion_tokens": (_LONG, lambda reply: len(reply.text) < 12),
    "max_tokens": (_LONG, lambda reply: len(reply.text) < 12),
    "n": ({}, lambda reply: len(reply.choices) == 2),
    "response_format": (
        ask({"role": "user", "content": "Name three fruits, also as JSON."}),
        lambda reply: parse_object(reply.text) is not None,
    ),
    "stop": (
        ask({"role": "user", "content": "Repeat exactly: a b c"}),
        lambda reply: bool(reply.text) and "b" not in reply.text and "c" not in reply.text,
    ),
}


def questions_for(agent: Agent) -> list[ProbeQuestion]:
    """Return all questions to an agent, in the order in which they are asked."""
    return [
        ProbeQuestion(name="plain", shows=lambda reply: bool(reply.text)),
        ProbeQuestion(name="stream", body={"stream": True}),
        *_about_parameters(),
        ProbeQuestion(
            name="logprobs",
            body={"logprobs": True},
            shows=lambda reply: any(choice.get("logprobs") for choice in reply.choices),
        ),
        ProbeQuestion(
            name="stream_options",
            body={"stream": True, "stream_options": {"include_usage": True}},
            shows=lambda reply: "usage" in reply.shape,
        ),
        *_about_temperature(agent),
        *_about_messages(),
        *_about_fields(),
        ProbeQuestion(name="workspace.missing", headers={"x-workspace-id": None}, case="status"),
        ProbeQuestion(name="workspace.foreign", headers={"x-workspace-id": "1"}, case="status"),
        ProbeQuestion(name="workspace.malformed", headers={"x-workspace-id": "abc"}, case="status"),
        ProbeQuestion(name="key.wrong", headers={"authorization": "Bearer 1|" + "x" * 48}, case="status"),
    ]


def _about_parameters() -> list[ProbeQuestion]:
    questions: list[ProbeQuestion] = []
    for name, value in _PARAMETERS.items():
        body, shows = _EFFECTS.get(name, _NO_EFFECT)
        questions.append(ProbeQuestion(name=name, body={**body, name: value}, shows=shows))
    return questions


def _about_temperature(agent: Agent) -> list[ProbeQuestion]:
    option = agent.temperatures[-1] if agent.temperatures else "1"
    number = float(option)
    between = 0.37
    return [
        ProbeQuestion(name="temperature.string", body={"temperature": option}),
        ProbeQuestion(
            name="temperature.number", body={"temperature": int(number) if number.is_integer() else number}
        ),
        ProbeQuestion(name="temperature.between", body={"temperature": between}),
        ProbeQuestion(name="temperature.above_1", body={"temperature": 1.5}),
    ]


def _about_messages() -> list[ProbeQuestion]:
    question: dict[str, object] = {"role": "user", "content": _ASK}
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    image = {"type": "image_url", "image_url": {"url": _PIXEL}}
    text = {"type": "text", "text": f"A code word is {CODE}. {_ASK}"}
    both = repeats(CODE, OTHER_CODE)
    return [
        ProbeQuestion(name="role.developer", body=ask(_code("developer"), question), shows=repeats(CODE)),
        ProbeQuestion(
            name="role.tool",
            body=ask(
                {"role": "user", "content": "Look for the code word."},
                {"role": "assistant", "content": None, "tool_calls": [call]},
                {"role": "tool", "tool_call_id": "c1", "content": f"A code word is {CODE}."},
            ),
            shows=repeats(CODE),
        ),
        ProbeQuestion(
            name="messages.neighbours",
            body=ask(_code("user"), _code("user", OTHER_CODE), question),
            shows=both,
        ),
        ProbeQuestion(
            name="messages.two_systems",
            body=say(_code("system"), _code("system", OTHER_CODE), question),
            shows=both,
        ),
        ProbeQuestion(
            name="messages.system_later",
            body=say(USER, {"role": "assistant", "content": "OK."}, _code("system"), question),
            shows=repeats(CODE),
        ),
        ProbeQuestion(name="messages.assistant_last", body=ask(USER, {"role": "assistant", "content": "O"})),
        ProbeQuestion(name="messages.name", body=ask({**USER, "name": "Ann"})),
        ProbeQuestion(name="messages.without_system", body=say(USER), case="status"),
        ProbeQuestion(
            name="content.text_parts", body=ask({"role": "user", "content": [text]}), shows=repeats(CODE)
        ),
        ProbeQuestion(
            name="content.image_parts",
            body=ask({"role": "user", "content": [{"type": "text", "text": "Which colour is this?"}, image]}),
            shows=lambda reply: "RED" in reply.text.upper(),
        ),
        ProbeQuestion(name="content.empty", body=ask(USER, {"role": "assistant", "content": ""}, USER)),
    ]


def _about_fields() -> list[ProbeQuestion]:
    return [
        ProbeQuestion(name="tools.list", body={"tools": []}),
        ProbeQuestion(
            name="tools",
            body={"tools": [_FUNCTION], **ask({"role": "user", "content": "Call the function say_ok."})},
            shows=lambda reply: any(message.get("tool_calls") for message in reply.messages),
        ),
        ProbeQuestion(name="null", body={"temperature": None}),
        ProbeQuestion(name="root_id", body={"root_id": 1}),
        ProbeQuestion(name="file_ids", body={"file_ids": []}),
    ]
