"""A program written for OpenAI's SDK, on a Tess agent.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID. `make demo` runs it against a simulated Tess.
"""

import warnings

import openai

from tess_openai import changes_of, create_client

client = create_client()  # was: client = openai.OpenAI()

print("1. A chat")
completion = client.chat.completions.create(
    model="tess-6",
    messages=[{"role": "user", "content": "Say hello to the sea."}],
)
print("  ", completion.choices[0].message.content)

print("\n2. A streamed answer")
print("   ", end="")
for chunk in client.chat.completions.create(
    model="tess-6",
    messages=[{"role": "user", "content": "Count the waves."}],
    stream=True,
):
    print(chunk.choices[0].delta.content or "", end="", flush=True)
print()

print("\n3. What Tess lacks is not sent, and you are warned")
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    completion = client.chat.completions.create(
        model="tess-6",
        messages=[{"role": "user", "content": "Be creative."}],
        temperature=0.7,
        top_p=0.9,
        seed=42,
    )
for warning in caught:
    print(f"   {warning.category.__name__}: {warning.message}")
print("   The same is on the answer:")
for change in changes_of(completion):
    print(f"   {change.param:12} {change.given:>4} -> {change.sent or 'not sent'}")

print("\n4. A tool of the agent's own")
completion = client.chat.completions.create(
    model="tess-6",
    messages=[{"role": "user", "content": "What is new?"}],
    extra_body={"tools": "internet"},
)
print("  ", completion.choices[0].message.content)

print("\n5. An error with its full reason")
try:
    client.chat.completions.create(model="no-such-model", messages=[{"role": "user", "content": "Hi"}])
except openai.APIStatusError as error:
    print(f"   openai.{type(error).__name__}: {error.body['message']}")  # type: ignore[index, call-overload]
    print(f"   param={error.param!r} code={error.code!r}")
