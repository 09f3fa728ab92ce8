"""The option `--field NAME=VALUE`: fields that an agent requires."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tess_openai.cli.error_messages import ProblemError
from tess_openai.core.agents import Agent
from tess_openai.core.jsons import JSONObject, parse_json

FieldOption = Annotated[
    list[str] | None,
    typer.Option("--field", metavar="NAME=VALUE", help="A field of the agent's form; repeatable."),
]


def read_fields(given: Sequence[str] | None) -> JSONObject:
    """Parse the options: a value is JSON where it is JSON, else the text itself.

    Raises:
        ProblemError: An option is not `NAME=VALUE`.
    """
    fields: JSONObject = {}
    for text in given or ():
        name, separator, value = text.partition("=")
        if not separator or not name:
            raise ProblemError(f"--field is {text!r}; it must be NAME=VALUE")
        parsed = parse_json(value)
        fields[name] = value if parsed is None else parsed
    return fields


def missing_fields(agent: Agent, given: JSONObject) -> list[str]:
    """Return the names of the required fields that are not given."""
    return [question.name for question in agent.required if question.name not in given]
