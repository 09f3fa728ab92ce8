"""No text of a model, however long and ill-meant, takes more time than in proportion to its length."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import Emulation

OPEN = "<call:tokibanuve>"
JSON: dict[str, Any] = {"tools": None, "response_format": {"type": "json_object"}}
LIST: dict[str, Any] = {
    "tools": None,
    "response_format": {"type": "json_schema", "json_schema": {"schema": {"type": "array"}}},
}
FUNCTIONS: dict[str, Any] = {"stop": ["aaaaaaaab", "< "], "max_tokens": 10**9}
PATTERNS = [
    *(
        "<",
        "< ",
        "<call",
        "<call:",
        "<~",
        "<call>{",
        "</call>",
        OPEN,
        "<tool_call>\n",
        "lorem ",
        " ",
        "`",
        "```json\n",
    ),
    *(f"{OPEN}{{}}", f'{OPEN}{{"name":"get_time"}}', "<result:tokibanuve>", "aaaaaaaa"),
]
BODIES = [
    *(
        "[",
        '{"a":',
        "{a:",
        '"',
        '"a',
        '" ',
        '",',
        '", "b',
        '","b"',
        "'",
        "'''",
        "\\",
        "”a",
        ",",
        "x ",
        ": ",
        "]",
    ),
    *(
        "#\n",
        "/*,",
        "/*a*/",
        "//",
        "{}",
        "{},",
        "[1]",
        f'"{" " * 500}',
        f'",{" " * 500}',
        "k:1,",
        "...",
        "1",
        "\\u0041",
    ),
]


def seconds(emulation: Emulation, text: str, piece: int) -> float:
    """Measure how long an answer takes that comes in pieces of this length."""
    began = time.process_time()
    reader = AnswerReader(emulation)
    for start in range(0, len(text), piece):
        reader.feed(text[start : start + piece])
    reader.finish()
    return time.process_time() - began


def check(make: Callable[[], Emulation], text: Callable[[int], str], length: int, piece: int) -> None:
    """Compare four times the text with four times the time, generously; a busy machine gets five tries."""
    small = large = 0.0
    for _ in range(5):
        small = seconds(make(), text(length), piece)
        large = seconds(make(), text(4 * length), piece)
        if large < max(10 * small, 0.05):
            return
    pytest.fail(f"{length} characters take {small:.3f} s, four times as many {large:.3f} s")


@pytest.mark.parametrize("repeated", PATTERNS, ids=repr)
@pytest.mark.parametrize("piece", [1, 20, 1_000_000], ids=["characters", "in pieces", "whole"])
def test_prose_and_marks(make_emulation: Callable[..., Emulation], repeated: str, piece: int) -> None:
    """What comes before and between calls."""
    check(
        lambda: make_emulation(**FUNCTIONS),
        lambda length: repeated * (length // len(repeated)),
        length=60_000 if piece > 1 else 6_000,
        piece=piece,
    )


@pytest.mark.parametrize("repeated", BODIES, ids=repr)
@pytest.mark.parametrize("head", ['{"a":"', "{'a':", "{a:[", "{"])
def test_the_text_of_a_call(make_emulation: Callable[..., Emulation], head: str, repeated: str) -> None:
    """What is read as JSON."""
    check(
        make_emulation,
        lambda length: OPEN + head + repeated * (length // len(repeated)),
        length=10_000,
        piece=1_000_000,
    )


ANSWERS = [
    "{a} ",
    "```json\n{",
    '{"a":1}',
    '{"',
    "{'",
    "{“",
    "{\u2018",
    "{a",
    "{a:,}",
    "[a] ",
    "[1,",
    "[1) ",
    '["a" [',
]


@pytest.mark.parametrize("repeated", [*BODIES, *ANSWERS], ids=repr)
@pytest.mark.parametrize("wanted", [JSON, LIST], ids=["an object", "a list"])
def test_an_answer_in_json(
    make_emulation: Callable[..., Emulation], repeated: str, wanted: dict[str, Any]
) -> None:
    """What is searched for JSON."""
    check(
        lambda: make_emulation(**wanted),
        lambda length: repeated * (length // len(repeated)),
        length=10_000,
        piece=1_000_000,
    )
