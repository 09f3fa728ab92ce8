"""Search texts for regular expressions with RE2, which never backtracks (`google-re2`, extra `emulate`).

Patterns in schemas use the syntax of JavaScript. RE2 supports most of it; a pattern with an unsupported
feature, such as a back reference, is not checked. Conditions at the beginning, `^(?=.*[0-9])(?!x)`, become
expressions of their own.

Source: ECMA-262, patterns; RE2, syntax (documented).
"""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from tess_openai.core.schemas.compilation import PatternCompiler
from tess_openai.core.schemas.evaluation import Pattern

_MAX_LENGTH: Final = 2_000
_MAX_MEMORY: Final = 1 << 18
_LARGEST_SIZE: Final = 4_000
_UNICODE_CLASS: Final = re.compile(r"\\[pP](?:\{[^{}]*\}|\w)")
_CODE_UNIT: Final = re.compile(r"(\\\\)|\\u(?:\{([0-9a-fA-F]{1,6})\}|([0-9a-fA-F]{4}))")
_CONDITION: Final = re.compile(r"\^\(\?([=!])")
_LONG_REPEAT: Final = re.compile(r"\{[0-9,]{7,}\}")
"""RE2 reads a repetition whose numbers are too long as literal text."""
_TOKEN: Final = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[()|]", re.DOTALL)
"""The tokens that decide where a group ends; a parenthesis in a class or after a backslash does not."""


@dataclass(frozen=True, slots=True)
class LinearPattern:
    """A pattern as one or more expressions of RE2.

    Attributes:
        size: The number of instructions of all expressions: at most so many steps for each character.
        expressions: Each expression, and whether it must match or must not.
    """

    size: int
    expressions: Sequence[tuple[Any, bool]]

    def matches(self, text: str) -> bool:
        """Whether it matches anywhere in a text."""
        text = text.encode("utf-8", "replace").decode()
        return all((found.search(text) is not None) is wanted for found, wanted in self.expressions)


def pattern_compiler() -> PatternCompiler | None:
    """Return the function that compiles patterns; None when RE2 is not installed."""
    return None if importlib.util.find_spec("re2") is None else compile_pattern


def compile_pattern(text: str) -> Pattern | None:
    """Compile a pattern; None when RE2 cannot read it."""
    if len(text) > _MAX_LENGTH or _LONG_REPEAT.search(text) is not None:
        return None
    re2: Any = importlib.import_module("re2")  # it has no types

    options = re2.Options()
    options.log_errors = False
    options.never_capture = True
    options.max_mem = _MAX_MEMORY
    try:
        parts = [
            (re2.compile(part, options), wanted, _size(re2.compile(_UNICODE_CLASS.sub("x", part), options)))
            for part, wanted in _without_conditions(_CODE_UNIT.sub(_code_point, text))
        ]
    except (re2.error, UnicodeError):
        return None
    return LinearPattern(sum(size for *_, size in parts), [(found, wanted) for found, wanted, _ in parts])


def _size(compiled: Any) -> int:
    """Return how many instructions an expression has."""
    program: Any = getattr(compiled, "_regexp", None)
    return int(program.ProgramSize()) if hasattr(program, "ProgramSize") else _LARGEST_SIZE


def _code_point(found: re.Match[str]) -> str:
    r"""Write `\u00e9` as RE2 does: `\x{00e9}`."""
    return found[1] or f"\\x{{{found[2] or found[3]}}}"


def _without_conditions(pattern: str) -> list[tuple[str, bool]]:
    """Split `^(?=a)(?!b)c` into `^(?:a)`, which must match, `^(?:b)`, which must not, and `^(?:c)`."""
    expressions: list[tuple[str, bool]] = []
    rest = pattern
    while (found := _CONDITION.match(rest)) is not None:
        end = _group_end(rest, found.end())
        if end is None or _has_choice(rest):
            return [(pattern, True)]
        expressions.append((f"^(?:{rest[found.end() : end]})", found[1] == "="))
        rest = f"^{rest[end + 1 :]}"
    return [*expressions, (rest, True)]


def _group_end(pattern: str, start: int) -> int | None:
    """Return where the group that begins before `start` ends."""
    depth = 1
    for found in _TOKEN.finditer(pattern, start):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0:
            return found.start()
    return None


def _has_choice(pattern: str) -> bool:
    """Whether a pattern has alternatives at its top level, so that a leading `^` binds only the first."""
    depth = 0
    for found in _TOKEN.finditer(pattern):
        depth += {"(": 1, ")": -1}.get(found[0], 0)
        if depth == 0 and found[0] == "|":
            return True
    return False
