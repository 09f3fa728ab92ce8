"""The features that are emulated for one chat call, and the instructions for the model."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from tess_openai.core.changes import Change
from tess_openai.core.chat.parameters import stop_sequences
from tess_openai.core.emulate.history import (
    contains_calls,
    contains_calls_or_results,
    contains_results,
    render_messages,
)
from tess_openai.core.emulate.instructions import (
    after_instructions,
    functions_text,
    with_instructions,
    with_note,
)
from tess_openai.core.emulate.length import Limit, length_text, parse_limit
from tess_openai.core.emulate.marks import Marks, to_nonce
from tess_openai.core.emulate.offers import Offer, parse_offer
from tess_openai.core.emulate.structured import JSONFormat, format_text, parse_format
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.prompts import Prompts, fill
from tess_openai.core.refusals import Refused
from tess_openai.core.schemas.schema_checker import SchemaCache

MAX_CHOICES: Final = 16
LONG_CONVERSATION: Final = 1_000
"""How many characters a conversation, not counting a first system message, must have for the rules to be
repeated after its last message.

Source: measured with `tools/reminder.py`; the table is in `docs/emulation.md`.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Emulation:
    """The emulated features of one call.

    Attributes:
        marks: The marks of this request.
        prompts: The texts of the instructions.
        schemas: Cache of the compiled schemas for checks.
        new_id: Returns a fresh identifier.
        offer: The functions; None when they are not emulated, and when no call is allowed, the messages
            contain neither calls nor results, and each offered tool can be emulated or is the agent's.
        json_format: The JSON that `response_format` asks for; None when it asks for text.
        stops: The stop sequences.
        limit: The highest number of tokens of an answer, counted by estimate.
        choices: The number of choices.
    """

    marks: Marks
    prompts: Prompts
    schemas: SchemaCache
    new_id: Callable[[], str]
    offer: Offer | None = None
    json_format: JSONFormat | None = None
    stops: tuple[str, ...] = ()
    limit: Limit | None = None
    choices: int = 1

    def messages(self, messages: list[object]) -> list[object]:
        """Return the messages for the model, still with OpenAI's roles and content parts."""
        instructions = self._instructions(messages)
        if self.offer is not None:
            messages = render_messages(messages, self.marks, self.prompts)
        is_long = _length(after_instructions(messages)) >= LONG_CONVERSATION
        reminder = self._reminder() if is_long else ""
        if reminder:
            messages = with_note(messages, reminder)
        return with_instructions(messages, instructions) if instructions else messages

    @property
    def _may_call(self) -> bool:
        return self.offer is not None and self.offer.tool_choice != "none"

    def _instructions(self, messages: list[object]) -> str:
        """Return the text that is added to the system message; `""` when there is none."""
        offer, json_format, prompts = self.offer, self.json_format, self.prompts
        texts = [
            "" if offer is None else self._functions_text(offer, messages),
            "" if json_format is None else format_text(json_format, prompts, may_call=self._may_call),
            "" if self.limit is None else length_text(self.limit, prompts),
        ]
        return "\n\n".join(text for text in texts if text)

    def _functions_text(self, offer: Offer, messages: list[object]) -> str:
        return functions_text(
            offer,
            self.marks,
            self.prompts,
            self.schemas.checker(),
            has_results=contains_results(messages),
            has_calls=contains_calls(messages),
        )

    def _reminder(self) -> str:
        """Return the lines that repeat the rules at the end of a long conversation; `""` without any."""
        prompts = self.prompts
        lines = [fill(prompts.reminder, open=self.marks.open, close=self.marks.close)] * self._may_call
        if self.json_format is not None:
            json = prompts.json_reminder
            lines.append(fill(prompts.json_instead_of_call, json=json) if self._may_call else json)
        return "\n".join(line for line in lines if line)

    def changes(self, messages: object = None) -> tuple[Change, ...]:
        """Return the changes to record before the request is sent; `messages` are the caller's."""
        offer = self.offer
        given_messages = to_list(messages) or []
        added = _length(self.messages(given_messages)) - _length(given_messages)
        sent = f"{added} characters added to the messages"
        changes: list[Change] = []
        if offer is not None:
            given = f"{len(offer.functions)} function{'s' * (len(offer.functions) != 1)}"
            why = "Tess has no function calls, so instructions for the model describe how to make one"
            if offer.functions or contains_calls_or_results(given_messages):
                changes.append(Change(action="emulated", param=offer.param, given=given, sent=sent, why=why))
            if offer.unsupported_types:
                given = ", ".join(offer.unsupported_types)
                why = "only functions and custom tools can be emulated"
                remedy = "Offer it as a function."
                changes.append(
                    Change("stripped", "tools", given, sent="", why=why, remedy=remedy, warn="request")
                )
            if grammars := [each.name for each in offer.functions.values() if each.grammar is not None]:
                given = f"grammar of {', '.join(grammars)}"
                why = "the model is shown the grammar, and its input is not checked against it"
                changes.append(Change(action="noticed", param="tools", given=given, sent="", why=why))
            changes += self._unchecked_keywords(
                offer.param, *(each.parameters for each in offer.functions.values())
            )
        if self.json_format is not None:
            given = "a JSON Schema" if self.json_format.has_schema else "a JSON object"
            why = "Tess has no structured output, so instructions ask the model for JSON, and it is checked"
            changes.append(Change("emulated", "response_format", given, sent, why))
            changes += self._unchecked_keywords("response_format", self.json_format.schema)
        if self.stops:
            given = f"{len(self.stops)} sequence{'s' * (len(self.stops) != 1)}"
            changes.append(Change("emulated", "stop", given, sent="", why="the answer is cut by the adapter"))
        if self.limit is not None:
            hinted = sent if length_text(self.limit, self.prompts) else ""
            asked = "the model is asked to be short, and " if hinted else ""
            why = f"{asked}the answer is cut at about so many tokens"
            changes.append(Change("emulated", self.limit.param, str(self.limit.tokens), hinted, why))
        if self.choices > 1:
            why = "Tess returns one choice per request, so each choice is a paid request of its own"
            changes.append(Change("emulated", "n", str(self.choices), f"{self.choices} paid calls", why))
        return tuple(changes)

    def _unchecked_keywords(self, param: str, *schemas: JSONObject) -> list[Change]:
        """Return the changes that name the schema keywords which cannot be checked."""
        names = frozenset[str]().union(
            *(self.schemas.compiled(schema).unchecked_keywords for schema in schemas)
        )
        why = "these parts of the schema cannot be checked as they are written; the rest is checked"
        if not self.schemas.checks_patterns and names & {"pattern", "patternProperties"}:
            why = 'checking patterns needs the extra: pip install "tess-openai[emulate]"; all else is checked'
        return (
            [Change(action="noticed", param=param, given=", ".join(sorted(names)), sent="", why=why)]
            if names
            else []
        )


def parse_emulation(
    body: JSONObject,
    params: Collection[str],
    *,
    agent_tools: Collection[str],
    prompts: Prompts,
    schemas: SchemaCache,
    new_id: Callable[[], str],
) -> Emulation | None:
    """Read the features of a request that have to be emulated.

    Args:
        body: The body of the request.
        params: Those of the parameters `tools`, `functions`, `response_format`, `stop`, `n`, `max_tokens` and
            `max_completion_tokens` whose policy is to emulate them. Either of `tools` and `functions` covers
            all parameters of tool calls.
        agent_tools: Names and types of tools that the agent has itself.
        prompts: The texts of the instructions.
        schemas: Cache of the compiled schemas for checks.
        new_id: Returns a fresh identifier.

    Returns:
        The emulation; None when the request needs none.

    Raises:
        Refused: A value is invalid, or cannot be emulated.
    """
    emulation = Emulation(
        marks=Marks(to_nonce(new_id())),
        prompts=prompts,
        schemas=schemas,
        new_id=new_id,
        offer=None if {"tools", "functions"}.isdisjoint(params) else _parse_offer(body, agent_tools),
        json_format=parse_format(body) if "response_format" in params else None,
        stops=_parse_stops(body.get("stop")) if "stop" in params else (),
        limit=parse_limit(body, params),
        choices=_parse_choices(body.get("n")) if "n" in params else 1,
    )
    asks = emulation.offer or emulation.json_format or emulation.stops or emulation.limit
    return emulation if asks or emulation.choices > 1 else None


def _length(messages: list[object]) -> int:
    """Return the number of characters in the texts of messages."""
    contents = [(to_object(message) or {}).get("content") for message in messages]
    texts = [part for content in contents for part in to_list(content) or [content]]
    return sum(len(text) for text in map(_text, texts) if isinstance(text, str))


def _text(part: object) -> object:
    members = to_object(part)
    return part if members is None else members.get("text")


def _parse_offer(body: JSONObject, agent_tools: Collection[str]) -> Offer | None:
    offer = parse_offer(body, agent_tools=agent_tools)
    is_needed = (
        offer.tool_choice != "none"
        or offer.unsupported_types
        or contains_calls_or_results(to_list(body.get("messages")) or [])
    )
    return offer if is_needed else None


def _parse_stops(given: object) -> tuple[str, ...]:
    stops = stop_sequences(given)
    items = to_list(given) or []
    if (not stops and given not in (None, "", [])) or not all(isinstance(item, str) for item in items):
        message = "stop must be a string or a list of strings."
        raise Refused(message, param="stop", code="invalid_stop")
    return stops


def _parse_choices(given: object) -> int:
    if given is None:
        return 1
    if not isinstance(given, int) or isinstance(given, bool) or not 1 <= given <= MAX_CHOICES:
        message = (
            f"n must be a whole number from 1 to {MAX_CHOICES} to be emulated: each choice is a paid call of "
            'its own. Ask in several calls, or allow one choice: create_client(unsupported={"n": "warn"}).'
        )
        raise Refused(message, param="n", code="invalid_n")
    return given
