"""A package whose modules share a client."""

from .llm import client as shared  # noqa: F401
