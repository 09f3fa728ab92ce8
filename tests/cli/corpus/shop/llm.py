"""Where the client is made."""

from openai import OpenAI

client = OpenAI()  # expect: openai.OpenAI openai.OpenAI=rewritten


class Gateway:
    """Gives it out."""

    def __init__(self) -> None:
        self.inner = client

    def connect(self):
        """Give it."""
        return self.inner
