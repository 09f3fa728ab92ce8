"""Functions of your own, called by an agent of Tess's, whole and in a stream: docs/emulation.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID, and `pip install "tess-openai[emulate]"`.
"""

import json

from tess_openai import changes_of, create_client

FORECAST = {"Lisbon": "sunny, 24 degrees", "Porto": "rain, 17 degrees"}
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_forecast",
            "description": "Tell tomorrow's weather in a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]

client = create_client(emulate=True)

print("A loop of calls, as for OpenAI")
messages = [{"role": "user", "content": "What will the weather in Lisbon be tomorrow?"}]
for _ in range(5):
    completion = client.chat.completions.create(model="tess-6", messages=messages, tools=TOOLS)
    message = completion.choices[0].message
    messages.append(message)
    print("   the model:", message.content)
    for call in message.tool_calls or []:
        city = json.loads(call.function.arguments)["city"]
        result = FORECAST.get(city, "unknown")
        print(f"      {call.function.name}({city!r}) -> {result}")
        messages.append({"role": "tool", "tool_call_id": call.id, "content": result})
    if not message.tool_calls:
        break

print("\nIn a stream the call comes in pieces; the ledger names what was added to the messages")
arguments = ""
for chunk in client.chat.completions.create(
    model="tess-6",
    messages=[{"role": "user", "content": "And the weather in Porto?"}],
    tools=TOOLS,
    stream=True,
):
    delta = chunk.choices[0].delta
    print(delta.content or "", end="|" if delta.content else "", flush=True)
    for piece in delta.tool_calls or []:
        arguments += piece.function.arguments
print(f"\n   arguments {arguments}, finish reason {chunk.choices[0].finish_reason}")
for change in changes_of(chunk):
    print("  ", change)
