"""Tells a model in words which functions there are and how to call them."""

from __future__ import annotations

from inspect import cleandoc
from typing import Final

from tess_openai.core.emulate.marks import Marks, escape
from tess_openai.core.emulate.offers import Offer, OfferedFunction
from tess_openai.core.emulate.prompts import Prompts, fill
from tess_openai.core.emulate.strict_json import compact_json
from tess_openai.core.jsons import JSONObject, to_list, to_object

_MAX_SCHEMA_DEPTH: Final = 64
_NOISE: Final = frozenset({"title", "$schema", "$id"})
_SCHEMA_MAPS: Final = frozenset(
    {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
)
_LITERALS: Final = frozenset({"enum", "const", "default", "examples", "required"})
_INSTRUCTION_ROLES: Final = frozenset({"system", "developer"})


def compact_schema(schema: object, depth: int = 0) -> object:
    """Return a JSON Schema without what tells a model nothing: titles, identifiers, closedness."""
    if depth > _MAX_SCHEMA_DEPTH:
        return schema
    if (items := to_list(schema)) is not None:
        return [compact_schema(item, depth + 1) for item in items]
    members = to_object(schema)
    if members is None:
        return schema
    compact: JSONObject = {}
    for key, value in members.items():
        named = to_object(value) if key in _SCHEMA_MAPS else None
        if (key in _NOISE and isinstance(value, str)) or (key == "additionalProperties" and value is False):
            continue
        if named is not None:
            compact[key] = {name: compact_schema(inner, depth + 1) for name, inner in named.items()}
        else:
            compact[key] = value if key in _LITERALS else compact_schema(value, depth + 1)
    return compact


def functions_text(offer: Offer, marks: Marks, prompts: Prompts) -> str:
    """Return what the system message says about functions."""
    if offer.demand == "none":
        return fill(prompts.no_functions, **_marks(marks))
    if offer.demand == "auto":
        rules = [prompts.auto]
    elif offer.is_named:
        rules = [fill(prompts.named, name=escape(next(iter(offer.functions))))]
    else:
        rules = [prompts.required]
    rules.append(prompts.several_calls if offer.allows_several else prompts.one_call)
    lines = "\n".join(escape(_function_line(function)) for function in offer.functions.values())
    return fill(prompts.functions, functions=lines, rules="\n".join(rules), **_marks(marks))


def _marks(marks: Marks) -> dict[str, str]:
    return {
        "open": marks.open,
        "close": marks.close,
        "result_open": marks.result_open,
        "result_close": marks.result_close,
    }


def _function_line(function: OfferedFunction) -> str:
    line: JSONObject = {"name": function.name}
    if function.description:
        line["description"] = cleandoc(function.description)
    line["parameters"] = compact_schema(function.parameters)
    return compact_json(line)


def with_instructions(messages: list[object], text: str) -> list[object]:
    """Return the messages with `text` at the end of the first one, if that instructs, else before it.

    One system message is what every example of Tess shows; what two do is unknown.
    """
    first = to_object(messages[0]) if messages else None
    if first is None or first.get("role") not in _INSTRUCTION_ROLES:
        return [{"role": "system", "content": text}, *messages]
    content = first.get("content")
    parts = to_list(content)
    joined = (
        [*parts, {"type": "text", "text": text}]
        if parts is not None
        else f"{content}\n\n{text}"
        if isinstance(content, str) and content
        else text
    )
    return [{**first, "content": joined}, *messages[1:]]
