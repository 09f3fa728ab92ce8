"""Stand-ins of a test's own, in a file that does not import the SDK: nothing to be found."""

from types import SimpleNamespace
from unittest.mock import MagicMock


class Empty:
    """Has nothing."""


class Anything:
    """Has everything."""

    def __getattr__(self, name):
        return self


class Chain:
    """Has what the SDK has."""

    def __init__(self, answer):
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=lambda **given: answer))
        self.completions = self
        self.beta = answer

    def create(self, **given):
        """Answer."""
        return given


class Named(SimpleNamespace):
    """Takes any attribute."""


Empty().chat.completions.create(seed=1)
Anything().chat.completions.create(seed=1)
Chain("x").chat.completions.create(seed=1)
Chain("x").completions.create(seed=1)
Named(chat=1).chat.completions.create(seed=1)
MagicMock().chat.completions.create(seed=1)
SimpleNamespace().chat.completions.create(seed=1)


class Holder:
    """Holds what somebody gives it, which may be a client."""

    def __init__(self, client):
        self.client = client

    def ask(self):
        """Ask."""
        self.client.chat.completions.create(seed=1)  # expect: chat.completions.create? seed=stripped
