"""The JSON that was asked for, out of what the model wrote around it.

Nothing is given out before the whole answer is in: only then is it known which part is the answer, whether it
follows the schema, and whether it has to be asked for again. What then goes out is JSON from the first byte
to the last.

Source: OpenAI's API reference, chat completions, `response_format` (documented).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.coercion import SchemaChecker, fits_types, root_types, validate_and_coerce
from tess_openai.core.emulate.json_candidates import Candidate, find_candidates
from tess_openai.core.emulate.prompts import Prompts, fill
from tess_openai.core.emulate.protocol import compact_json, compact_schema
from tess_openai.core.jsons import JSONObject, parse_json, to_object
from tess_openai.core.refusals import Refused

_ANY_OBJECT: Final[JSONObject] = {"type": "object"}
_MAX_CANDIDATES: Final = 16
_MAX_PROBLEMS: Final = 5
_NONE: Final = "- there is no JSON in it"
_CUT: Final = "- it ends in the middle"


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
        start: Where in the answer it begins, or what there is of it; None when the answer is prose.
    """

    text: str | None
    problems: list[str]
    start: int | None = None


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


def extract(text: str, wanted: JSONFormat, check: SchemaChecker, *, is_cut: bool = False) -> Extract:
    """Find the JSON in an answer: the last value that follows the schema, since one before may be an echo.

    Args:
        text: The answer.
        wanted: What was asked for.
        check: Checks a value against a schema.
        is_cut: Whether the answer is known to be incomplete; closing brackets are then not added.
    """
    types = root_types(wanted.schema)
    found = find_candidates(text, may_be_list=not types or "array" in types)
    if found.broken_at is not None:
        return Extract(None, [f"- {found.problem}"], found.broken_at)
    best: Extract | None = None
    longest = 0
    latest = found.candidates[: -_MAX_CANDIDATES - 1 : -1]
    for candidate in sorted(latest, key=lambda each: not each.value):  # what is empty last
        value, errors = validate_and_coerce(wanted.schema, candidate.value, check)
        if not candidate.is_whole and (is_cut or errors):
            return Extract(None, _problems(errors) or [_CUT], candidate.start)
        is_meant = fits_types(candidate.value, types)
        if not errors and (is_meant or len(latest) == 1):
            return Extract(_spelt(text, candidate, value), [], candidate.start)
        if candidate.end - candidate.start > longest:
            longest = candidate.end - candidate.start
            spelt = _spelt(text, candidate, value) if is_meant else None
            best = Extract(spelt, _problems(errors) or [_NONE], candidate.start if is_meant else None)
    return Extract(None, [_NONE]) if best is None else best


def _problems(errors: list[str]) -> list[str]:
    return [f"- {error}" for error in errors[:_MAX_PROBLEMS]]


def _spelt(text: str, candidate: Candidate, value: object) -> str:
    """Return a value as the model spelt it, if that is JSON and needed no mending."""
    source = text[candidate.start : candidate.end]
    return source if parse_json(source) == value else compact_json(value)
