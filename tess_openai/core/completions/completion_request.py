"""Translate a request of legacy completions to one chat request for each prompt.

Source: OpenAI's API reference, completions (documented).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.chat.parameters import keeps_unsupported, wants_usage
from tess_openai.core.completions.completion_parameters import COMPLETIONS_UNSUPPORTED
from tess_openai.core.jsons import JSONObject, to_list
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import CALL_FIELD, Options
from tess_openai.core.refusals import Refused

MAX_PROMPTS: Final = 64
"""The highest number of prompts of one request; a paid call is made for each, one after another."""


@dataclass(frozen=True, slots=True)
class PromptRequest:
    """A parsed request of legacy completions.

    Attributes:
        prompts: The texts of its prompts.
        chat: The chat request without its messages.
        options: The options of this call.
        ledger: The ledger of this call.
        echo: Whether each answer begins with its prompt.
        stream: Whether the caller wants a stream.
        include_usage: Whether the caller wants a last chunk with the usage.
    """

    prompts: Sequence[str] = field(repr=False)
    chat: JSONObject = field(repr=False)
    options: Options
    ledger: Ledger
    echo: bool
    stream: bool
    include_usage: bool

    def chat_for(self, prompt: str) -> JSONObject:
        """Return the chat request for one prompt."""
        return {**self.chat, "messages": [{"role": "user", "content": prompt}]}


def read_prompt_request(given: JSONObject, options: Options) -> PromptRequest:
    """Read a request; `options` are those of the call.

    Raises:
        Refused: A value is invalid, or is not supported and the policy is `"error"`.
    """
    prompts = _prompts(given.get("prompt"))
    if not isinstance(given.get("echo"), bool | None):
        raise Refused("echo must be true or false.", param="echo", code="invalid_type")
    ledger = Ledger(options.policy)
    chat: JSONObject = {}
    for name, value in given.items():
        if name == "best_of" and value == given.get("n"):
            continue  # the best `n` of `n` answers are all of them
        if name in COMPLETIONS_UNSUPPORTED:
            if not keeps_unsupported(name, value, ledger, COMPLETIONS_UNSUPPORTED):
                continue
        elif name in ("prompt", "echo", CALL_FIELD):
            continue
        elif name == "messages":
            message = "messages is a parameter of chat completions; pass prompt."
            raise Refused(message, param="messages", code="unknown_parameter")
        chat[name] = value
    return PromptRequest(
        prompts=prompts,
        chat=chat,
        options=options,
        ledger=ledger,
        echo=given.get("echo") is True,
        stream=given.get("stream") is True,
        include_usage=wants_usage(given),
    )


def _prompts(given: object) -> list[str]:
    """Return the prompts of a request, which gives one string or a list of strings.

    Raises:
        Refused: There are none or too many, one is empty, or they are lists of tokens of OpenAI's models.
    """
    if given is None:
        message = "Missing required parameter: 'prompt'. Pass a string, or a list of strings."
        raise Refused(message, param="prompt", code="missing_required_parameter")
    items = [given] if isinstance(given, str) else to_list(given)
    texts = [item for item in items or [] if isinstance(item, str)]
    if items is None or len(texts) < len(items):
        message = "prompt must be a string or a list of strings; Tess takes no lists of tokens."
        raise Refused(message, param="prompt", code="invalid_type")
    if not 0 < len(texts) <= MAX_PROMPTS:
        message = f"prompt must contain from 1 to {MAX_PROMPTS} prompts; each is a paid call of its own."
        raise Refused(message, param="prompt", code="invalid_value")
    if "" in texts:  # Tess would refuse it, but only after the prompts before it were paid for
        message = "prompt must not contain an empty text: Tess takes no empty message."
        raise Refused(message, param="prompt", code="invalid_value")
    return texts
