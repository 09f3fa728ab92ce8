"""Blanks the keys that may be written into a line of source before it is shown."""

from __future__ import annotations

import ast
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from tess_openai.cli.check.values import defaults_of

Span: TypeAlias = tuple[int, int, int, int]
"""First line, first byte, last line, the byte behind the last; lines from 1, bytes from 0."""

BLANK: Final = "<key>"
_NAMES: Final = re.compile("key|token|secret|passw|credential|authorization", re.IGNORECASE)
"""What a name holds whose value may be a key. `max_tokens` does too; hiding its value does no harm."""
_MAY_NAME: Final = re.compile(
    rf"""(?i:{_NAMES.pattern})
    | [^\x00-\x7f]  # Python reads full-width letters as plain ones
    | \\(?:[xuUN0-7]|$)  # an escape may be a letter, and a string may continue in the next line
    | (?:^|["'])[\ \t\f]*[rRuUbB]{{0,2}}["']  # a string that may continue with this one: "api_k" "ey"
    """,
    re.VERBOSE,
)
"""What a line holds in which such a name may be; most lines hold none of it."""
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]*(_[A-Z0-9]+)+")
_KEY: Final = re.compile(r"sk-[\w-]{8,}|\b\d+\|\w{8,}|\b[0-9a-fA-F]{32,}\b|(?<=Bearer )[\w.|~+/=-]{8,}")


def shown_lines(tree: ast.AST, lines: list[str]) -> list[str]:
    """Return the lines of a module as they may be shown: no literal under the name of a key, no likely key.

    Args:
        tree: Of the module.
        lines: Of its source.
    """
    shown = list(lines)
    by_line: dict[int, list[tuple[int, int | None]]] = {}
    naming = [number for number, line in enumerate(lines, 1) if _MAY_NAME.search(line)]
    for first, begin, last, end in _literals_of_keys(tree, naming):
        for number in range(first, last + 1):
            piece = (begin if number == first else 0, end if number == last else None)
            by_line.setdefault(number, []).append(piece)
    for number, pieces in by_line.items():
        if number <= len(lines):
            shown[number - 1] = _blanked(lines[number - 1], pieces)
    return [_KEY.sub(BLANK, line) for line in shown]


def _blanked(line: str, pieces: Iterable[tuple[int, int | None]]) -> str:
    raw = line.encode()
    shown, behind = b"", 0
    for begin, end in sorted((begin, len(raw) if end is None else end) for begin, end in pieces):
        if begin >= behind:  # else it is inside an f-string that is blanked already
            shown += raw[behind:begin] + f'"{BLANK}"'.encode()
        behind = max(behind, end)
    return (shown + raw[behind:]).decode(errors="replace")


def _literals_of_keys(tree: ast.AST, naming: list[int]) -> Iterator[Span]:
    """Give every string below a value that a name calls a key; outermost only, for f-strings hold others.

    Args:
        tree: Of the module.
        naming: The lines that may hold such a name, in order. Statements without one of them are skipped.
    """
    found: dict[ast.expr, None] = {}
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop()
        if isinstance(node, ast.stmt) and not _has_line(node, naming):
            continue
        for value in _values_of_keys(node):
            found.update(dict.fromkeys(_strings(value)))
        pending += ast.iter_child_nodes(node)
    for node in found:
        yield node.lineno, node.col_offset, node.end_lineno or node.lineno, node.end_col_offset or 0


def _has_line(node: ast.stmt, lines: list[int]) -> bool:
    """Whether one of some lines is a statement's or one of its decorators'."""
    decorators: list[ast.expr] = getattr(node, "decorator_list", [])
    first = bisect_left(lines, min(node.lineno, *(each.lineno for each in decorators), node.lineno))
    return first < len(lines) and lines[first] <= (node.end_lineno or node.lineno)


def _values_of_keys(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.keyword(arg=str() as name, value=value) if _NAMES.search(name):
            yield value
        case ast.Assign(targets=targets, value=value) if any(map(_is_named, targets)):
            yield value
        case ast.AnnAssign(target=target, value=ast.expr() as value) if _is_named(target):
            yield value
        case ast.AugAssign(target=target, value=value) | ast.NamedExpr(target=target, value=value) if (
            _is_named(target)
        ):
            yield value
        case ast.Dict(keys=keys, values=values):
            yield from (value for key, value in zip(keys, values, strict=True) if _is_text_of_key(key))
        case ast.Compare(left=left, comparators=others) if any(map(_is_named, (left, *others))):
            yield from (left, *others)
        case ast.Call(func=func, args=args) if _is_named(func):
            yield from args
        case ast.Call(args=[first, *more]) if _is_text_of_key(first):
            yield from more
        case ast.arguments():
            yield from (default for name, default in defaults_of(node) if _NAMES.search(name.arg))
        case _:
            pass


def _is_named(target: ast.expr) -> bool:
    match target:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return _NAMES.search(name) is not None
        case ast.Subscript(slice=slice_):
            return _is_text_of_key(slice_) or _is_named(slice_)
        case ast.Tuple(elts=items) | ast.List(elts=items):
            return any(map(_is_named, items))
        case ast.Call(func=func, args=args):
            return _is_named(func) or any(map(_is_text_of_key, args[:1]))
        case _:
            return False


def _is_text_of_key(node: ast.expr | None) -> bool:
    """Whether a string is the name of a key, such as `"OPENAI_API_KEY"` or `"Authorization"`."""
    match node:
        case ast.Constant(value=str() as text):
            return _NAMES.search(text) is not None
        case ast.Constant(value=bytes() as raw):
            return _NAMES.search(raw.decode(errors="replace")) is not None
        case _:
            return False


def _strings(node: ast.expr) -> Iterator[ast.expr]:
    """Give the outermost strings below a value, but not the names of variables."""
    if isinstance(node, ast.JoinedStr):
        yield node
    elif isinstance(node, ast.Constant):
        text = node.value.decode(errors="replace") if isinstance(node.value, bytes) else node.value
        if isinstance(text, str) and text and _VARIABLE.fullmatch(text) is None:
            yield node
    elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
        yield from _strings(node.value)  # found["api_key"] names a key and is none
    else:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.keyword):
                yield from _strings(child.value)
            elif isinstance(child, ast.expr):
                yield from _strings(child)
