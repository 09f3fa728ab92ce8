"""Finds calls written as statements or labels at the end of an answer.

An answer that explains a function may name it too, with arguments. So a statement counts only if it fills
the last line, a line of a short code fence that ends the answer, or a line of a short answer; and not in a
program that defines or imports something. A label counts only in the last line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_MAX_NAMES: Final = 256
_MAX_LINES: Final = 6
_MAX_ENDING: Final = 2_000
_FENCED: Final = re.compile(r"```[^\n`]{0,20}\n(?P<body>[^`]*)```\Z")
_PROGRAM: Final = re.compile(r"^[ \t]*(?:async |export )?(?:def|function|class|import|from)\s", re.MULTILINE)
_BEFORE: Final = (
    r"^[ \t>*_$@`\[-]{0,8}(?:<\|?\w{1,16}\|?>[ \t]{0,2})?"
    r"(?:(?:const |let |var )?\w{1,40}(?::[ \t]?\w{1,20})?[ \t]?=[ \t]?"
    r"|(?:I will |I'll |let me )?(?:now )?(?:call(?:s|ing)?|invoking|running|executing|using)"
    r"(?: the| tool| function){0,2}:?[ \t]{1,2}`?)?"
    r"(?:print\()?(?:(?:await|return)[ \t])?(?:(?:functions|default_api|tools?|api|client)\.)?"
)
"""What may precede the name in a statement: markup, an assignment, "I will call", `print(` or a module."""
_ARGUMENTS: Final = r"(?:\((?:[^\n]*\))?|\{[^{}\n=:]*[=:][^{}\n]*\})"
_AFTER: Final = r"[\])*_`;. \t]{0,6}(?:<[/|]?\w{0,16}\|?>)?[ \t]{0,4}$"
"""What may follow the arguments on the line: brackets, markup or a tag."""
_LABEL: Final = (
    r"(?:^[ \t>*_#`-]{0,8}\[?(?:tool|function|action|call)(?:[ _](?:name|call|to use))?(?:[ _#]?\d{1,3})?"
    r"|\A(?:tool|function)s?[ _]used)[*_`]{0,3}:[ \t]{0,4}[`*_\"']{0,3}"
)


def ends_with_call(text: str, functions: Iterable[str]) -> bool:
    """Whether an answer ends with a statement that calls one of the functions, or with a label for one."""
    text = text.strip()
    ending = text[-_MAX_ENDING:]
    names = [name for name in functions if name in ending][:_MAX_NAMES]
    if not names:
        return False
    name = f"(?-i:{'|'.join(map(re.escape, names))})"
    label = rf"{_LABEL}{name}[`*_\"']{{0,3}}(?:\(\))?\]?\Z"
    statement = rf"{_BEFORE}{name}{_ARGUMENTS}{_AFTER}"
    last_line = ending.rpartition("\n")[2]
    labelled = text if text == last_line else f"\n{last_line}"
    if re.search(label, labelled, re.IGNORECASE | re.MULTILINE):
        return True
    fenced = _FENCED.search(ending)
    is_short = text.count("\n") < _MAX_LINES and len(text) <= _MAX_ENDING and "```" not in text
    searched = fenced["body"].strip() if fenced is not None else text if is_short else last_line
    if searched.count("\n") >= _MAX_LINES or _PROGRAM.search(searched):
        return False
    return re.search(statement, searched, re.IGNORECASE | re.MULTILINE) is not None
