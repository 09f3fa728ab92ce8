"""Names of models that some agent of Tess has been seen to offer.

Source: values of `model` in Tess's documentation and in programs of users (documented and observed); each
agent offers its own, so being listed here promises nothing.
"""

from __future__ import annotations

from typing import Final

KNOWN_MODELS: Final = frozenset(
    {
        *("auto", "tess-3", "tess-5", "tess-6", "tess-6.1", "tess-ai-3", "tess-ai-light"),
        *("claude-3-5-haiku-latest", "claude-3-5-sonnet-20240620", "claude-3-5-sonnet-latest"),
        *("claude-3-7-sonnet-latest", "claude-4-opus", "claude-4-sonnet", "claude-4.5-haiku"),
        *("claude-haiku-4-5", "cohere-command-r-plus", "gemini-2.0-flash", "gemini-2.5-flash"),
        *("gemini-2.5-pro", "gpt-3.5-turbo", "gpt-4-turbo", "gpt-4.1", "gpt-4o", "gpt-4o-mini", "gpt-5"),
        *("gpt-o1-mini", "gpt-o1-preview", "meta-llama-3.1-405b-instruct"),
    }
)
