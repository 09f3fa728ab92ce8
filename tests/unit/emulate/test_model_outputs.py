"""A table of what models write, well or badly or with bad intent, and what the adapter makes of each."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.outcomes import AskAgain, FailedOutcome, Outcome, TextOutcome, ToolCallOutcome

TABLE = Path(__file__).with_name("model_outputs.txt")


@dataclass(frozen=True)
class Case:
    """One entry of the table."""

    title: str
    request: dict[str, Any]
    output: str
    expected: list[str]


def parse_table(text: str) -> Iterator[Case]:
    """Read the table; its head says how it is written."""
    for entry in text.split("\n== ")[1:]:
        head, _, rest = entry.partition("\n--\n")
        title, _, request = head.partition("\n? ")
        output, _, result = rest.partition(">>\n")
        expected = [line for line in result.splitlines() if line and not line.startswith("########")]
        yield Case(title, json.loads(request or "{}"), output.removesuffix("\n"), expected)


CASES = list(parse_table(TABLE.read_text(encoding="utf-8")))


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def describe(shown: str, outcome: Outcome) -> list[str]:
    """Say what comes of an answer, in the words of the table."""
    if isinstance(outcome, AskAgain):
        before = shown + outcome.text
        fallback = describe(before, outcome.fallback)
        lines = [] if not before else [f"before {_quoted(before)}"]
        asked = f"asks {_quoted(outcome.change.given)}"
        return [*lines, asked, *(f"else {line}" for line in fallback if not line.startswith("before "))]
    if isinstance(outcome, FailedOutcome):
        return [f"fails {outcome.refused.code}"]
    text = shown + outcome.text
    if isinstance(outcome, ToolCallOutcome):
        calls = [f"calls {call.name} {json.loads(call.arguments)!r}" for call in outcome.calls]
        return [f"before {_quoted(text)}", *calls] if text else calls
    reply = f"refuses {_quoted(outcome.refusal)}" if outcome.refusal is not None else f"says {_quoted(text)}"
    return [reply] if outcome.finish_reason is None else [reply, f"ends {outcome.finish_reason}"]


def normal(line: str) -> str:
    """Return a line of the table with its arguments written as `describe` writes them."""
    head, verb, call = line.partition("calls ")
    if not verb or head not in {"", "else "}:
        return line
    name, _, arguments = call.partition(" ")
    return f"{head}{verb}{name} {json.loads(arguments)!r}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
def test_an_output_of_a_model(case: Case, make_emulation: Callable[..., Emulation]) -> None:
    """What the caller gets is what the table says, whole or letter by letter."""
    expected = [normal(line) for line in case.expected]
    for pieces in ([case.output], list(case.output)):
        reader = AnswerReader(make_emulation(**json.loads(json.dumps(case.request))))
        shown = "".join([reader.feed(piece) for piece in pieces])
        assert describe(shown, reader.finish()) == expected


def test_the_table_is_long_enough_and_names_each_case_once() -> None:
    """The table keeps its breadth."""
    titles = [case.title for case in CASES]
    assert len(titles) >= 150
    assert len(set(titles)) == len(titles)


def test_marks_never_reach_the_caller(make_emulation: Callable[..., Emulation]) -> None:
    """No text for the caller has a valid mark, unless the mark had a tilde."""
    for case in CASES:
        emulation = make_emulation(**json.loads(json.dumps(case.request)))
        reader = AnswerReader(emulation)
        shown = reader.feed(case.output)
        outcome = reader.finish()
        settled = outcome.fallback if isinstance(outcome, AskAgain) else outcome
        text = shown + ("" if isinstance(settled, FailedOutcome) else settled.text)
        text += settled.refusal or "" if isinstance(settled, TextOutcome) else ""
        if "<~" not in case.output:
            assert emulation.marks.nonce not in text.lower(), case.title
