"""Clients by every name, and plain calls."""

import importlib
import os

import openai
import openai as oa
from openai import OpenAI
from openai import AsyncOpenAI as Async
from openai import NOT_GIVEN, Client

messages = [{"role": "user", "content": "Hello"}]

client = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
client.chat.completions.create(model="gpt-4o", messages=messages)  # expect: chat.completions.create
openai.OpenAI().chat.completions.create(model="tess-6", messages=messages)  # expect: openai.OpenAI openai.OpenAI=rewritten | chat.completions.create
oa.Client().chat.completions.create(model="tess-6", messages=messages, seed=1)  # expect: openai.Client openai.Client=rewritten | chat.completions.create seed=stripped
keyed = Client(  # expect: openai.Client openai.Client=rewritten api_key=rewritten organization=stripped base_url=rewritten
    api_key="sk-not-a-key-0123456789",
    organization="org",
    base_url="https://api.openai.com/v1",
    timeout=3,
    max_retries=5,
)
keyed.chat.completions.create(model="tess-6", messages=messages, stream=True)  # expect: chat.completions.create
openai.chat.completions.create(model="tess-6", messages=messages, top_p=0.5)  # expect: chat.completions.create openai=unseen top_p=stripped
openai.api_key = "sk-x"  # expect: openai.api_key openai.api_key=rewritten
lazy = importlib.import_module("openai").OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
lazy.chat.completions.create(model="tess-6", messages=messages, n=1)  # expect: chat.completions.create


async def main() -> None:
    """Async clients."""
    asynchronous = Async()  # expect: openai.AsyncOpenAI openai.AsyncOpenAI=rewritten
    await asynchronous.chat.completions.create(model="tess-6", messages=messages, n=2)  # expect: chat.completions.create n=stripped
    async with openai.AsyncOpenAI() as managed:  # expect: openai.AsyncOpenAI openai.AsyncOpenAI=rewritten
        stream = await managed.chat.completions.create(  # expect: chat.completions.create
            model="tess-6", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        async for chunk in stream:
            print(chunk)
    await openai.AsyncClient().responses.create(model="tess-6", input="x")  # expect: openai.AsyncClient openai.AsyncClient=rewritten | responses.create


def values(temperature, limit: int) -> None:
    """What is not written out is doubted, what is left out is not there."""
    client.chat.completions.create(  # expect: chat.completions.create temperature=rewritten? max_tokens=stripped?
        model=os.environ.get("MODEL", "m"),
        messages=messages,
        temperature=temperature,
        max_tokens=limit,
        seed=NOT_GIVEN,
        stop=openai.omit,
    )
    client.chat.completions.create(model="tess-6", messages=messages, temperature=0.7)  # expect: chat.completions.create temperature=rewritten
    client.chat.completions.create(model="tess-6", messages=messages, temperature=1.0)  # expect: chat.completions.create
    client.chat.completions.create(  # expect: chat.completions.create
        model="tess-6", messages=messages, top_p=1, n=1, stop=None, presence_penalty=0, logprobs=False, tools=None
    )
    client.chat.completions.create(  # expect: chat.completions.create top_p=stripped stop=stripped presence_penalty=stripped user=stripped
        model="tess-6", messages=messages, top_p=0.9, stop=["\n"], presence_penalty=-0.5, user="me"
    )


with OpenAI() as held:  # expect: openai.OpenAI openai.OpenAI=rewritten
    held.chat.completions.create(model="tess-6", messages=messages)  # expect: chat.completions.create

if (walrus := OpenAI()) is not None:  # expect: openai.OpenAI openai.OpenAI=rewritten
    walrus.chat.completions.create(model="tess-6", messages=messages)  # expect: chat.completions.create
