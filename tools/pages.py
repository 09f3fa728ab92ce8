"""Renew the tables of docs/ that are made from the code; `make pages` runs this program.

A table is placed in its page between `<!-- made by make pages: NAME -->` and `<!-- end -->`. The tables of
requests are made by translating requests, and those of errors by letting the simulator cause the errors.
"""

from __future__ import annotations

import inspect
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final

import error_tables
import fault_tables
import langchain_responses
import room_tables
import translation_tables
from markdown_tables import code, escaped, table

from tess_openai import TessOptions, TessWarning
from tess_openai.client_options import OPTIONS
from tess_openai.core.routes import OTHER_ENDPOINTS

DOCS: Final = Path(__file__).parents[1] / "docs"
MADE: Final = re.compile(
    r"(?P<begin><!-- made by make pages: (?P<name>[a-z ]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL
)


def rewritten(page: str) -> str:
    """Return a page with every table renewed.

    Raises:
        KeyError: There is no such table.
    """
    return MADE.sub(lambda mark: f"{mark['begin']}\n{TABLES[mark['name']]()}\n\n{mark['end']}", page)


def options() -> str:
    """List the options of the factories."""
    _, _, attributes = inspect.cleandoc(str(TessOptions.__doc__)).partition("Attributes:")
    described = re.split(r"^ {4}(\w+): ", attributes, flags=re.MULTILINE)
    meanings = dict(zip(described[1::2], described[2::2], strict=True))
    return table(
        ("option", "default", "else", "meaning"),
        (
            (
                code(name),
                code(repr(option.default)),
                code(option.variable) if option.variable else "",
                escaped(" ".join(meanings[name].split())),
            )
            for name, option in OPTIONS.items()
        ),
    )


def endpoints() -> str:
    """List the endpoints of OpenAI's that Tess does not have."""
    return ", ".join(code(f"/{name}") for name in sorted(OTHER_ENDPOINTS)) + "."


def warning_categories() -> str:
    """List the categories of warnings."""
    categories = sorted(TessWarning.__subclasses__(), key=lambda category: category.__name__)
    summaries = (inspect.cleandoc(str(category.__doc__)).splitlines()[0] for category in categories)
    names = (code(category.__name__) for category in categories)
    return table(("category", "it says"), zip(names, summaries, strict=True))


TABLES: Final[dict[str, Callable[[], str]]] = {
    "options": options,
    "rooms": room_tables.rooms,
    "rooms of the core": room_tables.core_rooms,
    "langchain responses": langchain_responses.describe,
    "parameters": translation_tables.parameters,
    "policy names": translation_tables.policy_names,
    "responses names": translation_tables.responses_names,
    "responses parameters": translation_tables.responses_parameters,
    "completions parameters": translation_tables.completions_parameters,
    "temperature": translation_tables.temperature,
    "tools": translation_tables.tools,
    "messages": translation_tables.messages,
    "endpoints": endpoints,
    "warnings": warning_categories,
    "errors": error_tables.errors,
    "lost answers": lambda: table(fault_tables.LOST_ANSWERS_HEAD, fault_tables.lost_answers()),
    "statuses": lambda: table(fault_tables.STATUSES_HEAD, fault_tables.statuses()),
}


def main() -> None:
    """Renew every page."""
    os.environ.pop("TESS_WORKSPACE_ID", None)  # one of the errors is a missing workspace
    for path in sorted(DOCS.rglob("*.md")):
        page = path.read_text(encoding="utf-8")
        renewed = rewritten(page)
        if renewed != page:
            path.write_text(renewed, encoding="utf-8")
            print(f"renewed {path.relative_to(DOCS.parent)}")


if __name__ == "__main__":
    main()
