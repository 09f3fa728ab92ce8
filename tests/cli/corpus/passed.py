"""Methods and classes that are handed to something that calls them, and clients from unusual places."""

import asyncio
import functools
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import openai
from anyio import to_thread
from asgiref.sync import sync_to_async
from fastapi import Depends
from openai import AsyncOpenAI, OpenAI
from openai.lib.azure import AzureOpenAI
from openai.resources import AsyncEmbeddings
from openai.resources.chat import Completions as ChatCompletions
from openai.resources.chat.completions import AsyncCompletions, Completions
from openai.resources.responses.responses import Responses

client = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
messages = [{"role": "user", "content": "Hello"}]


async def run(loop, pool, retry, helper) -> None:
    """Hand a method to what calls it."""
    await asyncio.to_thread(client.chat.completions.create, model="tess-6", messages=messages, seed=1)  # expect: chat.completions.create seed=stripped
    await asyncio.to_thread(client.embeddings.create, model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused
    await loop.run_in_executor(None, client.chat.completions.create)  # expect: chat.completions.create
    await loop.run_in_executor(pool, functools.partial(client.chat.completions.create, messages=messages, stop="x"))  # expect: chat.completions.create stop=stripped
    await loop.run_in_executor(None, lambda: client.chat.completions.create(messages=messages, top_p=0.3))  # expect: chat.completions.create top_p=stripped
    await to_thread.run_sync(functools.partial(client.chat.completions.create, user="me"), limiter=None)  # expect: chat.completions.create user=stripped
    with ThreadPoolExecutor() as executor:
        executor.submit(client.chat.completions.create, model="tess-6", messages=messages, temperature=0.7)  # expect: chat.completions.create temperature=rewritten
        executor.submit(OpenAI, organization="o")  # expect: openai.OpenAI openai.OpenAI=rewritten organization=stripped
    retry(client.chat.completions.create, 3, model="tess-6", messages=messages, seed=2)  # expect: chat.completions.create seed=stripped
    retry(client.chat.completions.parse, **messages[0])  # expect: chat.completions.parse **...=unseen?
    threading.Thread(target=client.chat.completions.create, kwargs={"messages": messages, "n": 2}).start()  # expect: chat.completions.create n=stripped
    pool.apply_async(client.chat.completions.create, kwds=dict(messages=messages, seed=3))  # expect: chat.completions.create seed=stripped
    await sync_to_async(client.chat.completions.create)(model="tess-6", messages=messages, seed=4)  # expect: chat.completions.create seed=stripped
    answer = await asyncio.to_thread(client.chat.completions.create, model="tess-6", messages=messages)  # expect: chat.completions.create
    answer.choices[0].message.model_dump()
    answer.create(model="tess-6", messages=messages)
    helper.register(client.chat.completions.create)
    helper.show(name=client.chat.completions.create)
    print(client.chat.completions.create)


def again(function, **options):
    """Call what it is given."""
    return function(**options)  # expect: chat.completions.create **options=unseen?


def named(function, messages, seed):
    """Call what it is given with what it names."""
    return function(messages=messages, seed=seed)  # expect: chat.completions.create messages=kept? seed=stripped?


again(client.chat.completions.create, model="tess-6", messages=messages, seed=5)  # expect: chat.completions.create seed=stripped
named(client.chat.completions.create, messages=messages, seed=6)


@dataclass
class Holder:
    """Makes its client by itself."""

    client: OpenAI = field(default_factory=OpenAI)  # expect: openai.OpenAI openai.OpenAI=rewritten
    other: Any = field(default_factory=AsyncOpenAI)  # expect: openai.AsyncOpenAI openai.AsyncOpenAI=rewritten
    third: Any = field(default_factory=lambda: OpenAI(project="p"))  # expect: openai.OpenAI openai.OpenAI=rewritten project=stripped
    names: list = field(default_factory=list)

    async def ask(self) -> None:
        """Ask."""
        self.client.chat.completions.create(messages=messages)  # expect: chat.completions.create
        await self.other.chat.completions.create(messages=messages)  # expect: chat.completions.create
        self.third.chat.completions.create(messages=messages)  # expect: chat.completions.create
        self.names.append(1)


clients = defaultdict(OpenAI)  # expect: openai.OpenAI openai.OpenAI=rewritten
make = functools.partial(OpenAI, organization="o")
make()  # expect: openai.OpenAI openai.OpenAI=rewritten


def route(given: OpenAI = Depends(OpenAI)) -> None:  # expect: openai.OpenAI openai.OpenAI=rewritten
    """Get one from the framework."""
    given.chat.completions.create(messages=messages)  # expect: chat.completions.create


def resources(
    a: Completions, b: AsyncCompletions, c: ChatCompletions, d: AsyncEmbeddings, e: Responses, f: openai.resources.Chat
) -> None:
    """Take parts of a client by annotation."""
    a.create(model="tess-6", messages=messages, seed=1)  # expect: chat.completions.create seed=stripped
    b.create(model="tess-6", messages=messages)  # expect: chat.completions.create
    c.create(model="tess-6", messages=messages)  # expect: chat.completions.create
    d.create(input="x")  # expect: embeddings.create embeddings.create=refused
    e.create(input="x")  # expect: responses.create
    f.completions.create(model="tess-6", messages=messages)  # expect: chat.completions.create


Completions(client).create(messages=messages)  # expect: chat.completions.create
AzureOpenAI(azure_endpoint="x")  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused
__import__("openai").OpenAI().models.list()  # expect: openai.OpenAI openai.OpenAI=rewritten | models.list
client.beta.threads._client.embeddings.create(input="x")  # expect: embeddings.create embeddings.create=refused
client.embeddings._get_api_list("x")
