"""Describe when langchain-openai chooses the Responses API, from the source of the installed release.

The lists are read from its code. The conditions around them are described here by hand, so a release with
another condition is an error: a developer has to read the condition and describe it.
"""

from __future__ import annotations

import ast
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import Final

SETTINGS: Final = {
    "context_management": "given",
    "include": "given",
    "model_name": "see the first row",
    "output_version": '`"responses/v1"`',
    "reasoning": "given",
    "truncation": "given",
    "use_previous_response_id": "`True`",
    "use_responses_api": "`True`; `False` keeps it on chat completions whatever else is set",
}
"""The fields of `ChatOpenAI` that its choice depends on, and the values that choose Responses."""

MODEL_WITH_TOOLS: Final = "gpt-6"
"""The prefix of the models that choose Responses when tools are bound."""


def describe() -> str:
    """Return the table of the page on LangChain."""
    return table_of(installed_source(), importlib.metadata.version("langchain-openai"))


def table_of(source: str, version: str) -> str:
    """Return the table of a release.

    Raises:
        ValueError: The release decides by something that is not described here.
    """
    tree = ast.parse(source)
    method = _function(tree, "_use_responses_api", is_method=True)
    fields = {name for node in ast.walk(method) if (name := _field(node))}
    by_name = _function(tree, "_model_prefers_responses_api")
    anywhere = [text for text in _texts(by_name) if text]
    if fields != set(SETTINGS) or MODEL_WITH_TOOLS not in _texts(method) or len(anywhere) != 1:
        raise ValueError("langchain-openai chooses the Responses API by other conditions now: describe them")
    prefixes = _constant(tree, "_RESPONSES_API_ONLY_PREFIXES")
    arguments = _longest_set(_function(tree, "_use_responses_api"))
    settings = [f"`{name}`: {value}" for name, value in SETTINGS.items() if name != "model_name"]
    rows = [
        ("the model's name begins with", ", ".join(f"`{name}`" for name in prefixes)),
        ("the model's name contains", f"`{anywhere[0]}`"),
        ("tools are bound, and the model's name begins with", f"`{MODEL_WITH_TOOLS}`"),
        ("a tool of OpenAI's own is bound", 'every tool whose `type` is not `"function"`'),
        ("a setting of `ChatOpenAI`", "<br>".join(settings)),
        ("an argument of a call, also by `bind` or `model_kwargs`", _listed(arguments)),
    ]
    lines = [f"| langchain-openai {version} chooses Responses by | |", "|---|---|"]
    return "\n".join([*lines, *(f"| {what} | {values} |" for what, values in rows)])


def installed_source() -> str:
    """Return the module of langchain-openai that chooses."""
    found = importlib.util.find_spec("langchain_openai")
    if found is None or found.origin is None:
        raise ValueError("langchain-openai is not installed")
    return (Path(found.origin).parent / "chat_models" / "base.py").read_text(encoding="utf-8")


def _function(tree: ast.Module, name: str, *, is_method: bool = False) -> ast.FunctionDef:
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.name == name]
    return next(each for each in functions if (each.args.args[0].arg == "self") is is_method)


def _field(node: ast.AST) -> str:
    """Return the name in `self.name`; `""` for everything else."""
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "self":
        return "" if node.attr.startswith("_") else node.attr
    return ""


def _texts(node: ast.AST) -> list[str]:
    constants = (each.value for each in ast.walk(node) if isinstance(each, ast.Constant))
    return [value for value in constants if isinstance(value, str)]


def _constant(tree: ast.Module, name: str) -> tuple[str, ...]:
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == [name]:
            return tuple(_texts(node.value))
    raise ValueError(f"langchain-openai has no {name} any more")


def _longest_set(function: ast.FunctionDef) -> list[str]:
    sets = [sorted(_texts(node)) for node in ast.walk(function) if isinstance(node, ast.Set)]
    return max(sets, key=len)


def _listed(names: list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
