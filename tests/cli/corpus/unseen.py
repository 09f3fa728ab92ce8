"""The SDK is not imported here: names and arguments must tell."""

import inspect


def embed(client, texts, retryer, **options):
    """Call a client that somebody else has made."""
    client.embeddings.create(input=texts, model="m")  # expect: embeddings.create? embeddings.create=refused
    request = {"input": texts, "model": "m", **options}
    client.embeddings.create(**request)  # expect: embeddings.create? embeddings.create=refused
    client.embeddings.create(inputs=texts, model="m")
    client.embeddings.create(model="m")
    retryer(client.chat.completions.create, model="tess-6", **options)  # expect: chat.completions.create? **options=unseen?
    inspect.iscoroutinefunction(client.chat.completions.create)
