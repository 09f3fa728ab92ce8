"""A stream, its usage and its ledger, and a stream that is cut short: docs/streaming.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID; the last part has a simulated Tess of its own.
"""

import time

import openai

from tess_openai import changes_of, create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator, faults

MESSAGES = [{"role": "user", "content": "Count the waves, slowly."}]

client = create_client(unsupported="ignore")

print("Piece by piece")
start = time.perf_counter()
first = None
for chunk in client.chat.completions.create(
    model="tess-6",
    messages=MESSAGES,
    top_p=0.9,
    stream=True,
    stream_options={"include_usage": True},
):
    first = first or time.perf_counter() - start
    for choice in chunk.choices:
        print(choice.delta.content or "", end="|", flush=True)
print(f"\n   first piece after {first * 1000:.0f} ms")
print(
    f"   about {chunk.usage.total_tokens} tokens; not sent: {[change.param for change in changes_of(chunk)]}"
)

print("\nA stream that is cut short is an error, not a short answer")
with TessSimulator() as simulator:
    simulator.fault(faults.ends_early(after_events=4))
    client = create_client(
        42,
        api_key=SIMULATOR_API_KEY,
        workspace_id=SIMULATOR_WORKSPACE_ID,
        base_url=simulator.serve().base_url,
    )
    message = ""
    try:
        for chunk in client.chat.completions.create(model="tess-6", messages=MESSAGES, stream=True):
            message += chunk.choices[0].delta.content or ""
    except openai.APIError as error:
        print(f"   it sent {message!r}, then {error.code}: {error.message}")
