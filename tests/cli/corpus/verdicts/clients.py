"""Clients of many origins: each call is found, and judged as the call of a client for Tess would be."""

import asyncio
import os
from functools import lru_cache, partial
from typing import Any, ClassVar, Final

import instructor
import openai
from openai import AsyncAzureOpenAI, AsyncOpenAI, AzureOpenAI, OpenAI
from pydantic import BaseModel

from tess_openai import create_async_client, create_client, presets

ask = [{"role": "user", "content": "Hello"}]
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}


class Shape(BaseModel):
    """An answer."""

    sides: int


# Azure's clients
azure = AzureOpenAI(azure_endpoint="https://mine.openai.azure.com", api_version="2024-06-01")
azure.chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is
azure.chat.completions.create(model="gpt-4o", messages=ask, seed=1)  # verdict: left out
azure.embeddings.create(model="text-embedding-3-small", input="x")  # verdict: cannot


async def in_azure() -> None:
    """Ask."""
    client = AsyncAzureOpenAI()
    await client.chat.completions.create(model="gpt-4o", messages=ask, response_format={"type": "json_object"})  # verdict: needs emulation | emulated
    async with AsyncOpenAI() as other:
        await other.responses.create(model="gpt-4o", input="x")  # verdict: as it is
        await asyncio.gather(*[other.chat.completions.create(model="gpt-4o", messages=ask) for _ in range(3)])  # verdict: as it is


# other providers
deepseek = OpenAI(base_url="https://api.deepseek.com", api_key="x")
deepseek.chat.completions.create(model="tess-6", messages=ask)  # verdict: as it is
router = OpenAI(base_url="https://openrouter.ai/api/v1", api_key=os.environ["OPENROUTER_API_KEY"])
router.chat.completions.create(model="tess-6", messages=ask, top_p=0.5)  # verdict: left out

# Instructor
shaped = instructor.from_openai(client=OpenAI())
shaped.chat.completions.create(model="gpt-4o", messages=ask, response_model=Shape)  # verdict: needs emulation ? | emulated ?
shaped.chat.completions.create_with_completion(model="gpt-4o", messages=ask, response_model=Shape)  # verdict: needs emulation ? | emulated ?
shaped.chat.completions.create_partial(model="gpt-4o", messages=ask, response_model=Shape)  # verdict: needs emulation ? | emulated ?
shaped.chat.completions.create_iterable(model="gpt-4o", messages=ask, response_model=Shape, max_retries=3)  # verdict: needs emulation ? | emulated ?
shaped.create(model="gpt-4o", messages=ask, response_model=Shape)  # verdict: needs emulation ? | emulated ?
in_prompt = instructor.from_openai(OpenAI(), mode=instructor.Mode.MD_JSON)
in_prompt.chat.completions.create(model="gpt-4o", messages=ask, response_model=Shape)  # verdict: as it is
patched = instructor.patch(OpenAI())
patched.chat.completions.create(model="gpt-4o", messages=ask, response_model=Shape)  # verdict: needs emulation ? | emulated ?
provided = instructor.from_provider("openai/gpt-4o")
provided.create(messages=ask, response_model=Shape)  # verdict: needs emulation ? | emulated ?
ours = presets.instructor(42)
ours.chat.completions.create(model="tess-6", messages=ask, response_model=Shape)  # verdict: as it is | emulated ?
wrapped = instructor.from_openai(create_client(42, emulate=True))
wrapped.chat.completions.create(model="tess-6", messages=ask, response_model=Shape)  # verdict: emulated ?


# made elsewhere, passed in, inherited
class Service:
    """Keeps what it is given."""

    def __init__(self, client, model="gpt-4o"):
        self.client = client
        self.model = model

    def ask(self, text):
        """Ask."""
        return self.client.chat.completions.create(model=self.model, messages=[{"role": "user", "content": text}])  # verdict: as it is


Service(OpenAI()).ask("Hello")


class Base:
    """Makes a client."""

    client_class = OpenAI

    def make(self):
        """Make it."""
        return self.client_class()

    @classmethod
    def shared(cls):
        """Make one without an object."""
        return cls.client_class()


class Derived(Base):
    """Inherits how it is made."""

    def __init__(self):
        self.client = self.make()

    def ask(self):
        """Ask."""
        self.client.chat.completions.create(model="gpt-4o", messages=ask, stop="x")  # verdict: left out | emulated
        self.shared().embeddings.create(model="text-embedding-3-small", input="x")  # verdict: cannot
        super().make().images.generate(prompt="x")  # verdict: cannot


class Parent:
    """Takes a client."""

    def __init__(self, client=None):
        self._client = client

    @property
    def client(self):
        """Make one when none was given."""
        if self._client is None:
            self._client = OpenAI()
        return self._client


class Child(Parent):
    """Passes one on."""

    def __init__(self):
        super().__init__(client=OpenAI())

    def ask(self):
        """Ask."""
        return self.client.chat.completions.create(model="gpt-4o", messages=ask, tools=[FUNCTION])  # verdict: needs emulation | emulated


@lru_cache
def get_client() -> OpenAI:
    """Make one once."""
    return OpenAI()


get_client().chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is
complete = partial(get_client().chat.completions.create, model="gpt-4o", seed=1)
complete(messages=ask)  # verdict: left out


# exclusive branches
def chosen(is_azure: bool, wants_json: bool) -> None:
    """Use one of two."""
    if is_azure:
        client = AzureOpenAI()
        client.chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is
    else:
        client = OpenAI()
        client.embeddings.create(model="text-embedding-3-small", input="x")  # verdict: cannot
    given = {"model": "gpt-4o", "messages": ask}
    if wants_json:
        given["response_format"] = {"type": "json_object"}
    else:
        given["temperature"] = 0.5
    client.chat.completions.create(**given)  # verdict: needs emulation | emulated
    temperature = 0.7 if wants_json else 0.5
    client.chat.completions.create(model="gpt-4o", messages=ask, temperature=temperature)  # verdict: left out
    if wants_json:
        options = {"seed": 1}
        client.chat.completions.create(model="gpt-4o", messages=ask, **options)  # verdict: left out
    else:
        options = {}
        client.chat.completions.create(model="gpt-4o", messages=ask, **options)  # verdict: as it is


def early(fast: bool) -> object:
    """Return before the other client is made."""
    if fast:
        client = create_client(42, emulate=True)
        return client.chat.completions.create(model="tess-6", messages=ask, tools=[FUNCTION])  # verdict: emulated
    client = create_client(42)
    return client.chat.completions.create(model="tess-6", messages=ask, tools=[FUNCTION])  # verdict: needs emulation | emulated


def values(choice: str, tools: list, schema: dict, **more: object) -> None:
    """Depend on what only the running program knows."""
    client = create_client(42)
    client.chat.completions.create(model="tess-6", messages=ask, tools=[FUNCTION], tool_choice=choice)  # verdict: needs emulation | emulated
    client.chat.completions.create(model="tess-6", messages=ask, tools=tools)  # verdict: needs emulation ? | emulated ?
    client.chat.completions.create(model="tess-6", messages=ask, tool_choice=choice)  # verdict: as it is ?
    client.chat.completions.create(model="tess-6", messages=ask, response_format=schema)  # verdict: needs emulation ? | emulated ?
    client.chat.completions.parse(model="tess-6", messages=ask, response_format=Shape)  # verdict: needs emulation ? | emulated ?
    client.beta.chat.completions.parse(model="tess-6", messages=ask, response_format=Shape)  # verdict: needs emulation ? | emulated ?
    client.responses.parse(model="tess-6", input="x", text_format=Shape)  # verdict: needs emulation ? | emulated ?
    client.responses.create(model="tess-6", input=more["x"], tools=tools)  # verdict: needs emulation ? | emulated ?
    client.responses.create(model="tess-6", input="x", previous_response_id=choice)  # verdict: as it is
    client.chat.completions.create(model="tess-6", messages=ask, **more)  # verdict: as it is ?
    client.chat.completions.create(model="tess-6", messages=ask, seed=1, **more)  # verdict: left out
    client.completions.create(model="tess-6", prompt=choice, max_tokens=5)  # verdict: left out | emulated
    client.post("/chat/completions", cast_to=object, body={})  # verdict: as it is


# converted, with another client for what Tess lacks
served = create_client(42, others={"embeddings": OpenAI()})
served.embeddings.create(model="text-embedding-3-small", input="x")  # verdict: as it is
served.images.generate(prompt="x")  # verdict: cannot
create_async_client(42, unsupported="ignore").chat.completions.create(model="tess-6", messages=ask, seed=1)  # verdict: as it is
create_client(42, unsupported="error").chat.completions.create(model="tess-6", messages=ask, seed=1)  # verdict: cannot
create_client(42, unsupported="forward").chat.completions.create(model="tess-6", messages=ask, seed=1)  # verdict: as it is

openai.chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is
openai.responses.create(model="gpt-4o", input="x", reasoning={"effort": "low"})  # verdict: left out
openai.images.edit(image=b"", prompt="x")  # verdict: cannot


def annotated(given: "ClassVar[OpenAI]", options: dict) -> None:
    """Say that a name is bound once."""
    once: Final = options.get("client") or get_client()
    once.chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is
    twice: Final[OpenAI] = options["client"]
    twice.embeddings.create(model="text-embedding-3-small", input="x")  # verdict: cannot
    given.images.generate(prompt="x")  # verdict: cannot
    anything: Any = options["client"]
    anything.chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is


class Fetcher:
    """Has a method that the SDK's clients have too."""

    def get(self, path):
        """Get it."""
        return path


def unknown(llm, helper, api) -> None:
    """Take what nobody says."""
    llm.client.chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is
    helper.get().chat.completions.create(model="gpt-4o", messages=ask, functions=[{"name": "f"}])  # verdict: needs emulation | emulated
    api.embeddings.create(model="text-embedding-3-small", input="x")  # verdict: cannot
    api.audio.transcriptions.create(model="whisper-1", file=b"")  # verdict: cannot
    api.completions.create(model="tess-6", prompt="x")  # verdict: as it is
    chat = helper.chat()
    chat.completions.create(model="gpt-4o", messages=ask)  # verdict: as it is
    (llm or OpenAI()).post("/x", cast_to=object)  # verdict: as it is
    (Fetcher() or OpenAI()).get("/x")
    api.files.create(name="x")
    helper.create(model="m")
    helper.completions.append("x")
