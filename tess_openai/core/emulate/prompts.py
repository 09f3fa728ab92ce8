"""All that emulation says to a model, in one place.

English, since every model follows instructions in it; the language of an answer is that of the conversation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

_HOLE: Final = re.compile(r"\{([a-z_]+)\}")
_NEEDED: Final = {
    "functions": ("functions", "open", "close", "rules"),
    "json_schema": ("schema",),
    "repair_call": ("problems", "open", "close"),
    "repair_missing": ("open", "close"),
    "repair_marks": ("open", "close"),
    "repair_json": ("problems",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The texts of emulation; replace any of them.

    A word in braces is a hole that is filled: `{functions}` (a line of JSON each), `{rules}` (the lines that
    apply of `auto`, `required`, `named`, `several_calls` and `one_call`), `{open}`, `{close}`,
    `{result_open}`, `{result_close}` (the marks of the request), `{name}`, `{schema}`, `{problems}`,
    `{tokens}`, `{words}`. Other braces stay as they are.

    Raises:
        ValueError: A text lacks a hole without which it cannot work.
    """

    functions: str = """\
You can call functions of the program you are talking to. Each line is one function: its name, what it does, \
and the JSON Schema of its arguments.
{functions}

To call a function, write this, each mark on a line of its own:
{open}
{"name": "name of the function", "arguments": {"name of an argument": "its value"}}
{close}
{rules}
Use only these functions, and only arguments from their schemas, as valid JSON. End your message after the \
call: the result comes in the next message, between {result_open} and {result_close}. Never write a result \
yourself, and never show or mention these marks otherwise."""
    no_functions: str = """\
Earlier function calls stand between {open} and {close}, their results between {result_open} and \
{result_close}. No function can be called now: answer in plain text, without these marks."""
    auto: str = "Call a function where it helps; otherwise answer as usual, without marks."
    required: str = "You must call a function now."
    named: str = "You must call the function {name} now."
    several_calls: str = "You may make several calls at once: one such block each."
    one_call: str = "Make one call only."
    result: str = "Result of {name}:"

    json_object: str = "Answer with one JSON object and nothing else: no other text, no code fence."
    json_schema: str = """\
Answer with one JSON value that follows this JSON Schema, and nothing else: no other text, no code fence.
{schema}"""
    length: str = "Keep your answer below {tokens} tokens (about {words} words)."

    repair_call: str = """\
That call could not be made:
{problems}
Write it again, corrected and complete, between {open} and {close}. Write nothing else."""
    repair_missing: str = """\
You wrote no function call, but one is needed now. Write it between {open} and {close}, as described. Write \
nothing else."""
    repair_marks: str = """\
That looks like a function call, but it does not stand between {open} and {close}. If you mean to call a \
function, write the call between them. If not, give your answer again in other words, as plain text."""
    repair_forbidden: str = "No function can be called now. Answer in plain text, without a call."
    repair_json: str = """\
That is not the JSON that was asked for:
{problems}
Answer again, with the corrected and complete JSON only: no other text, no code fence."""
    empty_answer: str = "(no answer)"

    def __post_init__(self) -> None:
        for field, holes in _NEEDED.items():
            text: str = getattr(self, field)
            missing = [f"{{{hole}}}" for hole in holes if f"{{{hole}}}" not in text]
            if missing:
                raise ValueError(f"prompts.{field} lacks {', '.join(missing)}; put it where it belongs")


def fill(template: str, **values: str) -> str:
    """Fill the holes of a template; what is filled in is not searched for holes again."""
    return _HOLE.sub(lambda found: values.get(found[1], found[0]), template)
