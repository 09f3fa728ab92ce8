"""Calls that a test both reads and runs; each says its verdict, without and with `emulate=True` where they differ."""

import openai
from pydantic import BaseModel
from tess_openai import create_client

client = create_client(42)
ask = [{"role": "user", "content": "Hello"}]
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object", "properties": {}}}}
FLAT = {"type": "function", "name": "look", "parameters": {"type": "object", "properties": {}}, "strict": False}
SCHEMA = {"type": "object", "properties": {"sides": {"type": "integer"}}, "required": ["sides"], "additionalProperties": False}
OPTIONS = {"seed": 1, "user": "me"}
COOL = 0.5


class Shape(BaseModel):
    """An answer."""

    sides: int


client.chat.completions.create(model="tess-6", messages=ask)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=[{"role": "system", "content": "Be brief."}, *ask])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=[{"role": "developer", "content": "Be brief."}, *ask])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": "a"}, {"role": "user", "content": "b"}])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": [{"type": "text", "text": "a"}]}])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=[{"role": "user", "name": "Ann", "content": "a"}])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://example.com/x.png"}}]}])  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, temperature=0)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, temperature=COOL)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, temperature=1.0)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, temperature=0.7)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, temperature=1.7)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, temperature=None)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, top_p=1)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, top_p=0.4)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, n=1, stop=None, seed=None)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, n=2)  # verdict: left out | emulated
client.chat.completions.create(model="tess-6", messages=ask, seed=7)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, stop=["x"])  # verdict: left out | emulated
client.chat.completions.create(model="tess-6", messages=ask, max_tokens=50)  # verdict: left out | emulated
client.chat.completions.create(model="tess-6", messages=ask, max_completion_tokens=50)  # verdict: left out | emulated
client.chat.completions.create(model="tess-6", messages=ask, presence_penalty=0, frequency_penalty=0)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, presence_penalty=0.5)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, logprobs=True, top_logprobs=2)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, logit_bias={"50256": -100})  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, user="me", metadata={"a": "b"})  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, reasoning_effort="low")  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, store=False)  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, store=True)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, service_tier="auto")  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, service_tier="flex")  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, modalities=["text"])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, response_format={"type": "text"})  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, tools=[])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, tools=[FUNCTION])  # verdict: needs emulation | emulated
client.chat.completions.create(model="tess-6", messages=ask, tools=[FUNCTION], tool_choice="auto")  # verdict: needs emulation | emulated
client.chat.completions.create(model="tess-6", messages=ask, tools=[FUNCTION], parallel_tool_calls=False)  # verdict: needs emulation | emulated
client.chat.completions.create(model="tess-6", messages=ask, functions=[{"name": "look"}])  # verdict: needs emulation | emulated
client.chat.completions.create(model="tess-6", messages=ask, tools=[{"type": "web_search"}])  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, web_search_options={})  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, extra_body={"tools": "internet"})  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, extra_body={"root_id": 7})  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, extra_body={"seed": 7})  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, **OPTIONS)  # verdict: left out
client.chat.completions.create(model="tess-6", messages=ask, extra_headers={"x-mine": "1"})  # verdict: as it is
client.chat.completions.create(model="tess-6", messages=ask, timeout=5)  # verdict: as it is
client.chat.completions.with_raw_response.create(model="tess-6", messages=ask, seed=1)  # verdict: left out
client.with_options(max_retries=0).chat.completions.create(model="tess-6", messages=ask)  # verdict: as it is
list(client.chat.completions.create(model="tess-6", messages=ask, stream=True))  # verdict: as it is
list(client.chat.completions.create(model="tess-6", messages=ask, stream=True, stream_options={"include_usage": True}))  # verdict: as it is
list(client.chat.completions.create(model="tess-6", messages=ask, stream=True, seed=1))  # verdict: left out
client.chat.completions.create(model="tess-6", messages=[*ask, {"role": "assistant", "content": None, "tool_calls": [{"id": "1", "type": "function", "function": {"name": "look", "arguments": "{}"}}]}, {"role": "tool", "tool_call_id": "1", "content": "x"}])  # verdict: left out | emulated

client.responses.create(model="tess-6", input="Hello")  # verdict: as it is
client.responses.create(model="tess-6", input=ask)  # verdict: as it is
client.responses.create(model="tess-6", input=[{"role": "user", "content": [{"type": "input_text", "text": "a"}]}], instructions="Be brief.")  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", store=False)  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", temperature=0.5)  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", temperature=0.7)  # verdict: left out
client.responses.create(model="tess-6", input="Hello", max_output_tokens=50)  # verdict: left out | emulated
client.responses.create(model="tess-6", input="Hello", reasoning={"effort": "low"})  # verdict: left out
client.responses.create(model="tess-6", input="Hello", reasoning={"summary": "auto"})  # verdict: left out
client.responses.create(model="tess-6", input="Hello", truncation="disabled")  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", truncation="auto")  # verdict: left out
client.responses.create(model="tess-6", input="Hello", background=True)  # verdict: left out
client.responses.create(model="tess-6", input="Hello", include=["reasoning.encrypted_content"])  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", metadata={"a": "b"})  # verdict: left out
client.responses.create(model="tess-6", input="Hello", tools=[FLAT])  # verdict: needs emulation | emulated
client.responses.create(model="tess-6", input="Hello", tools=[{"type": "web_search_preview"}])  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", tools=[{"type": "file_search", "vector_store_ids": ["x"]}])  # verdict: left out
client.responses.create(model="tess-6", input="Hello", text={"format": {"type": "text"}})  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", text={"verbosity": "low"})  # verdict: left out
client.responses.create(model="tess-6", input="Hello", conversation="conv_1")  # verdict: cannot
client.responses.create(model="tess-6", input="Hello", previous_response_id=client.responses.create(model="tess-6", input="Hi").id)  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", prompt={"id": "pmpt_1"})  # verdict: left out
list(client.responses.create(model="tess-6", input="Hello", stream=True))  # verdict: as it is
client.responses.create(model="tess-6", input="Hello", extra_body={"n": 2})  # verdict: cannot
client.responses.retrieve(client.responses.create(model="tess-6", input="Hello").id)  # verdict: as it is

client.completions.create(model="tess-6", prompt="Hello")  # verdict: as it is
client.completions.create(model="tess-6", prompt=["a", "b"])  # verdict: as it is
client.completions.create(model="tess-6", prompt="Hello", echo=True)  # verdict: as it is
client.completions.create(model="tess-6", prompt="Hello", suffix="x")  # verdict: left out
client.completions.create(model="tess-6", prompt="Hello", best_of=3)  # verdict: left out
client.completions.create(model="tess-6", prompt="Hello", max_tokens=16, stop="x")  # verdict: left out | emulated
client.completions.create(model="tess-6", prompt=[[1, 2]])  # verdict: cannot
client.completions.create(model="tess-6", prompt="Hello", logprobs=3)  # verdict: left out

client.models.list()  # verdict: as it is
client.models.retrieve("tess-6")  # verdict: as it is
client.embeddings.create(model="text-embedding-3-small", input="x")  # verdict: cannot
client.images.generate(prompt="x")  # verdict: cannot
client.moderations.create(input="x")  # verdict: cannot
client.audio.speech.create(model="tts-1", voice="alloy", input="x")  # verdict: cannot
client.batches.create(input_file_id="x", endpoint="/v1/chat/completions", completion_window="24h")  # verdict: cannot
client.fine_tuning.jobs.create(model="gpt-4o-mini", training_file="x")  # verdict: cannot
client.vector_stores.create()  # verdict: cannot
client.beta.assistants.create(model="gpt-4o")  # verdict: cannot
client.beta.threads.create()  # verdict: cannot
client.chat.completions.list()  # verdict: cannot
client.chat.completions.retrieve("x")  # verdict: cannot
client.batches.list()  # verdict: cannot
