"""Finds the requested JSON in an answer that may contain other text too.

The caller gets nothing before the answer is complete: only then is it known which part is the JSON, whether
it follows the schema, and whether a repair is needed. When the JSON is found, the caller gets nothing else.

Source: OpenAI's API reference, chat completions, `response_format` (documented).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tess_openai.core.emulate.declared_keys import undeclared_key
from tess_openai.core.emulate.instructions import compact_schema, forbids_other_keys
from tess_openai.core.emulate.json_candidates import Candidate, find_candidates
from tess_openai.core.emulate.thinking import without_thinking
from tess_openai.core.jsons import JSONObject, parse_json, to_object
from tess_openai.core.prompts import JSON_ESCAPES, Prompts, fill
from tess_openai.core.refusals import Refused
from tess_openai.core.schemas.evaluation import fits_types
from tess_openai.core.schemas.keywords import are_equal
from tess_openai.core.schemas.schema_checker import SchemaChecker
from tess_openai.core.strict_json import compact_json

_ANY_OBJECT: Final[JSONObject] = {"type": "object"}
_MAX_CANDIDATES: Final = 16
_MAX_PROBLEMS: Final = 5
_FENCE_CHARACTERS: Final = " \t\r\n`json"  # of an opening fence, ```json
_NO_JSON: Final = "- there is no JSON in the answer"
_SEVERAL_VALUES: Final = "- there are different JSON values in the answer; answer with one"
_IS_THE_SCHEMA: Final = "- it is the schema itself; answer with a value that follows it"


@dataclass(frozen=True, slots=True)
class JSONFormat:
    """The JSON that a request asks for.

    Attributes:
        schema: The schema that it must follow; `{"type": "object"}` when the caller gave none.
        has_schema: Whether the caller gave a schema.
    """

    schema: JSONObject
    has_schema: bool


@dataclass(frozen=True, slots=True)
class ExtractedJSON:
    """The JSON found in an answer.

    Attributes:
        text: The JSON for the caller, which may have problems; None when no value of the right type can be
            read, or when it is uncertain what the model meant.
        problems: What is wrong with it, one line each, as the repair request shows it to the model.
        start: Where in the answer a value begins; None when the answer seems to be prose.
    """

    text: str | None
    problems: list[str]
    start: int | None = None


def parse_format(body: JSONObject) -> JSONFormat | None:
    """Read `response_format`; None when it asks for text.

    Raises:
        Refused: Its type or its schema is invalid; OpenAI refuses it too.
    """
    if body.get("response_format") is None:
        return None
    given = to_object(body["response_format"]) or {}
    kind = given.get("type")
    if kind == "text":
        return None
    if kind == "json_object":
        return JSONFormat(_ANY_OBJECT, has_schema=False)
    schema = to_object((to_object(given.get("json_schema")) or {}).get("schema"))
    if kind != "json_schema" or schema is None:
        raise Refused(
            "response_format must be text, json_object, or json_schema with a schema.",
            param="response_format",
            code="invalid_response_format",
        )
    return JSONFormat(schema, has_schema=True)


def format_text(json_format: JSONFormat, prompts: Prompts, *, may_call: bool = False) -> str:
    """Return the part of the system message about the format of the answer.

    Args:
        json_format: The requested format.
        prompts: The texts of the instructions.
        may_call: Whether the model may call a function instead.
    """
    text = prompts.json_object
    if json_format.has_schema:
        template = prompts.json_schema
        if may_call and JSON_ESCAPES in prompts.functions:  # the instructions for calls have this sentence
            template = template.replace(JSON_ESCAPES, "").rstrip(" ")
        text = fill(template, schema=compact_json(compact_schema(json_format.schema)))
        if prompts.no_other_keys and forbids_other_keys(json_format.schema):
            text = f"{text}\n{prompts.no_other_keys}"
    return fill(prompts.json_instead_of_call, json=text) if may_call else text


def extract(text: str, json_format: JSONFormat, checker: SchemaChecker) -> ExtractedJSON:
    """Find the JSON in an answer: the only value that follows the schema.

    Text that the model wrote while thinking, and copies of the schema, are ignored. When several different
    values follow the schema, none is used. When none follows it, the longest is returned with its problems.

    Args:
        text: The answer.
        json_format: The requested format.
        checker: Checks a value against a schema.
    """
    types = checker.root_types(json_format.schema)
    found = find_candidates(without_thinking(text), may_be_list=not types or "array" in types)
    if found.broken_at is not None:
        return ExtractedJSON(None, [f"- {found.problem}"], found.broken_at)
    longest_invalid: ExtractedJSON | None = None
    valid: list[ExtractedJSON] = []
    values: list[object] = []
    longest = 0
    schemas = _copies_of_schema(json_format)
    candidates = [each for each in found.candidates if each.value not in schemas]
    for candidate in candidates[-_MAX_CANDIDATES:]:
        value, errors = checker.validate_and_coerce(json_format.schema, candidate.value)
        has_right_type = fits_types(candidate.value, types)
        json_text: str | None = _text_of_value(text, candidate, value)
        if candidate.is_corrected and not errors:
            key = undeclared_key(json_format.schema, value, holds_raw_text=candidate.holds_raw_text)
            if key is not None:
                errors, json_text = [f"{key[:40]!r} is not in the schema"], None
        if not errors and (has_right_type or len(candidates) == 1):
            valid.append(ExtractedJSON(json_text, [], candidate.start))
            values += [] if any(are_equal(value, other) for other in values) else [value]
        elif candidate.end - candidate.start > longest:
            longest = candidate.end - candidate.start
            begins_answer = has_right_type or not text[: candidate.start].strip(_FENCE_CHARACTERS)
            start = candidate.start if begins_answer else None
            longest_invalid = ExtractedJSON(
                json_text if has_right_type else None, _problems(errors) or [_NO_JSON], start
            )
    if len(values) > 1:
        return ExtractedJSON(None, [_SEVERAL_VALUES], valid[0].start)
    if valid:
        return valid[-1]
    if longest_invalid is None and found.candidates:
        return ExtractedJSON(None, [_IS_THE_SCHEMA], found.candidates[0].start)
    return longest_invalid or ExtractedJSON(None, [_NO_JSON])


def _copies_of_schema(json_format: JSONFormat) -> tuple[object, ...]:
    """Return the caller's schema in the forms in which a model may repeat it."""
    return (json_format.schema, compact_schema(json_format.schema)) if json_format.has_schema else ()


def _problems(errors: list[str]) -> list[str]:
    return [f"- {error}" for error in errors[:_MAX_PROBLEMS]]


def _text_of_value(text: str, candidate: Candidate, value: object) -> str:
    """Return the text of a value in the answer if it needed no correction or coercion, else its JSON."""
    json_text = text[candidate.start : candidate.end]
    return json_text if parse_json(json_text) == value else compact_json(value)
