"""The Responses API: a text, a stream, a conversation, and what is kept of it: docs/responses.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID.
"""

import tempfile
from pathlib import Path

import openai

from tess_openai import SQLiteResponseStore, changes_of, create_client

with tempfile.TemporaryDirectory() as folder:
    store = SQLiteResponseStore(Path(folder, "responses.sqlite"))
    client = create_client(unsupported="ignore", responses_store=store)

    print("A text")
    first = client.responses.create(model="tess-6", input="My name is Ana.", max_output_tokens=500)
    print(f"   {first.output_text}")
    print(f"   not sent: {[change.param for change in changes_of(first)]}")

    print("\nA stream that continues it")
    for event in client.responses.create(
        model="tess-6", input="What is my name?", previous_response_id=first.id, stream=True
    ):
        if event.type == "response.output_text.delta":
            print(event.delta, end="|", flush=True)
    print(f"\n   {event.type}, about {event.response.usage.total_tokens} tokens")

    print("\nWhat is deleted cannot be continued")
    client.responses.delete(first.id)
    try:
        client.responses.create(model="tess-6", input="And now?", previous_response_id=first.id)
    except openai.BadRequestError as error:
        print(f"   {error.code}")
    store.close()
