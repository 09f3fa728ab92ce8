"""What is found: sites, what becomes of each argument there, and one verdict for each call."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from tess_openai.core.jsons import JSONObject

Level: TypeAlias = Literal["error", "warning", "note", "none"]
"""`error`: the program breaks. `warning`: lost or changed, as the adapter warns. `note`: sent in another
form, emulated, or not to be judged here. `none`: as it is."""
EffectKind: TypeAlias = Literal["kept", "rewritten", "emulated", "stripped", "refused", "unread", "unseen"]
SiteKind: TypeAlias = Literal["call", "client", "environment", "base-url", "type-check", "legacy", "library"]
Verdict: TypeAlias = Literal["as it is", "emulated", "left out", "needs emulation", "cannot"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)
VERDICTS: Final[tuple[Verdict, ...]] = get_args(Verdict)
"""From the best to the worst; the verdict of a call is the worst of its arguments'."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of one argument, or of the site as a whole.

    Attributes:
        subject: The argument, `"top_p"`; of the site as a whole its own name.
        effect: What becomes of it.
        level: How much it matters.
        line: From 1; of a notebook, in the cell.
        column: From 1, in characters.
        end_line: From 1.
        end_column: Behind the last character.
        why: One clause.
        remedy: What to do; `""` for nothing.
        sent: What goes out in its place.
        certain: False when it depends on a value that is not written out.
        needs_emulation: Whether the program breaks unless the adapter emulates this.
    """

    subject: str
    effect: EffectKind
    level: Level
    line: int
    column: int
    end_line: int = 0
    end_column: int = 0
    why: str = ""
    remedy: str = ""
    sent: str = ""
    certain: bool = True
    needs_emulation: bool = False

    @property
    def verdict(self) -> Verdict:
        """What this alone makes of its call."""
        if self.effect == "refused":
            return "cannot"
        if self.needs_emulation:
            return "needs emulation"
        if self.effect == "emulated":
            return "emulated"
        return "left out" if self.level == "warning" and self.effect != "unseen" else "as it is"

    def to_json(self) -> JSONObject:
        """Return its attributes."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place in the source that has to do with OpenAI.

    Attributes:
        path: Of the file, as it was given.
        is_aside: Whether it is in a test or an example.
        cell: Of a notebook: the number of the code cell, from 1; else 0.
        line: From 1; of a notebook, in the cell.
        column: From 1, in characters.
        end_line: From 1.
        end_column: Behind the last character.
        kind: Of what.
        name: `"chat.completions.create"`, `"openai.OpenAI"`, `"OPENAI_API_KEY"`.
        endpoint: Of a call: the first part of its path, `"embeddings"`.
        provider: Whose server the call goes to now, when that is not OpenAI's.
        page: Of the documentation, that says more.
        source: The line, without keys.
        certain: False when the client itself is not seen, only the way it is called.
        effects: In the order of the source.
    """

    path: str
    is_aside: bool
    cell: int
    line: int
    column: int
    end_line: int
    end_column: int
    kind: SiteKind
    name: str
    endpoint: str
    provider: str
    page: str
    source: str
    certain: bool
    effects: tuple[Effect, ...]

    @property
    def level(self) -> Level:
        """The worst of its effects."""
        levels = {effect.level for effect in self.effects}
        for level in LEVELS:
            if level in levels:
                return level
        return "none"

    @property
    def verdict(self) -> Verdict | None:
        """What becomes of a call; None for all other kinds, which are listed and not counted."""
        if self.kind != "call":
            return None
        found = {effect.verdict for effect in self.effects}
        for verdict in reversed(VERDICTS):
            if verdict in found:
                return verdict
        return "as it is"

    @property
    def is_sure(self) -> bool:
        """Whether the verdict depends on nothing that is not written out."""
        verdict = self.verdict
        deciding = [each for each in self.effects if each.verdict == verdict]
        unseen = [each for each in self.effects if not each.certain and each.subject not in _TAKEN_FOR_GOOD]
        return any(each.certain for each in deciding) if verdict != "as it is" else not unseen

    def to_json(self) -> JSONObject:
        """Return its attributes, its level and its verdict; the effects as objects."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        more = {"level": self.level, "verdict": self.verdict, "sure": self.is_sure}
        return {**plain, **more, "effects": [effect.to_json() for effect in self.effects]}


_TAKEN_FOR_GOOD: Final = frozenset(
    {"input", "instructions", "messages", "model", "previous_response_id", "prompt", "stream"}
)
"""Arguments that hardly any program writes out, and that hardly ever change the verdict."""
