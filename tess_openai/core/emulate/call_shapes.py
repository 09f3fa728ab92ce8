"""Finds calls that a model wrote in a form it was trained on, instead of the form of the instructions.

Such a call is never made: it has no nonce, so it may be part of a text that the model only repeats. A repair
is requested if the name of an offered function occurs where the form has the name.
"""

from __future__ import annotations

import itertools
import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from typing import Final

from tess_openai.core.emulate.call_endings import ends_with_call
from tess_openai.core.name_matching import match_name

_KEYS: Final = (
    *(
        "name",
        "function",
        "functions",
        "function_name",
        "function_call",
        "function_calls",
        "tool",
        "tool_name",
    ),
    *("tool_call", "tool_calls", "tool_uses", "call", "calls", "action", "recipient_name", "arguments"),
    *("parameters", "args", "id", "type", "index", "role"),
)
"""The first keys of a call in JSON."""
_LABELS: Final = (
    "action:",
    "action name:",
    "tool:",
    "tool call:",
    "tool name:",
    "function:",
    "function call:",
)
_BRACKETS: Final = ("tool_", "function_", "tool:", "function:")
_MARKUP: Final = " \t>*_#-`\u273f"
"""What may precede a call in its line; U+273F is a flower that Qwen models write around labels."""
_INDENT: Final = r"^[ \t>*_#`\u273f-]{0,8}"
_JSON: Final = rf"\s{{0,20}}[\"']?(?:{'|'.join(_KEYS)})[\"']?\s{{0,4}}:"
_OPENING: Final = re.compile(
    r"[<\[{`](?:"
    r"(?<=<)(?:\s?[|\uff5c]?\s?(?:[\w.-]{1,20}[:_|\uff5c\u2581])?"
    r"(?:tool|function|invoke|action[_:=>|]|plugin|python_tag|arg_key)|antml:|minimax:|\|(?:channel|start)\|>)"
    rf"|(?<=\[)(?:/?(?:tool|function)[_:]|\s{{0,20}}\{{{_JSON})"
    r"|(?<=`)``tool_code"
    rf"|(?<=\{{)\{{?{_JSON})",
    re.IGNORECASE,
)
"""The beginning of a call: a tag or a special token, `[tool_` or alike, JSON, or a fence of `tool_code`."""
_LABEL: Final = re.compile(
    rf"{_INDENT}(?P<label>(?:action|tool|function)(?: name| call)?[*_`\u273f]{{0,3}}:)",
    re.IGNORECASE | re.MULTILINE,
)
_LABEL_ENDS: Final = ("ction", "CTION", "ool", "OOL")
"""The ends of the words in labels; a text without any of them needs no search."""
_TAIL_LENGTH: Final = 100
"""How many characters at the end of a text may belong to the beginning of a call."""
_JSON_TAIL: Final = re.compile(r"\{\s{0,20}(?:[\"']?(?P<word>\w{0,16})(?:[\"']?\s{0,4})?)?\Z")
_LIST_TAIL: Final = re.compile(r"\[\s{0,20}(?P<word>)\Z")
_TAG_TAIL: Final = re.compile(r"<\s?(?P<word>)[\w:.|\uff5c\u2581-]{0,64}\Z")
"""Any tag: some models put their own word before `tool_call`."""
_BRACKET_TAIL: Final = re.compile(r"\[/?(?P<word>\w{0,10})\Z")
_FENCE_TAIL: Final = re.compile(r"```(?P<word>\w{0,9})\Z")
_TAILS: Final = (
    ("{", _JSON_TAIL, _KEYS),
    ("[", _LIST_TAIL, ()),
    ("[", _BRACKET_TAIL, _BRACKETS),
    ("<", _TAG_TAIL, ()),
    ("```", _FENCE_TAIL, ("tool_code",)),
)
"""For texts that end with the beginning of a call: its first character, the pattern of such an end, and the
words, besides the names of functions, whose beginning the group `word` may be."""
_PROGRAM: Final = re.compile(
    rf"{_INDENT}(?P<call>(?:\[|print\()?(?P<name>[A-Za-z][\w.-]{{0,64}})\()"
    rf"|{_INDENT}(?P<bare>(?P<title>[A-Za-z][\w.-]{{0,64}})[ \t]{{0,4}}\n?[ \t]{{0,4}}\{{\s{{0,20}}[\"'}}])"
    rf"|{_INDENT}(?P<keyed>\[?\{{\s{{0,20}}[\"'](?P<key>[\w.-]{{1,64}})[\"']\s{{0,4}}:\s{{0,4}}\{{)"
    r"|<(?P<element>[A-Za-z_][\w.-]{0,64})>",
    re.MULTILINE,
)
"""A call as in a program, a name before JSON, a name as a key of JSON, and a name as a tag."""
_NAME_GROUPS: Final = {"call": "name", "bare": "title", "keyed": "key"}
"""The groups of `_PROGRAM` that are a whole form -> the group with the name in it; a tag has one group."""
_PROGRAM_TAIL: Final = re.compile(r"(?:\[|print\()?(?P<word>[A-Za-z][\w.-]{0,64})?")
_MODULES: Final = ("functions.", "default_api.", "tools.", "tool.", "api.")
"""Prefixes that models write before the name of a function, as if it were in a module."""
_RECIPIENT: Final = re.compile(r"\bto=(?:(?:functions|tools?)\.)?(?P<name>[\w.-]{1,64})")
"""A call in OpenAI's harmony format whose special tokens were removed by a server."""
_RECIPIENT_TAIL: Final = re.compile(r"\bt(?:o(?:=[\w.-]{0,72})?)?\Z")
_RECIPIENT_BEGINNINGS: Final = (" t", " to", "\nt", "\nto")
_WORD: Final = re.compile(r"[\w.-]+")
_WINDOW: Final = 400
"""How many characters, from the beginning of a call on, are searched for the name of a function."""
_MAX_OPENINGS: Final = 128
_NAME_IN_JSON: Final = re.compile(
    r"\b(?:name|function|function_?name|tool|tool_?name|action|recipient_name)[\"']?\s*:\s*[\"']?([\w.-]+)"
    r"|\{\s*[\"']?([\w.-]+)[\"']?\s*:\s*\{",
    re.IGNORECASE,
)
_LETTERS: Final = re.compile(r"\w")
_MAX_NAMES: Final = 256
_ARGUMENT_WORD: Final = (
    r"(?:action[ _]|tool[ _])?(?:arguments|args|parameters|params|kwargs|input)(?: \d{1,3})?"
    r"[\"'*_`\u273f]{0,3}\s{0,3}:"
)
_WITH_ARGUMENTS: Final = (
    r"(?:(?::\d{1,4})?:?\s{0,4}(?:\[ARGS\]|with|json)?\s{0,4}\(?\{\s{0,20}[\"']"
    rf"|[`*]{{0,3}}[ \t]{{0,4}}\n[ \t>*_`\u273f-]{{0,8}}{_ARGUMENT_WORD})"
)
"""What may follow the name of a function in any form of a call: JSON, or a line with a word for arguments."""
_OBJECT_START: Final = r"^[ \t`]{0,8}\[?\{[^{}]{0,200}[\"']"
"""The beginning of a line with JSON, up to the name of a function."""
_TAG: Final = re.compile(r"<[^<>\s]{1,40}>")
_WORDS_OF_DOUBT: Final = re.compile(
    r"[?\uff1f\u061f]|\b(?:no|not|nope|never|don['\u2019]?t|wait|stop|cancel|sorry|oops|undo)\b",
    re.IGNORECASE,
)
_SUBSTANTIAL_LETTERS: Final = 10
"""How many letters make prose after a call substantial. A letter that is not ASCII counts twice, since it
may be a whole word."""


class CallShapes:
    """Searches texts for calls of the given functions, in any of the known forms.

    Attributes:
        names: The names of the functions.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self.names = tuple(names)
        self._sorted = sorted(self.names)

    def find(self, text: str, *, after: str = "") -> int | None:
        """Return where the first part that may be a call begins, 0 if it begins in `after`; None without one.

        Args:
            text: The text to search.
            after: The text that precedes `text` on the line in which `text` begins.
        """
        if not self.names:
            return None
        start = min(self._start_of_each_form(text, after), default=None)
        return None if start is None else max(0, start)

    def contains_named_call(self, text: str) -> bool:
        """Whether a text contains one of the forms of a call with the name of a function in it."""
        if not self.names:
            return False
        openings = (found.start() for found in itertools.islice(_OPENING.finditer(text), _MAX_OPENINGS))
        labels = (found.start("label") for found in itertools.islice(_LABEL.finditer(text), _MAX_OPENINGS))
        named = (self._is_named_at(text, at) for at in itertools.chain(openings, labels))
        starts = (self._program_start(text), self._recipient_start(text))
        return starts != (None, None) or any(named) or self.contains_call_of_function(text)

    def contains_call_of_function(self, text: str) -> bool:
        """Whether arguments follow a function's name, its name is in a tag, or its call ends the text."""
        return self._has_arguments(text) or ends_with_call(text, self.names)

    def _has_arguments(self, text: str) -> bool:
        """Whether JSON or a word for arguments follows the name of a function, or its name is in a tag."""
        lowered = text.lower()
        names = [name for name in self.names[:_MAX_NAMES] if name.lower() in lowered]
        if not names:
            return False
        name = "|".join(map(re.escape, names))
        shape = (
            rf"(?<![\w-])(?:{name})(?![\w-]){_WITH_ARGUMENTS}|<(?:{name})(?:\s[^<>]{{0,200}}|/)>"
            rf"|<(?:call|action)(?::| name=)[\"']?(?:{name})[\"'\s/>]|<\|recipient\|>(?:{name})\b"
            rf"|\bto=(?:functions\.)?(?:{name})(?:json|code)\b"
            rf"|{_OBJECT_START}(?:{name})[\"']\s{{0,4}},\s{{0,20}}[\"']{_ARGUMENT_WORD}"
        )
        return re.search(shape, text, re.IGNORECASE | re.MULTILINE) is not None

    def _start_of_each_form(self, text: str, after: str) -> Iterator[int]:
        """Yield where the first call of each form begins in `text`, as a negative number if in `after`.

        Labels, and all forms of `_PROGRAM` but tags, count only at the start of a line.
        """
        if (found := _OPENING.search(text)) is not None:
            yield found.start()
        line = f"{after}{text}"
        may_have_label = ":" in text and any(end in line for end in _LABEL_ENDS)
        if may_have_label and (found := _LABEL.search(line)) is not None:
            yield found.start("label") - len(after)
        if (start := self._program_start(line)) is not None:
            yield start - len(after)
        if (start := self._recipient_start(line)) is not None:
            yield start - len(after)

    def _recipient_start(self, text: str) -> int | None:
        """Return the start of a harmony recipient that is one of the functions."""
        found = itertools.islice(_RECIPIENT.finditer(text), _MAX_OPENINGS) if "to=" in text else ()
        return next((each.start() for each in found if each["name"] in self.names), None)

    def undecided_from(self, text: str, *, after: str = "") -> int:
        """Return where an end of the text that may begin a call starts; the text's length without one.

        Args:
            text: The text to search.
            after: The text that precedes `text` on the line in which `text` begins.
        """
        if not self.names:
            return len(text)
        tail = f"{after}{text}"[-_TAIL_LENGTH:]
        starts = [len(tail)]
        for opener, pattern, words in _TAILS:
            at = tail.rfind(opener)
            found = pattern.match(tail, at) if at >= 0 else None
            if found is not None and self._may_continue(found["word"], words):
                # a `[` or a `{` before a `{` belongs to it
                outer = tail[:at].rstrip().removesuffix("[").removesuffix("{")
                starts.append(len(outer) if opener == "{" else at)
        may_be_recipient = "to=" in tail or tail.endswith(_RECIPIENT_BEGINNINGS)
        if may_be_recipient and (recipient := _RECIPIENT_TAIL.search(tail)) is not None:
            starts.append(recipient.start())
        line = tail.rpartition("\n")[2].lstrip(_MARKUP)
        label = line.lower().rstrip("*_`\u273f")
        program = _PROGRAM_TAIL.fullmatch(line)
        may_be_program = "print(".startswith(line) or (
            program is not None and self._may_continue(program["word"], ())
        )
        if line and (may_be_program or any(each.startswith(label) for each in _LABELS)):
            starts.append(len(tail) - len(line))
        title = tail.rstrip(" \t\r\n{").rpartition("\n")[2].strip(_MARKUP)
        if _without_module(title) in self.names:  # JSON may follow
            starts.append(tail.rfind(title))
        return max(0, len(text) - len(tail) + min(starts))

    def _may_continue(self, word: str | None, words: Iterable[str]) -> bool:
        """Whether a word, perhaps empty, begins one of `words`, a module or the name of a function."""
        if not word or any(each.startswith(word) for each in _MODULES):
            return True
        word = _without_module(word)
        place = bisect_left(self._sorted, word)
        is_name = place < len(self._sorted) and self._sorted[place].startswith(word)
        return is_name or any(each.startswith(word.lower()) for each in words)

    def is_named_in(self, text: str) -> bool:
        """Whether the beginning of a text has the name of a function as a word; see `_is_name`."""
        return any(self._is_name(word) for word in _WORD.findall(text[: 4 * _WINDOW]))

    def _program_start(self, text: str) -> int | None:
        """Return the start of the first form of `_PROGRAM` that has the name of a function."""
        has_opening = "(" in text or "{" in text or "<" in text
        if not has_opening or not any(name in text for name in self.names):
            return None
        for found in _PROGRAM.finditer(text):
            kind = str(found.lastgroup)
            if _without_module(found[_NAME_GROUPS.get(kind, kind)]) in self.names:
                return found.start(kind) if kind in _NAME_GROUPS else found.start()
        return None

    def _is_named_at(self, text: str, at: int) -> bool:
        """Whether a function is named in the call at `at`; a call in JSON must also not be within prose."""
        window = text[at : at + _WINDOW]
        if window.lstrip("[ \t\r\n").startswith("{"):
            named = [first or second for first, second in _NAME_IN_JSON.findall(window)]
            return any(map(self._is_name, named)) and _is_apart_from_prose(text, at)
        return self.is_named_in(window)

    def _is_name(self, word: str) -> bool:
        """Whether a word is a function's name, perhaps with a module or a number, as in `functions.run:0`."""
        plain = re.sub(r":?\d*$", "", word) if word not in self.names else word
        words = (word.partition(".")[0], word.rpartition(".")[2])
        forms = (word, plain.removeprefix("functions."), word.strip(".-"), *words)
        return any(form and match_name(form, self.names) is not None for form in forms)


def _without_module(word: str) -> str:
    """Return the name of a function without the prefix of a module."""
    for module in _MODULES:
        if word.startswith(module):
            return word[len(module) :]
    return word


def is_substantial(prose: str) -> bool:
    """Whether prose has more than a few letters, or a word or sign of doubt; tags do not count."""
    prose = _TAG.sub(" ", prose) if "<" in prose else prose
    letters = itertools.islice(_LETTERS.finditer(prose), _SUBSTANTIAL_LETTERS)
    is_long = sum(1 if letter[0].isascii() else 2 for letter in letters) >= _SUBSTANTIAL_LETTERS
    return is_long or _WORDS_OF_DOUBT.search(prose) is not None


def _is_apart_from_prose(text: str, at: int) -> bool:
    """Whether the JSON at `at` begins a line, or no letter follows the last brace of the text."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    if not line.strip(f"{_MARKUP}[json"):
        return True
    return _LETTERS.search(text, text.rfind("}", at) + 1) is None
