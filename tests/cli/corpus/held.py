"""Clients that classes hold, make, inherit or are given, also of Azure, and clients of several branches."""

from dataclasses import dataclass, field
from typing import Protocol
from openai import OpenAI
import openai

class A:
    def __init__(self, client):
        self.client = client
    def go(self):
        return self.client.chat.completions.create(model="tess-6", messages=[], stop=["x"])  # expect: chat.completions.create? stop=stripped

class B:
    def __init__(self, client=None, **kw):
        self._client = client or OpenAI(**kw)  # expect: openai.OpenAI **kw=unseen? openai.OpenAI=rewritten
    def go(self):
        return self._client.responses.create(model="tess-6", input="x", temperature=0.3)  # expect: responses.create temperature=rewritten

@dataclass
class C:
    client: OpenAI
    def go(self):
        return self.client.embeddings.create(model="e", input="x")  # expect: embeddings.create embeddings.create=refused

class D:
    def __init__(self, *, llm_client: "openai.OpenAI | None" = None):
        self.llm = llm_client
    def go(self):
        assert self.llm
        create = self.llm.chat.completions.create
        return create(model="tess-6", messages=[], response_format={"type": "json_object"})  # expect: chat.completions.create response_format=stripped

class E:
    def __init__(self, client):
        self.chat = client.chat
        self.completions = client.chat.completions
    def go(self):
        self.chat.completions.create(model="tess-6", messages=[])  # expect: chat.completions.create
        return self.completions.create(model="tess-6", messages=[], seed=1)  # expect: chat.completions.create seed=stripped
E(OpenAI())  # expect: openai.OpenAI openai.OpenAI=rewritten

class F:
    def set(self, client: OpenAI): 
        object.__setattr__(self, "client", client)
    def go(self): return self.client.chat.completions.create(model="tess-6", messages=[])  # expect: chat.completions.create
import os
from functools import lru_cache, cached_property
from openai import AzureOpenAI, AsyncAzureOpenAI
import openai

az = AzureOpenAI(api_version="2024-02-01", azure_endpoint="https://x.openai.azure.com", azure_ad_token_provider=None)  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused
az.chat.completions.create(model="gpt-4o", messages=[], seed=1)  # expect: chat.completions.create seed=stripped

@lru_cache(maxsize=1)
def get_azure() -> AzureOpenAI:
    return AzureOpenAI(azure_endpoint=os.environ["AZURE_OPENAI_ENDPOINT"])  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused | AZURE_OPENAI_ENDPOINT AZURE_OPENAI_ENDPOINT=unread

get_azure().embeddings.create(model="e", input="x")  # expect: embeddings.create embeddings.create=refused

class Llm:
    @cached_property
    def client(self):
        return openai.AzureOpenAI()  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused
    def ask(self, q):
        return self.client.chat.completions.create(model="dep", messages=[{"role": "user", "content": q}], tools=[{"type":"function","function":{"name":"f"}}])  # expect: chat.completions.create model=unseen tools=stripped

async def go():
    async with AsyncAzureOpenAI() as c:  # expect: openai.AsyncAzureOpenAI openai.AsyncAzureOpenAI=refused
        async with c.chat.completions.stream(model="dep", messages=[]) as s:  # expect: chat.completions.stream model=unseen
            async for e in s: ...

def make(kind):
    if kind == "azure":
        return AzureOpenAI()  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused
    return openai.OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten

make("azure").responses.create(model="tess-6", input="x")  # expect: responses.create
from abc import ABC, abstractmethod
from openai import OpenAI, AsyncOpenAI

class Base(ABC):
    @abstractmethod
    def make(self): ...
    def client(self):
        return self.make()

class Mine(Base):
    def make(self):
        return OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
    def ask(self):
        return self.client().chat.completions.create(model="tess-6", messages=[], seed=2)  # expect: chat.completions.create? seed=stripped

class Factory:
    client_class = OpenAI
    def build(self):
        return self.client_class()  # expect: openai.OpenAI openai.OpenAI=rewritten

class AsyncFactory(Factory):
    client_class = AsyncOpenAI
    async def run(self):
        return await self.build().chat.completions.create(model="tess-6", messages=[])  # expect: chat.completions.create

class Mixin:
    def _get(self):
        if self._c is None:
            self._c = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
        return self._c

class Service(Mixin):
    _c = None
    def go(self):
        return self._get().embeddings.create(model="e", input="x")  # expect: embeddings.create embeddings.create=refused

class Holder:
    @classmethod
    def create(cls):
        return cls(OpenAI())  # expect: openai.OpenAI openai.OpenAI=rewritten
    def __init__(self, c):
        self.c = c
    def go(self):
        return self.c.moderations.create(input="x")  # expect: moderations.create moderations.create=refused

class Sub(Holder):
    def more(self):
        super().__init__(OpenAI())  # expect: openai.OpenAI openai.OpenAI=rewritten
        return self.c.images.generate(prompt="x")  # expect: images.generate images.generate=refused

CLIENTS = {"sync": lambda: OpenAI(), "async": AsyncOpenAI}  # expect: openai.OpenAI openai.OpenAI=rewritten
def pick(name): return CLIENTS[name]()  # expect: openai.AsyncOpenAI openai.AsyncOpenAI=rewritten
pick("sync").chat.completions.create(model="tess-6", messages=[], n=2)  # expect: chat.completions.create n=stripped
import sys
from openai import OpenAI, AzureOpenAI
def f(a):
    if a == 1:
        client = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
        fmt = {"type": "text"}
    elif a == 2:
        client = AzureOpenAI()  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused
        fmt = {"type": "json_object"}
    else:
        client = None
        fmt = None
    if a == 1:
        return client.chat.completions.create(model="tess-6", messages=[], response_format=fmt)  # expect: chat.completions.create response_format=stripped
def g(a):
    if a:
        model, c = "tess-6", OpenAI(base_url="https://api.deepseek.com")  # expect: openai.OpenAI base_url=rewritten openai.OpenAI=rewritten
        return c.chat.completions.create(model=model, messages=[])  # expect: chat.completions.create
    model, c = "gpt-9", OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
    return c.chat.completions.create(model=model, messages=[])  # expect: chat.completions.create model=unseen
def h(p):
    match p:
        case "a":
            kw = {"seed": 1}
        case "b":
            kw = {"top_p": 0.3}
        case _:
            kw = {}
    return OpenAI().chat.completions.create(model="tess-6", messages=[], **kw)  # expect: chat.completions.create seed=stripped top_p=stripped | openai.OpenAI openai.OpenAI=rewritten
def i(p):
    try:
        c = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
    except Exception:
        c = AzureOpenAI()  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused
    return c.chat.completions.create(model="tess-6", messages=[])  # expect: chat.completions.create
def j(p):
    fmt = {"type": "json_object"} if p else None
    tools = None
    if p == 3:
        tools = [{"type": "function", "function": {"name": "f"}}]
    return OpenAI().chat.completions.create(model="tess-6", messages=[], response_format=fmt, tools=tools)  # expect: chat.completions.create response_format=stripped tools=stripped | openai.OpenAI openai.OpenAI=rewritten
def k(p):
    if p:
        raise ValueError
    elif sys.argv:
        c = OpenAI(base_url="https://openrouter.ai/api/v1")  # expect: openai.OpenAI base_url=rewritten openai.OpenAI=rewritten
    else:
        c = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
    while c:
        c.chat.completions.create(model="tess-6", messages=[])  # expect: chat.completions.create
        c = OpenAI(base_url="https://api.groq.com")  # expect: openai.OpenAI base_url=rewritten openai.OpenAI=rewritten
from mylib import TracedChatOpenAI, OpenAIInstrumentor
TracedChatOpenAI(model="x").invoke("x")  # expect: mylib.TracedChatOpenAI? mylib.TracedChatOpenAI=unseen
OpenAIInstrumentor().instrument()
