"""The table "framework x capability": what the tests showed, how it is stored, how a page shows it."""

from __future__ import annotations

import importlib.metadata
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pytest

ROOT: Final = Path(__file__).parents[2]
RECORDS: Final = ROOT / "docs" / "frameworks" / "results"
PAGE: Final = ROOT / "docs" / "frameworks" / "index.md"
BEGIN: Final = "<!-- the table: written by `make frameworks ARGS=--record`, checked by the tests -->"
END: Final = "<!-- the end of the table -->"

Column = Literal[
    "chat",
    "stream",
    "async",
    "several turns",
    "errors",
    "structured output",
    "tool loop",
    "ledger",
    "warning",
    "responses chat",
    "responses stream",
    "responses tool loop",
    "responses structured output",
    "responses three turns",
]
COLUMNS: Final[Mapping[Column, str]] = {
    "chat": "Chat",
    "stream": "Stream",
    "async": "Async",
    "several turns": "Several turns",
    "errors": "Errors",
    "structured output": "Structured output",
    "tool loop": "Tool loop",
    "ledger": "Ledger on the answer",
    "warning": "Warning at your line",
}
RESPONSES_COLUMNS: Final[Mapping[Column, str]] = {
    "responses chat": "Chat",
    "responses stream": "Stream",
    "responses tool loop": "Tool loop",
    "responses structured output": "Structured output",
    "responses three turns": "Three turns, by `previous_response_id`",
}
ALL_COLUMNS: Final = (*COLUMNS, *RESPONSES_COLUMNS)
FRAMEWORKS: Final = {
    "langchain": ("LangChain", "langchain-openai", "langchain.md"),
    "llama_index": ("LlamaIndex", "llama-index-llms-openai-like", "llama-index.md"),
    "openai_agents": ("OpenAI Agents SDK", "openai-agents", "openai-agents.md"),
    "pydantic_ai": ("Pydantic AI", "pydantic-ai-slim", "pydantic-ai.md"),
    "instructor": ("Instructor", "instructor", "instructor.md"),
    "litellm": ("LiteLLM", "litellm", "litellm.md"),
    "crewai": ("CrewAI", "crewai", "crewai.md"),
    "openai_module": ("`openai.*`", "openai", "any-other.md"),
}
"""Test file: name, the distribution whose version is shown, page."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell, as a test shows it.

    Attributes:
        column: What was tried.
        gives: Whether the program gets what it asks for.
        emulated: Whether under emulation.
        note: What happens instead, and why; shown below the table.
    """

    column: Column
    gives: bool = True
    emulated: bool = False
    note: str = ""

    def __post_init__(self) -> None:
        if self.column not in ALL_COLUMNS:
            raise ValueError(f"no such column: {self.column!r}")
        if not self.gives and not self.note:
            raise ValueError("a cell that is not given needs its reason")


RESULTS: Final = pytest.StashKey[dict[Cell, str]]()


def to_record(framework: str, cells: list[Cell]) -> dict[str, Any]:
    """Return a framework's row as it is stored."""
    name, distribution, page = FRAMEWORKS[framework]
    reported = {
        f"{cell.column}{', emulated' if cell.emulated else ''}": {"gives": cell.gives, "note": cell.note}
        for cell in sorted(cells, key=lambda cell: (ALL_COLUMNS.index(cell.column), cell.emulated))
    }
    versions = {each: importlib.metadata.version(each) for each in dict.fromkeys((distribution, "openai"))}
    return {"name": name, "page": page, "versions": versions, "cells": reported}


def render(records: list[dict[str, Any]]) -> str:
    """Return the two tables, of chat and of the Responses API, and their notes, in Markdown."""
    notes: list[str] = []
    chat = _table(records, COLUMNS, notes)
    responses = _table(records, RESPONSES_COLUMNS, notes)
    numbered = [f"{number}. {note}" for number, note in enumerate(notes, 1)]
    return "\n".join([*chat, "", "Over the Responses API:", "", *responses, "", *numbered])


def _table(records: list[dict[str, Any]], columns: Mapping[Column, str], notes: list[str]) -> list[str]:
    lines = [f"| | {' | '.join(columns.values())} |", "|---|" + "---|" * len(columns)]
    for record in records:
        version = next(iter(record["versions"].values()))
        row = [f"[{record['name']}]({record['page']}) {version}"]
        row += [_cell_text(record["cells"], column, notes) for column in columns]
        lines.append(f"| {' | '.join(row)} |")
    return lines


def _cell_text(cells: Mapping[str, Mapping[str, Any]], column: str, notes: list[str]) -> str:
    plain, emulated = cells.get(column), cells.get(f"{column}, emulated")
    reported = [each for each in (plain, emulated) if each is not None]
    marks: list[str] = []
    for each in reported:
        if each["note"]:
            if each["note"] not in notes:
                notes.append(each["note"])
            marks.append(str(notes.index(each["note"]) + 1))
    if plain is not None and plain["gives"]:
        text = "yes"
    elif emulated is not None and emulated["gives"]:
        text = "emulated"
    else:
        text = "no" if reported else "not tried"
    return f"{text} <sup>{' '.join(marks)}</sup>" if marks else text


def with_table(page: str) -> str:
    """Return the page with the table of the stored rows between its marks."""
    files = [RECORDS / f"{framework}.json" for framework in FRAMEWORKS]
    table = render([json.loads(file.read_text()) for file in files if file.exists()])
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n\n{table}\n\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
