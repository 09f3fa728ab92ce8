"""What goes wrong, and what you get: docs/errors.md.

Runs against a simulated Tess of its own, which fails on demand. Needs no key.
"""

import time

import openai

from tess_openai import create_client
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator, faults

FAULTS = {
    "Tess asks to wait for an hour": faults.rate_limited(retry_after_seconds=3600),
    "Cloudflare gives up after 100 s": faults.gateway_timeout(),
    "The workspace has no credits": faults.no_credits(),
    "A proxy shows its login page": faults.login_page(),
    "An error comes with status 200": faults.error_in_200(),
}
MESSAGES = [{"role": "user", "content": "Hello."}]

with TessSimulator() as simulator:
    client = create_client(
        42,
        api_key=SIMULATOR_API_KEY,
        workspace_id=SIMULATOR_WORKSPACE_ID,
        base_url=simulator.serve().base_url,
    )

    for what, fault in FAULTS.items():
        before = len(simulator.calls)
        simulator.fault(fault)
        try:
            client.chat.completions.create(model="tess-6", messages=MESSAGES)
        except openai.APIStatusError as error:
            tries = len(simulator.calls) - before
            print(f"{what}: openai.{type(error).__name__}, code={error.code!r}, sent {tries} time(s)")
            print(f"   {error.body['message']}\n")

    print("A short wait is waited out")
    simulator.fault(faults.rate_limited(retry_after_seconds=0.2))
    start = time.perf_counter()
    client.chat.completions.create(model="tess-6", messages=MESSAGES)
    statuses = [call.status for call in simulator.calls[-2:]]
    print(f"   answered after {time.perf_counter() - start:.1f} s: {statuses}")

    print("\nWhat Tess does not have")
    try:
        client.embeddings.create(model="text-embedding-3-small", input="Hello.")
    except openai.NotFoundError as error:
        print(f"   {error.body['message']}")
