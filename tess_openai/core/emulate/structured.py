"""The JSON that was asked for, out of what the model wrote around it.

Nothing is given out before the whole answer is in: only then is it known which part is the answer, whether it
follows the schema, and whether it has to be asked for again. What then goes out is JSON from the first byte
to the last.

Source: OpenAI's API reference, chat completions, `response_format` (documented).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.lenient import Reading, UnreadableError, read_json
from tess_openai.core.emulate.prompts import Prompts, fill
from tess_openai.core.emulate.protocol import compact_json, compact_schema
from tess_openai.core.emulate.schemas import SchemaChecker, check_and_mend
from tess_openai.core.jsons import JSONObject, parse_json, to_object
from tess_openai.core.refusals import Refused

_ANY_OBJECT: Final[JSONObject] = {"type": "object"}
_BRACKET: Final = re.compile(r"[{\[]")
_MAX_FAILURES: Final = 16
_MAX_CANDIDATES: Final = 16
_MAX_PROBLEMS: Final = 5


@dataclass(frozen=True, slots=True)
class JSONFormat:
    """The JSON that a request asks for.

    Attributes:
        schema: What it must follow; that it is an object, when no schema is given.
        has_schema: Whether the caller gave one.
    """

    schema: JSONObject
    has_schema: bool


@dataclass(frozen=True, slots=True)
class Extract:
    """JSON found in an answer.

    Attributes:
        text: As it goes to the caller; None when there is none.
        problems: What is wrong with it, one line each, for the model.
    """

    text: str | None
    problems: list[str]


def parse_format(body: JSONObject) -> JSONFormat | None:
    """Read `response_format`; None when it asks for nothing but text.

    Raises:
        Refused: A type or a schema that OpenAI refuses too.
    """
    given = to_object(body.get("response_format"))
    kind = None if given is None else given.get("type")
    if given is None or kind == "text":
        return None
    if kind == "json_object":
        return JSONFormat(_ANY_OBJECT, has_schema=False)
    schema = to_object((to_object(given.get("json_schema")) or {}).get("schema"))
    if kind != "json_schema" or schema is None:
        raise Refused(
            "response_format must be text, json_object, or json_schema with json_schema.schema.",
            param="response_format",
            code="invalid_response_format",
        )
    return JSONFormat(schema, has_schema=True)


def format_text(wanted: JSONFormat, prompts: Prompts) -> str:
    """Return what the system message says about the form of the answer."""
    if not wanted.has_schema:
        return prompts.json_object
    return fill(prompts.json_schema, schema=compact_json(compact_schema(wanted.schema)))


def extract(text: str, wanted: JSONFormat, check: SchemaChecker) -> Extract:
    """Find the JSON in an answer: of what follows the schema the longest, else of what is JSON at all."""
    best: Extract | None = None
    found = sorted(_candidates(text), key=lambda span: span[0] - span[1].end)
    for start, reading in found[:_MAX_CANDIDATES]:
        value, errors = check_and_mend(wanted.schema, reading.value, check)
        problems = [f"- {error}" for error in errors[:_MAX_PROBLEMS]]
        source = text[start : reading.end]
        candidate = Extract(source if parse_json(source) == value else compact_json(value), problems)
        if not problems:
            return candidate
        best = candidate if best is None else best
    return Extract(None, ["- there is no JSON in it"]) if best is None else best


def unfinished(text: str) -> str:
    """Return the JSON of an answer that is known to be cut: from its first bracket on."""
    bracket = _BRACKET.search(text)
    return text if bracket is None else text[bracket.start() :]


def _candidates(text: str) -> list[tuple[int, Reading]]:
    """Return the objects and arrays in the text, with where each begins, or the one bare value it is."""
    found: list[tuple[int, Reading]] = []
    failures = 0
    bracket = _BRACKET.search(text)
    while bracket is not None and failures < _MAX_FAILURES:
        start = end = bracket.start()
        try:
            reading = read_json(text, start, is_closed=False)
        except UnreadableError:
            failures += 1
        else:
            found.append((start, reading))
            end = reading.end - 1
        bracket = _BRACKET.search(text, end + 1)
    stripped = text.strip()
    if not found and (stripped == "null" or parse_json(stripped) is not None):
        start = text.index(stripped)
        found.append((start, Reading(parse_json(stripped), start + len(stripped), is_whole=True)))
    return found
