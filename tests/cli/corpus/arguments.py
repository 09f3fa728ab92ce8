"""How arguments are written."""

import openai
from openai import OpenAI
from pydantic import BaseModel

client = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
WARM = 0.7
CREATIVE = {"temperature": WARM, "top_p": 0.4}
FUNCTION = {"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}


class Shape(BaseModel):
    """An answer."""

    sides: int


def given(prompt: str, picture: str, history: list, tools: list, **options: object) -> None:
    """One call for each way."""
    client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": prompt}], temperature=WARM)  # expect: chat.completions.create temperature=rewritten
    client.chat.completions.create(model="tess-6", messages=history)  # expect: chat.completions.create messages=kept?
    client.chat.completions.create(model="tess-6", messages=[*history, {"role": "user", "content": prompt}])  # expect: chat.completions.create messages=kept?
    client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": "x"}], **CREATIVE)  # expect: chat.completions.create temperature=rewritten top_p=stripped
    client.chat.completions.create(**{"model": "tess-6", "messages": [], "seed": 3})  # expect: chat.completions.create seed=stripped
    client.chat.completions.create(model="tess-6", messages=[], **options)  # expect: chat.completions.create **options=unseen?
    settings = dict(model="tess-6", messages=[{"role": "user", "content": "x"}])
    settings["seed"] = 4
    settings.update(user="me", **CREATIVE)
    client.chat.completions.create(**settings)  # expect: chat.completions.create seed=stripped user=stripped temperature=rewritten top_p=stripped
    client.chat.completions.create(**(CREATIVE | {"messages": [], "model": "tess-6"}))  # expect: chat.completions.create temperature=rewritten top_p=stripped
    client.chat.completions.create(  # expect: chat.completions.create messages.role=rewritten
        model="tess-6",
        messages=[{"role": "developer", "content": "Be brief."}, {"role": "user", "content": prompt}],
    )
    client.chat.completions.create(  # expect: chat.completions.create messages.content=rewritten messages.content=stripped
        model="tess-6",
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": prompt},
                    {"type": "image_url", "image_url": {"url": picture}},
                ],
            }
        ],
    )
    client.chat.completions.create(model="tess-6", messages=[{"role": "user", "name": "Ann", "content": "x"}])  # expect: chat.completions.create messages.name=stripped
    client.chat.completions.create(  # expect: chat.completions.create messages.tool_calls=rewritten messages=rewritten
        model="tess-6",
        messages=[{"role": "user", "content": "x"}, {"role": "tool", "tool_call_id": "1", "content": "y"}],
    )
    client.chat.completions.create(model="tess-6", messages=[], tools=[FUNCTION])  # expect: chat.completions.create tools=stripped
    client.chat.completions.create(model="tess-6", messages=[], tools=tools, tool_choice="auto")  # expect: chat.completions.create tools=stripped?
    client.chat.completions.create(model="tess-6", messages=[], tools=[FUNCTION], tool_choice="required")  # expect: chat.completions.create tools=stripped tool_choice=stripped
    client.chat.completions.create(model="tess-6", messages=[], functions=[{"name": "look"}], function_call="auto")  # expect: chat.completions.create functions=stripped
    client.chat.completions.create(model="tess-6", messages=[], tools="internet")  # expect: chat.completions.create
    client.chat.completions.create(model="tess-6", messages=[], tools=[{"type": "web_search_preview"}])  # expect: chat.completions.create tools=rewritten
    client.chat.completions.create(model="tess-6", messages=[], web_search_options={})  # expect: chat.completions.create tools=rewritten
    client.chat.completions.create(model="tess-6", messages=[], response_format={"type": "json_object"})  # expect: chat.completions.create response_format=stripped
    client.chat.completions.create(model="tess-6", messages=[], response_format={"type": "text"})  # expect: chat.completions.create
    client.chat.completions.create(model="tess-6", messages=[], extra_body={"tools": "internet", "root_id": 7})  # expect: chat.completions.create
    client.chat.completions.create(model="tess-6", messages=[], seed=1, extra_body={"top_k": 4, "stop": "x"})  # expect: chat.completions.create seed=stripped stop=stripped
    client.chat.completions.create(model="tess-6", messages=[], extra_body=options)  # expect: chat.completions.create **options=unseen?
    client.chat.completions.create(model="tess-6", messages=[], extra_headers={"OpenAI-Organization": "x"})  # expect: chat.completions.create OpenAI-Organization=stripped
    client.chat.completions.create(model="tess-6", messages=[], stream=True, stream_options={"include_usage": True})  # expect: chat.completions.create
    client.chat.completions.parse(model="tess-6", messages=[], response_format=Shape)  # expect: chat.completions.parse response_format=stripped?
    client.beta.chat.completions.parse(model="tess-6", messages=[], response_format=Shape)  # expect: chat.completions.parse response_format=stripped?
    with client.chat.completions.stream(model="tess-6", messages=[], max_completion_tokens=9) as events:  # expect: chat.completions.stream max_completion_tokens=stripped
        print(events)
    raw = client.chat.completions.with_raw_response.create(model="tess-6", messages=[], logit_bias={"1": 2})  # expect: chat.completions.create logit_bias=stripped
    print(raw.parse())
    with client.with_streaming_response.chat.completions.create(model="tess-6", messages=[]) as streamed:  # expect: chat.completions.create
        print(streamed)
    client.with_options(max_retries=0).chat.completions.create(model="tess-6", messages=[])  # expect: chat.completions.create
    client.copy(timeout=3).chat.completions.create(model="tess-6", messages=[], reasoning_effort="low")  # expect: chat.completions.create reasoning_effort=stripped
