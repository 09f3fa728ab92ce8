"""What Tess has not, and what is OpenAI's alone."""

import os
from os import environ, getenv

import openai
import requests
from openai import AsyncAzureOpenAI, AzureOpenAI, OpenAI

client = OpenAI(api_key=os.environ["OPENAI_API_KEY"])  # expect: openai.OpenAI openai.OpenAI=rewritten api_key=rewritten | OPENAI_API_KEY OPENAI_API_KEY=unread
azure = AzureOpenAI(azure_endpoint="https://example.com")  # expect: openai.AzureOpenAI openai.AzureOpenAI=refused
azure.chat.completions.create(model="tess-6", messages=[], seed=3)  # expect: chat.completions.create seed=stripped
AsyncAzureOpenAI()  # expect: openai.AsyncAzureOpenAI openai.AsyncAzureOpenAI=refused

client.responses.create(model="tess-6", input="x")  # expect: responses.create
client.responses.with_raw_response.create(model="tess-6", input="x")  # expect: responses.create
client.embeddings.create(model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused
client.images.generate(prompt="x")  # expect: images.generate images.generate=refused
client.audio.transcriptions.create(model="tess-6", file=b"")  # expect: audio.transcriptions.create audio.transcriptions.create=refused
client.audio.speech.with_streaming_response.create(model="tess-6", voice="v", input="x")  # expect: audio.speech.create audio.speech.create=refused
client.moderations.create(input="x")  # expect: moderations.create moderations.create=refused
client.completions.create(model="tess-6", prompt="x")  # expect: completions.create
client.fine_tuning.jobs.create(model="tess-6", training_file="x")  # expect: fine_tuning.jobs.create fine_tuning.jobs.create=refused
client.batches.create(input_file_id="x", endpoint="/v1/chat/completions", completion_window="24h")  # expect: batches.create batches.create=refused
client.vector_stores.create()  # expect: vector_stores.create vector_stores.create=refused
client.beta.assistants.create(model="tess-6")  # expect: assistants.create assistants.create=refused
client.beta.threads.runs.create("t", assistant_id="a")  # expect: threads.runs.create threads.runs.create=refused
client.chat.completions.list()  # expect: chat.completions.list chat.completions.list=refused
client.uploads.create(bytes=1, filename="f", mime_type="t", purpose="batch")  # expect: uploads.create uploads.create=refused
client.post("/chat/completions", cast_to=object)  # expect: post post=unseen
client.models.list()  # expect: models.list
client.files.create(file=b"", purpose="assistants")  # expect: files.create
client.close()
openai.embeddings.create(model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused
openai.ChatCompletion.create(model="tess-6", messages=[])  # expect: openai.ChatCompletion.create openai.ChatCompletion.create=refused
client.webhooks.unwrap(b"", {})

environ.get("OPENAI_BASE_URL")  # expect: OPENAI_BASE_URL OPENAI_BASE_URL=unread
getenv("OPENAI_ORG_ID")  # expect: OPENAI_ORG_ID OPENAI_ORG_ID=unread
if "OPENAI_API_KEY" not in os.environ:  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
    os.environ["OPENAI_API_KEY"] = "x"  # expect: OPENAI_API_KEY OPENAI_API_KEY=unread
os.environ.get("HOME", "the OPENAI_API_KEY is not set")

print(client.base_url)  # expect: base_url base_url=unseen
client.base_url = "https://example.com"  # expect: base_url base_url=unseen
openai.base_url = "https://example.com"  # expect: openai.base_url openai.base_url=rewritten
client.with_options(base_url="https://example.com")  # expect: base_url base_url=unseen
requests.post("https://api.openai.com/v1/chat/completions", timeout=3)  # expect: api.openai.com api.openai.com=unseen
requests.Session().base_url = "https://example.com"

isinstance(client, OpenAI)  # expect: openai.OpenAI openai.OpenAI=kept
isinstance(client, (int, openai.AsyncOpenAI))  # expect: openai.AsyncOpenAI openai.AsyncOpenAI=kept
type(client) is OpenAI  # expect: openai.OpenAI openai.OpenAI=kept
isinstance(client, int)
