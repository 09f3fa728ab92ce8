"""A simulated model that does what the prompt asks for, so that emulation works without a script.

It reads the instructions of `docs/emulation.md` from the messages, as any model does. It calls a function
that the question mentions, or one that it must call, answers JSON where that is asked for, and answers in
text once it has results. It understands nothing: the values are words and numbers of the question.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from tess_openai.core.jsons import JSONObject, parse_json, to_list, to_object
from tess_openai.testing.agent_runs import read_messages

_MARKS: Final = re.compile(r"within (<\S+?>)(</\S+?>) XML tags")
_RESULT: Final = re.compile(r"<result:\w+>\s*(.*?)\s*</result:\w+>", re.DOTALL)
_DEMANDED: Final = re.compile(r"You must call (?:a function|the function (\S+)) now\.")
_PLAIN_INPUT: Final = re.compile(r"To call (.+?), write no JSON")
_SCHEMA: Final = re.compile(r"follows this JSON Schema, and nothing else[^\n]*\n([^\n]+)")
_ANY_OBJECT: Final = "Answer with one JSON object and nothing else"
_QUOTED: Final = re.compile(r"[\"'\u201c\u2018](.+?)[\"'\u201d\u2019]")
_NAME: Final = re.compile(r"(?<=\s)[A-Z\u00c0-\u00de][\w-]+(?: [A-Z\u00c0-\u00de][\w-]+)*")
_NUMBER: Final = re.compile(r"-?\d+(?:\.\d+)?")
_FORMATS: Final = {
    "date": "2026-11-26",
    "date-time": "2026-11-26T12:00:00Z",
    "time": "12:00:00Z",
    "email": "anna@example.com",
    "uri": "https://example.com",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}
_DEEPEST: Final = 12


def obey(body: JSONObject) -> str:
    """Return what an obedient model answers to the messages of a request."""
    messages = read_messages(body)
    instructions = "\n".join(text for _, text in messages)
    last = messages[-1][1] if messages else ""
    results = _RESULT.findall(last)
    question = next(
        (text for role, text in reversed(messages) if role == "user" and not _RESULT.search(text)), ""
    )
    call = None if results else _call(instructions, question)
    if call is not None:
        return call
    given = " ".join([question, *results])
    schema = _last_schema(instructions)
    if schema is not None:
        return json.dumps(_value(schema, schema, "", _Words(given)), ensure_ascii=False)
    if _ANY_OBJECT in instructions:
        return json.dumps({"answer": given.strip()}, ensure_ascii=False)
    if results:
        return "The results are: " + " ".join(line for each in results for line in each.splitlines() if line)
    return f"You wrote: {question}"


def _call(instructions: str, question: str) -> str | None:
    """Return the block of a call; None where no function is offered, demanded or mentioned."""
    marks = _MARKS.search(instructions)
    functions = _functions(instructions)
    if marks is None or not functions:
        return None
    demanded = _DEMANDED.search(instructions)
    chosen = max(functions, key=lambda each: _likeness(each, question))
    if demanded is not None and demanded[1]:
        chosen = next((each for each in functions if each["name"] == demanded[1]), chosen)
    if demanded is None and not _likeness(chosen, question):
        return None
    name = chosen["name"]
    plain = _PLAIN_INPUT.search(instructions)
    if plain is not None and name in re.split(r",\s*|\s+and\s+", plain[1]):
        content = f"{name}\n{question}"
    else:
        schema = to_object(chosen.get("parameters")) or {}
        arguments = _value({"type": "object", **schema}, schema, "", _Words(question))
        content = json.dumps({"name": name, "arguments": arguments}, ensure_ascii=False)
    return f"{marks[1]}\n{content}\n{marks[2]}"


def _functions(instructions: str) -> list[JSONObject]:
    """Return the functions in the instructions, of which each is one line of JSON."""
    found: list[JSONObject] = []
    for line in instructions.splitlines():
        offered = to_object(parse_json(line)) if line.startswith("{") else None
        kind = (offered or {}).get("type")
        function = to_object((offered or {}).get(kind)) if isinstance(kind, str) else None
        if function is not None and isinstance(function.get("name"), str):
            found.append(function)
    return found


def _likeness(function: JSONObject, question: str) -> int:
    """Return how many words of the question occur in the name and the description of a function."""
    described = set(re.findall(r"[a-z]{3,}", f"{function['name']} {function.get('description')}".lower()))
    return len(described & set(re.findall(r"[a-z]{4,}", question.lower())))


def _last_schema(instructions: str) -> JSONObject | None:
    """Return the last schema that an answer is asked to follow."""
    schemas = [to_object(parse_json(found)) for found in _SCHEMA.findall(instructions)]
    return next((each for each in reversed(schemas) if each is not None), None)


class _Words:
    """The names, quotes and numbers of a text, used in turn."""

    def __init__(self, text: str) -> None:
        words = re.findall(r"[\w-]+", text)
        self._texts = [*_QUOTED.findall(text), *_NAME.findall(text)] or words[-1:] or ["something"]
        self._numbers = _NUMBER.findall(text) or ["1"]
        self._taken = [0, 0]

    def text(self) -> str:
        """Return the next text."""
        return self._next(0, self._texts)

    def number(self) -> float:
        """Return the next number."""
        return float(self._next(1, self._numbers))

    def _next(self, kind: int, found: Sequence[str]) -> str:
        self._taken[kind] += 1
        return found[(self._taken[kind] - 1) % len(found)]


def _value(schema: JSONObject, root: JSONObject, name: str, words: _Words, depth: int = 0) -> Any:  # noqa: ANN401 - JSON
    """Return a value that follows the usual keywords of a schema."""
    schema = _resolved(schema, root)
    if "const" in schema:
        return schema["const"]
    choices = to_list(schema.get("enum"))
    if choices:
        return choices[0]
    for keyword in ("anyOf", "oneOf", "allOf"):
        if parts := to_list(schema.get(keyword)):
            return (
                _value(to_object(parts[0]) or {}, root, name, words, depth + 1) if depth < _DEEPEST else None
            )
    kind = schema.get("type")
    kinds = to_list(kind) or [kind]
    if "object" in kinds or "properties" in schema:
        return _object(schema, root, words, depth)
    if "array" in kinds:
        count = max(1, _number(schema.get("minItems"), 1))
        items = to_object(schema.get("items")) or {"type": "string"}
        return (
            [_value(items, root, name, words, depth + 1) for _ in range(min(count, 5))]
            if depth < _DEEPEST
            else []
        )
    if "integer" in kinds or "number" in kinds:
        return _limited(words.number(), schema, is_whole="integer" in kinds)
    if "boolean" in kinds:
        return True
    return None if kinds == ["null"] else _text(schema, words)


def _object(schema: JSONObject, root: JSONObject, words: _Words, depth: int) -> JSONObject:
    properties = to_object(schema.get("properties")) or {}
    required = [str(each) for each in to_list(schema.get("required")) or []]
    wanted = required if depth < _DEEPEST else []
    return {
        each: _value(to_object(properties.get(each)) or {}, root, each, words, depth + 1) for each in wanted
    }


def _text(schema: JSONObject, words: _Words) -> str:
    if (shown := _FORMATS.get(str(schema.get("format")))) is not None:
        return shown
    text = words.text()
    return text.ljust(_number(schema.get("minLength"), 0), ".")[
        : _number(schema.get("maxLength"), len(text) or 1)
    ]


def _limited(number: float, schema: JSONObject, *, is_whole: bool) -> float | int:
    least, most = schema.get("minimum"), schema.get("maximum")
    number = max(number, least) if isinstance(least, int | float) else number
    number = min(number, most) if isinstance(most, int | float) else number
    return int(number) if is_whole or number == int(number) else number


def _resolved(schema: JSONObject, root: JSONObject) -> JSONObject:
    """Follow references within the schema, `#/$defs/Name`."""
    for _ in range(_DEEPEST):
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#"):
            break
        target: object = root
        for part in reference.lstrip("#").strip("/").split("/") if reference != "#" else []:
            target = (to_object(target) or {}).get(part.replace("~1", "/").replace("~0", "~"))
        schema = to_object(target) or {}
    return schema


def _number(given: object, default: int) -> int:
    return given if isinstance(given, int) and not isinstance(given, bool) else default
