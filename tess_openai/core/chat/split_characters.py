r"""Joins characters that were split between two chunks of a stream, and replaces incomplete ones.

A server that cuts its text by bytes or by UTF-16 units sends half a character at the end of one chunk and
the other half at the beginning of the next. JSON can carry both: as an escaped surrogate, `"\ud83d"`, or as
bytes that are not UTF-8, which `parse_answer` keeps as U+DC80 to U+DCFF. No such text can be printed or sent.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Final

from tess_openai.core.jsons import parse_json, to_list, to_object

_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_HALVES: Final = re.compile(
    "([\ud800-\udbff][\udc00-\udfff])"  # both halves of a character
    "|([\udc80-\udcff]+)"  # bytes that were not UTF-8 by themselves
    "|[\ud800-\udfff]"
)
_SPLIT_END: Final = re.compile("(?:[\ud800-\udbff]|[\udcc2-\udcf4][\udc80-\udcbf]{0,2})\\Z")
_MAY_HOLD_SURROGATES: Final = re.compile(rb"\\u[dD][89a-fA-F]")
_REPLACEMENT: Final = "\ufffd"
_TEXTS: Final = ("content", "refusal", "reasoning_content", "reasoning")
"""Keys of a delta whose value is a text."""


def parse_answer(data: bytes, parsed: object = None) -> tuple[object, bool]:
    """Parse the JSON of an answer; the value is None when it is not JSON.

    Args:
        data: The JSON text.
        parsed: Its value, if it was parsed before.

    Returns:
        The value, and whether its strings may contain surrogates: `join_characters` or a `SplitTextJoiner`
        removes them.
    """
    value = parse_json(data) if parsed is None else parsed
    if value is not None:
        return value, may_hold_surrogates(data)
    value = None if data.isascii() else parse_json(data, errors="surrogateescape")
    return value, value is not None


def may_hold_surrogates(data: bytes) -> bool:
    """Whether strings in JSON that is valid UTF-8 may contain surrogates, which can only be escaped there."""
    return b"\\u" in data and _MAY_HOLD_SURROGATES.search(data) is not None


def join_in_text(text: str) -> str:
    """Join the halves of split characters, and replace each single half by U+FFFD."""
    return _HALVES.sub(_join_halves, text) if _SURROGATE.search(text) else text


def join_characters(value: object) -> object:
    """Return a JSON value in which the split characters of every string are joined."""
    if isinstance(value, str):
        return join_in_text(value)
    if (items := to_list(value)) is not None:
        return [join_characters(item) for item in items]
    if (members := to_object(value)) is not None:
        return {join_in_text(key): join_characters(member) for key, member in members.items()}
    return value


class SplitTextJoiner:
    """Keeps half a character at the end of a text until the other half arrives for the same text.

    A text is identified by its path, the index of the choice followed by keys: `(0, "delta", "content")`.

    Attributes:
        pending: Index of a choice -> path of a text -> the half of a character that is kept for it.
    """

    def __init__(self) -> None:
        self.pending: dict[Hashable, dict[tuple[Hashable, ...], str]] = {}

    def join(self, path: tuple[Hashable, ...], text: str) -> str:
        """Return the complete part of `text`; `path` identifies the text of the stream that it continues."""
        halves = self.pending.get(path[0])
        if halves is not None and path in halves:
            text = halves.pop(path) + text
            if not halves:
                del self.pending[path[0]]
        split = _SPLIT_END.search(text)
        if split is not None:
            self.pending.setdefault(path[0], {})[path] = split[0]
            text = text[: split.start()]
        return join_in_text(text)

    def join_all(self, path: tuple[Hashable, ...], value: object) -> object:
        """Return a JSON value with every text joined; items of a list are known by `index` or position."""
        if isinstance(value, str):
            return self.join(path, value)
        if (items := to_list(value)) is not None:
            indices = [(to_object(item) or {}).get("index") for item in items]
            # As a `str`, an `index` equals no position and may be of any type.
            return [
                self.join_all((*path, position if index is None else str(index)), item)
                for position, (index, item) in enumerate(zip(indices, items, strict=True))
            ]
        if (members := to_object(value)) is not None:
            return {key: self.join_all((*path, key), member) for key, member in members.items()}
        return value

    def has(self, index: int) -> bool:
        """Whether half a character of a choice is kept."""
        return index in self.pending

    def flush(self, index: int) -> list[tuple[str, str]]:
        """Forget the halves of a choice; return the key of each text that ends in one, and U+FFFD."""
        paths = self.pending.pop(index, {})
        return [(key, _REPLACEMENT) for _, *inner in paths for key in _TEXTS if inner == ["delta", key]]


def _join_halves(match: re.Match[str]) -> str:
    pair, escaped_bytes = match[1], match[2]
    if pair is not None:
        return pair.encode("utf-16", "surrogatepass").decode("utf-16")
    if escaped_bytes is not None:
        return escaped_bytes.encode(errors="surrogateescape").decode(errors="replace")
    return _REPLACEMENT
