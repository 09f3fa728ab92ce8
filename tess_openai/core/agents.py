"""An agent as Tess's endpoint Get Agent describes it: what it offers, and which fields it requires.

Tess calls the fields of the form that an author defines for an agent its questions.

Source: Tess docs, get-agent and list-agents (documented): `{"id", "title", "type", "slug", "visibility",
"workspace_id", "description", "active", "questions": [{"type", "name", "description", "required",
"options"}]}`.
Text agents add fields of their own (observed); `values`, `answers`, `choices` and `{value, label}` as options
are read by defensive clients (reported).
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.jsons import JSONObject, to_list, to_object

CHAT_QUESTIONS: Final = ("temperature", "model", "tools")
"""Questions that are also parameters of Tess's chat completions."""
COMMON_QUESTIONS: Final = frozenset(
    {*CHAT_QUESTIONS, "messages", "root_id", "file_ids", "memory_collections", "stream"}
)
"""Questions that any agent may have. A question with another name is one of the agent's own fields."""
_OPTION_KEYS: Final = ("options", "values", "answers", "choices")


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One field of an agent's form; a request has it at the root of its body.

    Attributes:
        name: The name of the field, `"temperature"`, `"nome-da-empresa"`.
        type: `"select"`, `"number"`, `"text"`, `"textarea"`, `"boolean"`, `"array"`, `"object"`, or another
            type that Tess defines.
        required: Whether the agent marks it as required.
        options: The values to choose from; empty when any value is allowed.
        description: As the author of the agent wrote it.
    """

    name: str
    type: str = ""
    required: bool = False
    options: tuple[str, ...] = ()
    description: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """One agent of Tess.

    Attributes:
        id: Its number.
        title: Its name, as Tess shows it.
        type: Its kind: `"chat"`, `"text"`, `"image"`, `"video"`, or another type that Tess defines.
        slug: Its name in URLs.
        visibility: Who can use it: `"public"`, `"private"`, or another value that Tess defines.
        workspace_id: The workspace of its owner.
        description: As its author wrote it.
        active: Whether it can be used.
        questions: Its fields; empty when Tess returned none. Then the options of the agent are unknown.
    """

    id: int
    title: str = ""
    type: str = ""
    slug: str = ""
    visibility: str = ""
    workspace_id: int | None = None
    description: str = field(default="", repr=False)
    active: bool = True
    questions: tuple[Question, ...] = ()

    def question(self, name: str) -> Question | None:
        """Return the question with this name; None when the agent has none."""
        return next((question for question in self.questions if question.name == name), None)

    def options(self, name: str) -> tuple[str, ...]:
        """Return the values to choose from for a field; empty when it is absent or takes any value."""
        question = self.question(name)
        return () if question is None else question.options

    @property
    def models(self) -> tuple[str, ...]:
        """The models to choose from; empty for an agent with a fixed model."""
        return self.options("model")

    @property
    def temperatures(self) -> tuple[str, ...]:
        """The temperatures to choose from that are numbers."""
        return tuple(option for option in self.options("temperature") if _is_number(option))

    @property
    def tools(self) -> tuple[str, ...]:
        """The tools to choose from."""
        return self.options("tools")

    @property
    def fields(self) -> tuple[Question, ...]:
        """The agent's own fields, without those that any agent may have."""
        return tuple(question for question in self.questions if question.name not in COMMON_QUESTIONS)

    @property
    def required(self) -> tuple[Question, ...]:
        """The fields that a call must contain: the agent's own, and `CHAT_QUESTIONS` for a text agent.

        Source: Tess enforces `required` for all fields of a text agent, but not for the temperature, model
        and tools of a chat agent (observed).
        """
        is_text = self.type == "text"
        required = (each for each in self.questions if each.required)
        return tuple(
            each
            for each in required
            if each.name not in COMMON_QUESTIONS or (is_text and each.name in CHAT_QUESTIONS)
        )


def parse_agent(value: object) -> Agent | None:
    """Read an agent from JSON, as the object itself or as `{"data": {...}}`; None when it is not an agent.

    Only `id` is needed. A value of another type than documented counts as absent, and a question without a
    name is left out.
    """
    members = to_object(value) or {}
    if "id" not in members:
        members = to_object(members.get("data")) or {}
    number = _to_positive_int(members.get("id"))
    if number is None:
        return None
    return Agent(
        id=number,
        title=_text(members, "title"),
        type=_text(members, "type"),
        slug=_text(members, "slug"),
        visibility=_text(members, "visibility"),
        workspace_id=_to_positive_int(members.get("workspace_id")),
        description=_text(members, "description"),
        active=members.get("active") != 0,  # False is equal to 0
        questions=tuple(_to_questions(to_list(members.get("questions")) or [])),
    )


def closest(given: str, offered: Iterable[str]) -> str | None:
    """Return the offered word most similar to the given one, ignoring case; None without a similar one."""
    words = {word.casefold(): word for word in offered}
    near = difflib.get_close_matches(given.casefold(), words, n=1, cutoff=0.5)
    return words[near[0]] if near else None


def option_text(value: object) -> str | None:
    """Return a number or a string as Tess writes options, 1.0 as `"1"`; None for any other value.

    Source: options are strings (documented). That Tess compares a number by its text is inferred from the
    validation rules of Laravel, the framework whose errors Tess returns (observed).
    """
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def _to_questions(items: list[object]) -> Iterable[Question]:
    for item in items:
        members = to_object(item) or {}
        name = _text(members, "name")
        if name:
            yield Question(
                name=name,
                type=_text(members, "type").lower(),
                required=members.get("required") in (True, "true", "1"),  # 1 is equal to True
                options=_to_options(members),
                description=_text(members, "description"),
            )


def _to_options(members: JSONObject) -> tuple[str, ...]:
    """Return the options of a field; `()`, which allows any value, when one of them cannot be read."""
    given = next((found for key in _OPTION_KEYS if (found := to_list(members.get(key)))), None)
    texts: list[str] = []
    for item in given or []:
        if item in (None, {}, []):
            continue
        members = to_object(item) or {"value": item}
        value = members.get("value")
        text = _to_option(members.get("label") if value is None else value)
        if text is None:
            return ()
        texts.append(text)
    return tuple(dict.fromkeys(texts))


def _to_option(value: object) -> str | None:
    return str(value).lower() if isinstance(value, bool) else option_text(value)


def _text(members: JSONObject, key: str) -> str:
    value = members.get(key)
    return value if isinstance(value, str) else ""


def _to_positive_int(value: object) -> int | None:
    """Return a positive integer, given as a number or as digits."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 18:
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
