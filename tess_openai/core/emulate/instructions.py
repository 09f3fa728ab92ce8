"""Write the instructions about functions and how to call them; add instructions and notes to messages."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import cleandoc
from typing import Final

from tess_openai.core.emulate.marks import Marks, escape
from tess_openai.core.emulate.offers import Offer, OfferedFunction
from tess_openai.core.emulate.schema_examples import example_value
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.prompts import Prompts, fill
from tess_openai.core.schemas.schema_checker import SchemaChecker
from tess_openai.core.strict_json import compact_json

_MAX_SCHEMA_DEPTH: Final = 64
_OMITTED_KEYS: Final = frozenset({"title", "$schema", "$id"})
_KEYWORDS_WITH_NAMED_SCHEMAS: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)
_VALUE_KEYWORDS: Final = frozenset({"enum", "const", "default", "examples", "required"})
_MAX_EXAMPLES: Final = 8
_MAX_EXAMPLE_LENGTH: Final = 115
_EXAMPLE_LINES: Final = "\n{open}\n{example}\n{close}"
_INSTRUCTION_ROLES: Final = ("system", "developer")


def compact_schema(schema: object, depth: int = 0) -> object:
    """Return a JSON Schema without parts that do not help a model, such as titles and identifiers.

    `additionalProperties: false` is left out too; `Prompts.no_other_keys` expresses it in words.
    """
    if depth > _MAX_SCHEMA_DEPTH:
        return schema
    if (items := to_list(schema)) is not None:
        return [compact_schema(item, depth + 1) for item in items]
    members = to_object(schema)
    if members is None:
        return schema
    compact: JSONObject = {}
    for key, value in members.items():
        named = to_object(value) if key in _KEYWORDS_WITH_NAMED_SCHEMAS else None
        if (key in _OMITTED_KEYS and isinstance(value, str)) or (
            key == "additionalProperties" and value is False
        ):
            continue
        if named is not None:
            compact[key] = {name: compact_schema(inner, depth + 1) for name, inner in named.items()}
        else:
            compact[key] = value if key in _VALUE_KEYWORDS else compact_schema(value, depth + 1)
    return compact


def forbids_other_keys(schema: JSONObject) -> bool:
    """Whether any part of a schema has `additionalProperties: false`."""
    return '"additionalProperties":false' in compact_json(schema)


def functions_text(
    offer: Offer,
    marks: Marks,
    prompts: Prompts,
    checker: SchemaChecker,
    *,
    has_results: bool = False,
    has_calls: bool = False,
) -> str:
    """Return the part of the system message about functions; `""` when there is nothing to say about them.

    Args:
        offer: The functions.
        marks: The marks of the request.
        prompts: The texts.
        checker: Checks the example against the JSON Schema of its function.
        has_results: Whether the conversation contains results. Only then are the marks of results explained,
            since a small model that sees these marks tends to write a result itself.
        has_calls: Whether the conversation contains calls. They replace the example.
    """
    marks_of_request = {
        "open": marks.open,
        "close": marks.close,
        "result_open": marks.result_open,
        "result_close": marks.result_close,
    }
    if offer.tool_choice == "none" and not (has_results or has_calls):
        return ""
    results = [fill(prompts.results, **marks_of_request)] if has_results else []
    if offer.tool_choice == "none":
        return _without_blank_lines(fill(prompts.no_functions, rules="\n".join(results), **marks_of_request))
    functions = list(offer.functions.values())
    return _without_blank_lines(
        fill(
            prompts.functions.replace(_EXAMPLE_LINES, "") if has_calls else prompts.functions,
            functions="\n".join(escape(_function_line(function)) for function in functions),
            example=escape(_example(functions, checker)),
            rules=" ".join(rule for rule in (*_rules(offer, prompts), *results) if rule),
            **marks_of_request,
        )
    )


def _rules(offer: Offer, prompts: Prompts) -> Iterator[str]:
    if offer.tool_choice == "auto":
        yield prompts.auto
    elif offer.is_named:
        yield fill(prompts.named, name=escape(next(iter(offer.functions))))
    else:
        yield prompts.required
    yield prompts.several_calls if offer.allows_several else prompts.one_call
    custom = [function.name for function in offer.functions.values() if function.is_custom]
    if custom:
        yield fill(prompts.custom_tools, names=escape(", ".join(custom)))
    if any(forbids_other_keys(function.parameters) for function in offer.functions.values()):
        yield prompts.no_other_keys


def _example(functions: list[OfferedFunction], checker: SchemaChecker) -> str:
    """Return an example call of the first function for which a short and valid one can be made.

    If there is none among the first functions, the example is a call of the first one with an invented
    argument.
    """
    for function in functions[:_MAX_EXAMPLES]:
        if function.is_custom:
            return f"{function.name}\nsome input"
        arguments = example_value(function.parameters, function.name)
        example = call_text(function.name, compact_json(arguments))
        if len(example) <= _MAX_EXAMPLE_LENGTH and not checker.check(function.parameters, arguments):
            return example
    return call_text(functions[0].name, '{"argument":"value"}')


def call_text(name: str, arguments: str) -> str:
    """Return the text that is written between the marks of a call; `arguments` are JSON."""
    return f'{{"name": {compact_json(name)}, "arguments": {arguments}}}'


def _without_blank_lines(text: str) -> str:
    """Return a text without the blank lines that remain at its end after an empty placeholder."""
    return text.rstrip("\n")


def _function_line(function: OfferedFunction) -> str:
    """Return the line that describes a function, in OpenAI's form: a model does not mistake it for a call."""
    described: JSONObject = {"name": function.name}
    if function.description:
        described["description"] = cleandoc(function.description)
    if not function.is_custom:
        described["parameters"] = compact_schema(function.parameters)
    elif function.grammar is not None:
        described["grammar"] = function.grammar
    kind = "custom" if function.is_custom else "function"
    return compact_json({"type": kind, kind: described})


def with_note(messages: list[object], note: str) -> list[object]:
    """Append a note to the last message if that is the user's, else add it as a new message."""
    last = to_object(messages[-1]) if messages else None
    if last is None or last.get("role") != "user":
        return [*messages, {"role": "user", "content": note}]
    return [*messages[:-1], _with_text(last, note)]


def with_instructions(messages: list[object], text: str) -> list[object]:
    """Append a text to the first message if its role is system or developer, else add a first system message.

    Every example in the Tess docs has at most one system message; the effect of two is unknown.
    """
    if not _begins_with_instructions(messages):
        return [{"role": "system", "content": text}, *messages]
    return [_with_text(to_object(messages[0]) or {}, text), *messages[1:]]


def after_instructions(messages: list[object]) -> list[object]:
    """Return the messages without the first one if its role is system or developer."""
    return messages[1:] if _begins_with_instructions(messages) else messages


def _begins_with_instructions(messages: list[object]) -> bool:
    first = to_object(messages[0]) if messages else None
    return first is not None and first.get("role") in _INSTRUCTION_ROLES


def _with_text(message: JSONObject, text: str) -> JSONObject:
    """Return a message with a text appended to its content, which may be a list of parts."""
    content = message.get("content")
    if (parts := to_list(content)) is not None:
        return {**message, "content": [*parts, {"type": "text", "text": text}]}
    return {**message, "content": f"{content}\n\n{text}" if isinstance(content, str) and content else text}
