"""Clients of other providers, however their address is written."""

import os
from openai import OpenAI
URLS = {"ds": "https://api.deepseek.com/v1", "or": "https://openrouter.ai/api/v1"}
OpenAI(base_url="https://api.deepseek.com/v1", api_key="x").chat.completions.create(model="deepseek-chat", messages=[])  # expect: chat.completions.create model=unseen | openai.OpenAI api_key=rewritten base_url=rewritten openai.OpenAI=rewritten
c = OpenAI(base_url=URLS["or"], api_key="x")  # expect: openai.OpenAI api_key=rewritten base_url=rewritten openai.OpenAI=rewritten
c.chat.completions.create(model="m", messages=[])  # expect: chat.completions.create model=unseen
c2 = OpenAI(base_url=os.getenv("BASE", "https://api.groq.com/openai/v1"))  # expect: openai.OpenAI base_url=rewritten openai.OpenAI=rewritten
c2.chat.completions.create(model="m", messages=[])  # expect: chat.completions.create model=unseen
GROQ = "https://api.groq.com/openai/v1"
c3 = OpenAI(base_url=f"{GROQ}", api_key="x")  # expect: openai.OpenAI api_key=rewritten base_url=rewritten openai.OpenAI=rewritten
c3.chat.completions.create(model="m", messages=[])  # expect: chat.completions.create model=unseen
c4 = OpenAI(base_url="http://localhost:11434/v1", api_key="ollama")  # expect: openai.OpenAI api_key=rewritten base_url=rewritten openai.OpenAI=rewritten
c4.embeddings.create(model="nomic", input="x")  # expect: embeddings.create embeddings.create=refused
c5 = c4.with_options(base_url="https://api.x.ai/v1")  # expect: base_url base_url=unseen
c5.chat.completions.create(model="grok", messages=[])  # expect: chat.completions.create model=unseen
HOST="localhost"
c6 = OpenAI(base_url=f"http://{HOST}:8000/v1")  # expect: openai.OpenAI base_url=rewritten openai.OpenAI=rewritten
c6.chat.completions.create(model="m", messages=[])  # expect: chat.completions.create model=unseen
c7 = OpenAI(base_url="https://" + "api.mistral.ai/v1")  # expect: openai.OpenAI base_url=rewritten openai.OpenAI=rewritten
c7.chat.completions.create(model="m", messages=[])  # expect: chat.completions.create model=unseen
c8 = OpenAI(base_url=os.environ.get("X") or "https://api.cerebras.ai/v1")  # expect: openai.OpenAI base_url=rewritten openai.OpenAI=rewritten
c8.chat.completions.create(model="m", messages=[])  # expect: chat.completions.create model=unseen
