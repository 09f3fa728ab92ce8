"""Clients behind functions, classes, attributes, containers and partials."""

from __future__ import annotations

import functools
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Annotated, Optional, cast

import openai
from openai import AsyncOpenAI, OpenAI

Ask = [{"role": "user", "content": "Hello"}]


def make() -> OpenAI:
    """Make a client."""
    return OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten


def make_unannotated():
    """Make a client without saying so."""
    made = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
    return made


@functools.lru_cache
def cached():
    """Pass one on."""
    return make_unannotated()


make().chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
make_unannotated().chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
cached().chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
quick = lambda: OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
quick().chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


@contextmanager
def opened():
    """Give one to a with statement."""
    yield OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten


with opened() as inside:
    inside.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create

_shared = None


def shared():
    """Make the one of this module."""
    global _shared
    if _shared is None:
        _shared = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
    return _shared


shared().chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


class Bot:
    """Holds a client."""

    shared = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten

    def __init__(self, given: OpenAI | None = None) -> None:
        self.client = given or OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
        self._create = self.client.chat.completions.create

    @property
    def fast(self):
        """The same, faster."""
        return self.client.with_options(timeout=1)

    def ask(self) -> None:
        """Ask in every way."""
        self.client.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
        self.fast.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
        self._create(model="tess-6", messages=Ask, seed=2)  # expect: chat.completions.create seed=stripped
        Bot.shared.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


Bot().client.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


class Child(Bot):
    """Inherits one."""

    def again(self) -> None:
        """Ask."""
        self.client.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


class Own(OpenAI):
    """Is one."""

    def ask(self) -> None:
        """Ask."""
        self.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


Own().chat.completions.create(model="tess-6", messages=Ask)  # expect: openai.OpenAI openai.OpenAI=rewritten | chat.completions.create


class Grandchild(Own):
    """Is one through another."""

    def ask(self) -> None:
        """Ask."""
        self.chat.completions.create(model="tess-6", messages=Ask, seed=1)  # expect: chat.completions.create seed=stripped


Grandchild(organization="o").embeddings.create(input="x")  # expect: openai.OpenAI openai.OpenAI=rewritten organization=stripped | embeddings.create embeddings.create=refused


@dataclass
class Settings:
    """Holds one by annotation."""

    client: openai.OpenAI
    other: AsyncOpenAI = field(default_factory=AsyncOpenAI)  # expect: openai.AsyncOpenAI openai.AsyncOpenAI=rewritten

    async def ask(self) -> None:
        """Ask."""
        self.client.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
        await self.other.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


def typed(client: OpenAI, maybe: Optional[OpenAI], noted: Annotated[OpenAI, "x"], quoted: "OpenAI") -> None:
    """Take them by annotation."""
    client.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
    maybe.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
    noted.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
    quoted.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create


def untyped(one, two=make()) -> None:
    """Take them from callers and defaults."""
    one.embeddings.create(model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused
    two.embeddings.create(model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused


untyped(make())

clients = {"a": OpenAI(), "b": make()}  # expect: openai.OpenAI openai.OpenAI=rewritten
clients["a"].chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
clients.get("b").chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
for each in clients.values():
    each.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
pool = [OpenAI() for _ in range(2)]  # expect: openai.OpenAI openai.OpenAI=rewritten
answers = [each.chat.completions.create(model="tess-6", messages=Ask) for each in pool]  # expect: chat.completions.create
first, second = OpenAI(), make()  # expect: openai.OpenAI openai.OpenAI=rewritten
first.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
second.chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
(first or second).chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
(first if Ask else second).chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
getattr(first, "chat").completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
cast(OpenAI, object()).chat.completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
create = first.chat.completions.create
create(model="tess-6", messages=Ask)  # expect: chat.completions.create
ask = functools.partial(first.chat.completions.create, model="tess-6", seed=7, stop="x")
ask(messages=Ask, stop=None)  # expect: chat.completions.create seed=stripped
completions = first.chat.completions
completions.create(model="tess-6", messages=Ask)  # expect: chat.completions.create
optional = require("openai")
optional.embeddings.create(input="x")  # expect: embeddings.create embeddings.create=refused
