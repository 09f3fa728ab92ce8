"""An http client of your own: hooks, limits, and one pool for two agents: docs/http-clients.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID.
"""

import openai

from tess_openai import create_client


def show(response):  # noqa: ANN001, ANN201 - of httpx or httpx2, as the SDK has it
    """Say what was asked and answered."""
    print(f"   {response.request.method} {response.request.url.path} -> {response.status_code}")


mine = openai.DefaultHttpxClient(timeout=30, event_hooks={"response": [show]})

print("Two clients, one pool of connections")
careful = create_client(temperatures=(0, 1), http_client=mine)
plain = create_client(http_client=mine)
for client in (careful, plain):
    completion = client.chat.completions.create(
        model="tess-6",
        messages=[{"role": "user", "content": "Hello."}],
        temperature=1,
    )
    print("  ", completion.choices[0].message.content)

print("\nYours stays as it was: its own requests go past the adapter")
print("   Tess itself answers", mine.get(f"{plain.base_url}models").status_code)

mine.close()
