"""Code that looks alike and is not OpenAI's: nothing may be found here but what is marked."""

import groq
from groq import Groq
from mistralai import Mistral
from tess_openai import create_async_client, create_client

groq_client = Groq()
groq_client.chat.completions.create(model="tess-6", messages=[], seed=1)
groq.Groq().chat.completions.create(model="tess-6", messages=[])


def typed(client: Groq, other: Mistral) -> None:
    """Take other services' clients."""
    client.chat.completions.create(model="tess-6", messages=[], top_p=0.3)
    other.embeddings.create(model="tess-6", inputs=[])


class Shop:
    """Has words in common."""

    def __init__(self) -> None:
        self.completions = []
        self.responses = {}

    def create(self, **options: object) -> None:
        """Create."""
        self.responses.update(options)


Shop().create(model="tess-6", temperature=0.7)
OPENAI_API_KEY = "a name, not a variable of the environment"
text = "client.chat.completions.create(model='m')"

client = create_client(42)
client.chat.completions.create(model="tess-6", messages=[], seed=1)  # expect: chat.completions.create seed=stripped
create_async_client(42).embeddings.create(model="tess-6", input="x")  # expect: embeddings.create embeddings.create=refused

from openai import OpenAI  # noqa: E402

again = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten
again = Groq()
again.chat.completions.create(model="tess-6", messages=[], seed=1)


def unknown(client, helper) -> None:
    """Take what nobody says."""
    client.chat.completions.create(model="tess-6", messages=[], seed=1)  # expect: chat.completions.create? seed=stripped
    client.responses.create(model="tess-6", input="x")  # expect: responses.create?
    helper.files.create(name="x")
    helper.create(model="tess-6", messages=[], seed=1)
