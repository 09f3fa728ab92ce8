"""The policy: what to do with each parameter that Tess lacks."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast, get_args

from tess_openai.core.changes import quoted

Word: TypeAlias = Literal["warn", "ignore", "error", "forward", "emulate"]
"""`warn`: strip and warn. `ignore`: strip and record in the ledger only. `error`: refuse as OpenAI does.
`forward`: send as given. `emulate`: do it in the adapter where that is possible, else warn."""
Unsupported: TypeAlias = Word | Mapping[str, Word]

WORDS: Final[tuple[Word, ...]] = get_args(Word)
NO_WORDS: Final[Mapping[str, Word]] = {}
RESPONSES_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "input": ("messages",),
    "input.function_call": ("messages.tool_calls",),
    "max_output_tokens": ("max_completion_tokens",),
    "reasoning": ("reasoning_effort", "reasoning.summary"),
    "reasoning.effort": ("reasoning_effort",),
    "text": ("response_format", "verbosity"),
    "text.format": ("response_format",),
    "text.verbosity": ("verbosity",),
}
"""Parameter of the Responses API -> its names in chat completions, which a policy uses for both."""


@dataclass(frozen=True, slots=True)
class Policy:
    """An action per parameter: its own, else its parent's (`messages.name`: `messages`), else the default."""

    default: Word = "warn"
    by_param: Mapping[str, Word] = field(default_factory=lambda: NO_WORDS)

    @property
    def emulates(self) -> bool:
        """Whether anything is emulated."""
        return self.default == "emulate" or "emulate" in self.by_param.values()

    def has_own(self, param: str) -> bool:
        """Whether the policy names this parameter itself."""
        return param in self.by_param

    def word(self, param: str, *, parent: str | None = None) -> Word:
        """Return the action for a parameter, `"messages.content"` or `"top_p"`.

        Args:
            param: Its name.
            parent: The parameter it is a part of; by default the name before its dot.
        """
        if not self.by_param:
            return self.default
        found = self.by_param.get(param)
        if found is None and parent is not None:
            return self.word(parent)
        if found is None and "." in param:
            found = self.by_param.get(param.partition(".")[0])
        return self.default if found is None else found

    def overridden_by(self, other: Unsupported | None) -> Policy:
        """Return this policy with that of a call applied: a word replaces all, a mapping what it names."""
        if other is None:
            return self
        if isinstance(other, str):
            return Policy(other)
        words: dict[str, Word] = {**self.by_param, **other}
        default = words.pop("*", self.default)
        return Policy(default, words)


def parse_unsupported(value: object, known: frozenset[str]) -> Unsupported:
    """Narrow `unsupported=` to a word or a mapping of parameter names (and `"*"`) to words.

    Args:
        value: From the caller: `"warn"`, `{"seed": "ignore", "*": "error"}`.
        known: The names that it may contain, besides those of the Responses API.

    Raises:
        ValueError: It contains another word, or a parameter that OpenAI does not have; names the closest.
    """
    if isinstance(value, str):
        return _word(value, "unsupported")
    if not isinstance(value, Mapping):
        raise ValueError(f"unsupported must be one of {_listed(WORDS)}, or a mapping of parameters to these")
    words: dict[str, Word] = {}
    for param, word in cast("Mapping[object, object]", value).items():
        if not isinstance(param, str) or (param != "*" and param not in known | RESPONSES_NAMES.keys()):
            near = difflib.get_close_matches(str(param), known | RESPONSES_NAMES.keys(), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else '; "*" means all others'
            raise ValueError(
                f"unsupported names {quoted(param)}, which is no parameter of OpenAI's APIs{hint}"
            )
        for name in RESPONSES_NAMES.get(param, (param,)):
            words[name] = _word(word, f"unsupported[{param!r}]")
    return words


def _word(value: object, where: str) -> Word:
    if isinstance(value, str) and value in WORDS:
        return value
    raise ValueError(f"{where} is {quoted(value)}; it must be one of {_listed(WORDS)}")


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(repr(word) for word in words)
