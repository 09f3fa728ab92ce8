"""The rules of the chat route: every reason to refuse a body, by field, as Laravel reports them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import pairwise
from typing import Final, TypeAlias

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.testing.simulated_agents import SimulatedAgent, SimulatedQuestion
from tess_openai.testing.simulator_profile import OPENAI_ONLY_PARAMETERS, ContentKind, Profile

Problem: TypeAlias = tuple[str, str]
"""A field and what is wrong with it: `("messages.0.role", "The selected messages.0.role is invalid.")`."""

_LARGE: Final = 10**15
"""Larger than any option; integers beyond the range of a float are not compared."""

SELECTS: Final = ("temperature", "model", "tools")
"""The parameters that the route documents besides `messages` and `stream`."""


def find_problems(body: JSONObject, agent: SimulatedAgent, profile: Profile) -> list[Problem]:
    """Return the problems of a body, in the order of the checks; empty when it is accepted."""
    if agent.type not in profile.agent_types:
        return [("id", "The agent is not a chat agent.")]
    return [
        *_root_problems(body, agent, profile),
        *_select_problems(body, agent, profile),
        *_question_problems(body, agent, profile),
        *_message_problems(body, profile),
    ]


def without_nulls(body: JSONObject, profile: Profile) -> JSONObject:
    """Return the body for the rules: without null fields where the profile treats them as absent."""
    if profile.nulls == "refused":
        return body
    return {name: value for name, value in body.items() if value is not None}


def option_text(value: object) -> str | None:
    """Format a value as PHP does when it compares with options: 1.0 as `1`; None if it is not a scalar."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return f"{value:.14g}" if abs(value) < _LARGE else None
    return value if isinstance(value, str) else None


def content_text(content: object) -> str:
    """Return the text of a message's content, the texts of its parts joined by line ends."""
    if isinstance(content, str):
        return content
    parts = [to_object(part) or {} for part in to_list(content) or []]
    return "\n".join(str(part["text"]) for part in parts if "text" in part)


def _spoken(field: str) -> str:
    """Return the name of a field as Laravel's messages print it."""
    return field.replace("_", " ")


def _invalid(field: str) -> Problem:
    return field, f"The selected {_spoken(field)} is invalid."


def _must(field: str, what: str) -> Problem:
    return field, f"The {_spoken(field)} field must be {what}."


def _required(field: str) -> Problem:
    return field, f"The {_spoken(field)} field is required."


def _prohibited(field: str) -> Problem:
    return field, f"The {_spoken(field)} field is prohibited."


def _root_problems(body: JSONObject, agent: SimulatedAgent, profile: Profile) -> Iterator[Problem]:
    for name, value in body.items():
        if value is None and profile.nulls == "refused":
            yield _required(name)
        elif _is_refused(name, agent, profile):
            yield _prohibited(name)
    if "stream" in body and not isinstance(body["stream"], bool | None):
        yield _must("stream", "true or false")
    if body.get("root_id") is not None and not _is_number(body["root_id"]):
        yield _must("root_id", "a number")
    if body.get("file_ids") is not None and not _are_integers(body["file_ids"]):
        yield _must("file_ids", "an array of integers")


def _is_refused(name: str, agent: SimulatedAgent, profile: Profile) -> bool:
    if name in profile.refused_parameters:
        return True
    if agent.question(name) is not None or name in profile.ignored_parameters:
        return False
    return name in OPENAI_ONLY_PARAMETERS and profile.openai_parameters == "refused"


def _are_integers(value: object) -> bool:
    items = to_list(value)
    return items is not None and all(isinstance(item, int) and not isinstance(item, bool) for item in items)


def _select_problems(body: JSONObject, agent: SimulatedAgent, profile: Profile) -> Iterator[Problem]:
    for name in SELECTS:
        value = body.get(name)
        if value is None or name in profile.refused_parameters | profile.ignored_parameters:
            continue
        question = agent.question(name)
        if question is None:
            if profile.without_question == "refused":
                yield _prohibited(name)
        elif name == "temperature" and profile.temperature == "free":
            yield from _range_problems(value)
        elif name == "temperature":
            if not _matches_temperature(value, question, profile):
                yield _invalid(name)
        elif _is_checked(name, profile) and (not isinstance(value, str) or value not in question.values):
            yield _invalid(name)


def _is_checked(name: str, profile: Profile) -> bool:
    return (profile.model if name == "model" else profile.tools) == "options"


def _range_problems(value: object) -> Iterator[Problem]:
    text = option_text(value)
    try:
        number = float("nan" if text is None else text)
    except ValueError:
        number = float("nan")
    if not 0 <= number <= 2:
        yield "temperature", "The temperature field must be between 0 and 2."


def _matches_temperature(value: object, question: SimulatedQuestion, profile: Profile) -> bool:
    if profile.temperature_types == "strings" and not isinstance(value, str):
        return False
    if profile.temperature_types == "numbers" and isinstance(value, str):
        return False
    return option_text(value) in question.values


def _question_problems(body: JSONObject, agent: SimulatedAgent, profile: Profile) -> Iterator[Problem]:
    for question in agent.questions:
        name = question.name
        if name not in body:
            if question.required and _is_enforced(question, agent, profile):
                yield _required(name)
        elif name not in SELECTS:
            yield from _answer_problems(question, body[name])


def _is_enforced(question: SimulatedQuestion, agent: SimulatedAgent, profile: Profile) -> bool:
    if agent.type == "text" or profile.required_questions == "all":
        return True
    return profile.required_questions == "custom fields" and question.name not in SELECTS


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


_ANSWERS: Final[Mapping[str, tuple[Callable[[object], bool], str]]] = {
    "number": (_is_number, "a number"),
    "text": (lambda value: isinstance(value, str), "a string"),
    "textarea": (lambda value: isinstance(value, str), "a string"),
    "boolean": (lambda value: isinstance(value, bool), "true or false"),
    "array": (lambda value: isinstance(value, list), "an array"),
    "object": (lambda value: isinstance(value, dict), "an object"),
}


def _answer_problems(question: SimulatedQuestion, value: object) -> Iterator[Problem]:
    if question.type == "select":
        if option_text(value) not in question.values:
            yield _invalid(question.name)
        return
    is_answer, what = _ANSWERS[question.type]
    if not is_answer(value):
        yield _must(question.name, what)


def _message_problems(body: JSONObject, profile: Profile) -> Iterator[Problem]:
    messages = to_list(body.get("messages"))
    if messages is None and body.get("messages") is not None:
        yield _must("messages", "an array")
        return
    if not messages:
        yield _required("messages")
        return
    roles: list[object] = []
    for index, item in enumerate(messages):
        message = to_object(item)
        if message is None:
            yield _must(f"messages.{index}", "an object")
            continue
        roles.append(message.get("role"))
        yield from _one_message_problems(f"messages.{index}", message, profile)
    yield from _order_problems(roles, profile)


def _one_message_problems(field: str, message: JSONObject, profile: Profile) -> Iterator[Problem]:
    if "role" not in message:
        yield _required(f"{field}.role")
    elif not isinstance(message["role"], str) or message["role"] not in profile.roles:
        yield _invalid(f"{field}.role")
    kind = _content_kind(message.get("content"))
    if kind is None:
        yield _must(f"{field}.content", "a string")
    elif kind not in profile.content:
        empty = kind in {"empty", "null"}
        yield _required(f"{field}.content") if empty else _must(f"{field}.content", "a string")
    if profile.message_keys == "refused":
        known = {"role", "content", *profile.ignored_message_keys}
        extra = [key for key in message if key not in known]
        yield from (_prohibited(f"{field}.{key}") for key in extra)


def _content_kind(content: object) -> ContentKind | None:
    if content is None:
        return "null"
    if isinstance(content, str):
        return "text" if content else "empty"
    parts = to_list(content)
    if parts is None:
        return None
    if not parts:
        return "empty"
    objects = [to_object(part) or {} for part in parts]
    is_text = all(each.get("type") == "text" and isinstance(each.get("text"), str) for each in objects)
    return "text parts" if is_text else "other parts"


def _order_problems(roles: list[object], profile: Profile) -> Iterator[Problem]:
    rules = profile.message_order
    spoken = [role for role in roles if role != "system"]
    systems = [index for index, role in enumerate(roles) if role == "system"]
    if "paired" in rules and any(one == other for one, other in pairwise(spoken)):
        yield "messages", "Chat messages must be a pair of user/assistant"
    if "one system" in rules and len(systems) > 1:
        yield "messages", "The messages field must not have more than one system message."
    if "system first" in rules and any(index > 0 for index in systems[:1]):
        yield "messages", "The system message must be the first one."
    if "user last" in rules and roles[-1:] != ["user"]:
        yield "messages", "The last message must be of the user."
