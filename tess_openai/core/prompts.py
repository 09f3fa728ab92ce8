"""All texts with which emulation instructs a model.

They are in English, since every model follows English instructions. The language of an answer is that of
the conversation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

JSON_ESCAPES: Final = 'In a JSON string write \\\\ for a backslash, \\" for a quote and \\n for a line break.'
"""A sentence of `functions` and of `json_schema`; where a request has both, the second is without it."""
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_REQUIRED_PLACEHOLDERS: Final = {
    "functions": ("functions", "open", "close", "rules"),
    "custom_tools": ("names",),
    "json_schema": ("schema",),
    "json_instead_of_call": ("json",),
    "repair_call": ("problems", "open", "close"),
    "repair_unknown": ("problems", "open", "close"),
    "repair_missing": ("open", "close"),
    "repair_marks": ("open", "close"),
    "repair_followed": ("open", "close"),
    "repair_json": ("problems",),
    "continuation": ("last_words",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompts:
    """The texts of emulation; replace any of them.

    A word in braces is a placeholder; other braces are part of the text.

    | placeholder | what replaces it |
    |---|---|
    | `{functions}` | the functions, one line of JSON for each |
    | `{example}` | a call of one of them, with values made from its schema; once the conversation holds \
calls, the lines `{open}`, `{example}` and `{close}` are left out |
    | `{rules}` | those of `auto`, `required`, `named`, `several_calls`, `one_call`, `custom_tools`, \
`no_other_keys` and `results` that apply |
    | `{open}`, `{close}` | the marks of the request, around a call |
    | `{result_open}`, `{result_close}` | the marks around a result |
    | `{json}` | `json_object` or `json_schema` |
    | `{last_words}` | the last words of an answer that was cut (`on_cut="continue"`) |
    | `{name}`, `{names}`, `{schema}`, `{problems}`, `{tokens}`, `{words}` | values that these words name |

    `reminder` and `json_reminder` follow the last message of a long conversation; the repairs follow the last
    message of the request when it is sent once more; `continuation` follows an answer that was cut. `""`
    omits a text that has no required placeholder.

    Raises:
        ValueError: A text lacks a placeholder without which it cannot work.
    """

    functions: str = (
        """\
You can call functions. Each line is one function and the JSON Schema of its arguments.
{functions}
{rules}
"""
        + JSON_ESCAPES
        + """ No other form counts. Never write a block as an example or while thinking. End your \
message after the call: the result comes in the next message.

To call a function, return a JSON object with function name and arguments within {open}{close} XML tags:
{open}
{example}
{close}"""
    )
    no_functions: str = """\
{open}{close} mark earlier calls. No function can be called now: answer without marks.
{rules}"""
    auto: str = "Call a function where it helps; otherwise answer as usual, without marks."
    required: str = "You must call a function now."
    named: str = "You must call the function {name} now."
    several_calls: str = "You may make several calls at once: one such block each."
    one_call: str = "Make one call only."
    custom_tools: str = """\
To call {names}, write no JSON: write its name in the first line of the block, and its input below as plain \
text."""
    no_other_keys: str = "Use no other keys."
    results: str = "Results stand between {result_open} and {result_close}. Never write those."
    result: str = "Result of {name}:"
    reminder: str = "To call a function, write its block between {open} and {close}, as described."

    json_object: str = "Answer with one JSON object and nothing else: no other text, no code fence."
    json_schema: str = (
        """\
Answer with one JSON value that follows this JSON Schema, and nothing else: no other text, no code fence.
{schema}
Copy names and other texts letter for letter as they are written. """
        + JSON_ESCAPES
    )
    json_instead_of_call: str = "When you do not call a function: {json}"
    json_reminder: str = "Answer with the JSON only."
    length: str = "Keep your answer below {tokens} tokens (about {words} words)."

    repair_call: str = """\
(An earlier answer to this was rejected because its call could not be made:
{problems}
Write the call correctly and completely between {open} and {close}, and nothing else.)"""
    repair_unknown: str = """\
(An earlier answer to this was rejected because it called a function that does not exist:
{problems}
If one of them is needed, write its call between {open} and {close}. If not, answer without a call.)"""
    repair_missing: str = """\
(A function call is needed now. Write it between {open} and {close}, as described, and nothing else.)"""
    repair_marks: str = """\
(An earlier answer to this was rejected because it looked like a function call but did not stand between \
{open} and {close}. If a function is needed, write its call between them. If not, answer without a call.)"""
    repair_followed: str = """\
(An earlier answer to this was rejected because it contained a function call and then text. If a function is \
needed now, write its call between {open} and {close}, and nothing else. If not, answer without a call.)"""
    repair_forbidden: str = "(No function can be called now. Answer in plain text, without a call.)"
    repair_json: str = """\
(An earlier answer to this was rejected because it was not the JSON that was asked for:
{problems}
Answer with the correct and complete JSON only: no other text, no code fence.)"""
    continuation: str = """\
Your last message was cut off before its end. Repeat its last words exactly, "{last_words}", and go on \
directly behind them to the end of your answer. Write nothing else: no comment, no new beginning."""

    def __post_init__(self) -> None:
        for field, placeholders in _REQUIRED_PLACEHOLDERS.items():
            text: str = getattr(self, field)
            missing = [f"{{{name}}}" for name in placeholders if f"{{{name}}}" not in text]
            if missing:
                raise ValueError(f"prompts.{field} lacks {', '.join(missing)}; put it where it belongs")


def fill(template: str, **values: str) -> str:
    """Fill the placeholders of a template; what is filled in is not searched for placeholders again."""
    return _PLACEHOLDER.sub(lambda found: values.get(found[1], found[0]), template)
