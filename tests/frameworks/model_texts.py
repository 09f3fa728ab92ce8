"""What models write, well or badly, and what the program behind a framework must get of it.

One row for each kind of answer that function calls and JSON by emulation meet. The same rows run through each
framework, streamed and whole. In a text `{open}` and `{close}` stand for the marks of the request.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from pydantic import BaseModel

from tess_openai.testing import TessSimulator

GOOD: Final[dict[str, Any]] = {"path": "C:\\new", "content": 'a "b"\nc'}
DONE: Final = "It is written."
CALL: Final = '{open}\n{"name": "write", "arguments": %s}\n{close}'
GOOD_CALL: Final = CALL % r'{"path": "C:\\new", "content": "a \"b\"\nc"}'
TWICE: Final = 2
_NONCE: Final = re.compile(r"<call:(\w+)>")
_INSIDE: Final = '{open}{"name": "write", "arguments": {}}{close}'


class Place(BaseModel):
    """A place."""

    name: str
    size: int


@dataclass(frozen=True)
class Row:
    """One kind of answer.

    Attributes:
        kind: What the model does.
        answers: What it writes, one text for each request, before it is given the result of a call.
        arguments: What the function is called with; None where no call may be made.
        text: What the program gets where no call may be made.
    """

    kind: str
    answers: tuple[str, ...]
    arguments: dict[str, Any] | None = None
    text: str = DONE


def _asked(kind: str, answer: str) -> Row:
    """Return a row whose first answer has two readings: the model is asked again."""
    return Row(kind, (answer, GOOD_CALL), GOOD)


def _called(kind: str, answer: str, **more: Any) -> Row:
    """Return a row whose answer has one reading: the function is called, at no further request."""
    return Row(kind, (answer,), {**GOOD, **more})


def _with(argument: str) -> str:
    """Return the good call with one more argument."""
    return GOOD_CALL.replace("}}", f", {argument}}}}}")


CALLS: Final = (
    _asked("an invalid escape", CALL % r'{"path": "D:\data\new", "content": "x"}'),
    _asked("quotes that are not escaped", CALL % '{"path": "a", "content": "<a b="c" d="e">t</a>"}'),
    _asked("keys without quotes", CALL % "{path: a, b, content: c}"),
    Row(
        "a call while thinking",
        ("<think>" + CALL % '{"path": "a", "content": "b"}' + " is unconfirmed.</think>\nPlease confirm.",),
        None,
        "Please confirm.",
    ),
    _asked(
        "a call that is taken back", CALL % '{"path": "a", "content": "b"}' + " But shall I do that? Say so."
    ),
    _asked(
        "a mark that is missing",
        'Ok.\n{"name": "write", "arguments": {"path": "a", "content": "b"}}\n{close}',
    ),
    _asked(
        "a native form",
        '<tool_call>\n{"name": "write", "arguments": {"path": "a", "content": "b"}}\n</tool_call>',
    ),
    _asked("ReAct", 'Thought: write.\nAction: write\nAction Input: {"path": "a", "content": "b"}'),
    _asked("a cut call", '{open}\n{"name": "write", "arguments": {"path": "a", "content": "b"'),
    _called("a name with a prefix", GOOD_CALL.replace('"write"', '"functions.write"')),
    _called("null where the schema says so", _with('"size": null')),
    _called("a long number", _with('"size": 1234567890123456789'), size=1234567890123456789),
    _called("a value of another type inside", _with('"labels": ["5"]'), labels=[5]),
    Row(
        "the marks inside a string",
        (CALL % f'{{"path": "a", "content": {json.dumps(_INSIDE)}}}',),
        {"path": "a", "content": _INSIDE},
    ),
    _asked("the schema in place of the arguments", CALL % '{"type": "object", "properties": {"path": {}}}'),
)
"""Rows of functions that are called."""
BROKEN_ARGUMENTS: Final = CALL % '{"path": "a", "content": "b", "size": "many"}'
"""Arguments that break the schema: asked about, and, when they come again, given to the program."""
TWO_VALUES: Final = (
    '{"name": "Rome", "size": 1}\nor rather\n{"name": "Rome", "size": 2}',
    '{"name": "Rome", "size": 2}',
)
"""JSON that can be meant in two ways, and the model's answer when it is asked again."""
UNREADABLE: Final = r'{"name": "C:\x", "size": 2}'
"""JSON that cannot be read; its value begins, so it is no refusal."""
PLACE: Final = Place(name="Rome", size=2)


class Notebook:
    """The function that the model may call, and what it was called with."""

    def __init__(self) -> None:
        self.calls: list[dict[str, Any]] = []

    def write(self, path: str, content: str, size: int | None = None, labels: list[int] | None = None) -> str:
        """Write a file."""
        given = {"path": path, "content": content, "size": size, "labels": labels}
        self.calls.append({name: value for name, value in given.items() if value is not None})
        return "written"


def model_writes(text: str) -> Callable[[dict[str, Any]], str]:
    """Return a script for the simulator: a text, with the marks of the request."""

    def say(body: dict[str, Any]) -> str:
        system = body["messages"][0]["content"]
        nonce = _NONCE.search(system)
        marks = ("", "") if nonce is None else (f"<call:{nonce[1]}>", f"</call:{nonce[1]}>")
        return text.replace("{open}", marks[0]).replace("{close}", marks[1])

    return say


def check_calls(simulator: TessSimulator, row: Row, run: Callable[[Notebook], str]) -> None:
    """Run a program of a framework, and compare what it called and got with the row."""
    notebook = Notebook()
    texts = row.answers if row.arguments is None else (*row.answers, DONE)
    simulator.script(*map(model_writes, texts))
    text = run(notebook)
    made = [{**call, "content": without_nonce(call["content"])} for call in notebook.calls]
    assert made == ([] if row.arguments is None else [row.arguments])
    assert text.endswith(row.text)
    assert "call:" not in text
    assert len(simulator.calls) == len(texts)


def without_nonce(content: str) -> str:
    """Return a text with the marks as the table writes them."""
    return re.sub(r"<(/?)call:\w+>", lambda mark: "{close}" if mark[1] else "{open}", content)
