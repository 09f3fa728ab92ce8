"""What is found: sites, and what becomes of each argument there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from tess_openai.core.jsons import JSONObject

Level: TypeAlias = Literal["error", "warning", "note", "none"]
"""`error`: refused, or not there on Tess. `warning`: lost or changed, as the adapter warns. `note`: worded
differently, emulated, or not to be judged here. `none`: as it is."""
EffectKind: TypeAlias = Literal["kept", "rewritten", "emulated", "stripped", "refused", "unread", "unseen"]
Kind: TypeAlias = Literal["call", "client", "endpoint", "environment", "base-url", "type-check", "legacy"]

LEVELS: Final[tuple[Level, ...]] = get_args(Level)


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What becomes of one argument, or of the site as a whole.

    Attributes:
        subject: The argument, `"top_p"`; of the site as a whole its own name.
        effect: What becomes of it.
        level: How much it matters.
        line: From 1.
        column: From 1, in characters.
        why: One clause.
        remedy: What to do; `""` for nothing.
        sent: What goes out in its place.
        certain: False when it depends on a value that is not written out.
    """

    subject: str
    effect: EffectKind
    level: Level
    line: int
    column: int
    why: str = ""
    remedy: str = ""
    sent: str = ""
    certain: bool = True

    def to_json(self) -> JSONObject:
        """Return its attributes."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """One place in the source that has to do with OpenAI.

    Attributes:
        path: Of the file, as it was given.
        line: From 1.
        column: From 1, in characters.
        end_line: From 1.
        end_column: Behind the last character.
        kind: Of what.
        name: `"chat.completions.create"`, `"openai.OpenAI"`, `"OPENAI_API_KEY"`.
        source: The line, without keys.
        certain: False when the client itself is not seen, only the way it is called.
        effects: In the order of the source.
    """

    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    kind: Kind
    name: str
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

    def to_json(self) -> JSONObject:
        """Return its attributes and its level, the effects as objects."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return {**plain, "level": self.level, "effects": [effect.to_json() for effect in self.effects]}
