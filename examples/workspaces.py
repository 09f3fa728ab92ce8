"""Which workspace pays, and what happens without one: docs/workspaces.md.

Runs against a simulated Tess of its own, whose key belongs to two workspaces. Needs no key.
"""

import os
import warnings

import openai

from tess_openai import create_client
from tess_openai.testing import SIMULATOR_API_KEY, Profile, TessSimulator

HELLO = {"model": "tess-6", "messages": [{"role": "user", "content": "Hello."}]}

with TessSimulator(profile=Profile(workspace_ids=frozenset({7001, 7002}))) as simulator:
    tess = {"api_key": SIMULATOR_API_KEY, "base_url": simulator.serve().base_url}

    client = create_client(42, workspace_id=7001, **tess)
    client.chat.completions.create(**HELLO)
    client.chat.completions.create(**HELLO, extra_headers={"x-workspace-id": "7002"})
    paid = [call.headers["x-workspace-id"] for call in simulator.calls]
    print("Two calls, paid by the workspaces", " and ".join(paid))

    print("\nA workspace that the key does not belong to")
    try:
        create_client(42, workspace_id=9, **tess).chat.completions.create(**HELLO)
    except openai.PermissionDeniedError as error:
        print(f"   {error.code}: {error.body['message']}")

    os.environ.pop("TESS_WORKSPACE_ID", None)
    print("\nNo workspace: a warning when the client is made, and Tess's answer")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        client = create_client(42, **tess)
    print(f"   {caught[0].category.__name__}: {caught[0].message}")
    try:
        client.chat.completions.create(**HELLO)
    except openai.UnprocessableEntityError as error:
        print(f"   {error.code}: {error.body['message']}")
