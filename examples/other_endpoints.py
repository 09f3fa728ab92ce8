"""One client for two services: chats by Tess, embeddings by another: docs/other-endpoints.md.

Needs TESS_API_KEY, TESS_AGENT_ID and TESS_WORKSPACE_ID. So that it runs anywhere, the other service is a
stand-in within this program; in yours it is `openai.OpenAI(api_key=...)`.
"""

import importlib

import openai

from tess_openai import create_client

library = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])


def answer(request):  # noqa: ANN001, ANN201 - of httpx or httpx2, as the SDK has it
    """Answer as the other service would."""
    print(f"   {request.url} was asked with {request.headers['authorization']}")
    vector = {"object": "embedding", "index": 0, "embedding": [0.25, 0.5, 0.75]}
    return library.Response(200, json={"object": "list", "model": "small", "data": [vector]})


elsewhere = openai.OpenAI(
    api_key="a-key-of-the-other-service",
    base_url="https://other.example/v1",
    http_client=library.Client(transport=library.MockTransport(answer)),
)

with create_client(others={"embeddings": elsewhere}) as client:
    print("A chat goes to Tess")
    completion = client.chat.completions.create(
        model="tess-6", messages=[{"role": "user", "content": "Hello."}]
    )
    print("  ", completion.choices[0].message.content)

    print("\nEmbeddings go to the other service, with its own key")
    made = client.embeddings.create(model="small", input="Hello.", encoding_format="float")
    print("  ", made.data[0].embedding)

    print("\nWhat no client is named for is refused, without a request")
    try:
        client.moderations.create(input="Hello.")
    except openai.NotFoundError as error:
        print("  ", error)
