"""OpenAI's root parameters that Tess does not document, and what becomes of each.

`UNSUPPORTED` is the table of the docs page "What happens to each parameter"; a test holds it against the
parameters of the installed SDK. `messages`, `model`, `stream`, `temperature` and `tools` are Tess's too and
have rooms of their own; every other root field is the agent's and passes untouched.

Source: Tess docs, open-ai-compat: "our API only supports the temperature and messages parameters.
Additionally, the tools parameter is a string enum" (documented). Whether Tess refuses or ignores the rest is
unknown; `max_tokens` was sent and ignored (observed once).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from tess_openai.core.changes import describe
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger

EMULATE: Final = 'Emulate it with unsupported={"%s": "emulate"}.'


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that Tess lacks.

    Attributes:
        name: At the root of the request.
        consequence: What the caller does not get without it, one clause.
        neutral: Values that ask for nothing, so that leaving them out changes nothing; null always is one.
        can_emulate: Whether the adapter can do it itself.
        remedy: What to do instead.
    """

    name: str
    consequence: str
    neutral: tuple[object, ...] = ()
    can_emulate: bool = False
    remedy: str = ""


_EMPTY: Final[tuple[object, ...]] = ([], {}, "")
_NOT_SEEDED = "answers are not made repeatable"
_NO_PENALTY = "repetition is not steered"
_NOT_LIMITED = "the length of the answer is not limited"
_NOT_TAGGED = "Tess does not get this label"

UNSUPPORTED: Final[dict[str, Parameter]] = {
    parameter.name: parameter
    for parameter in (
        Parameter("audio", "the answer is text only"),
        Parameter("frequency_penalty", _NO_PENALTY, (0,)),
        Parameter("logit_bias", "no token is favoured or banned", _EMPTY),
        Parameter("logprobs", "no log probabilities come back", (False,)),
        Parameter("max_completion_tokens", _NOT_LIMITED, can_emulate=True),
        Parameter("max_tokens", _NOT_LIMITED, can_emulate=True),
        Parameter("metadata", _NOT_TAGGED, _EMPTY),
        Parameter("modalities", "the answer is text only", (["text"], [])),
        Parameter("moderation", "the exchange is not moderated by OpenAI"),
        Parameter("n", "one choice comes back", (1,), can_emulate=True),
        Parameter("prediction", "the expected text does not speed the answer up"),
        Parameter("presence_penalty", _NO_PENALTY, (0,)),
        Parameter("prompt_cache_key", _NOT_TAGGED, _EMPTY),
        Parameter("prompt_cache_options", "prompt caching is not steered", _EMPTY),
        Parameter("prompt_cache_retention", "prompt caching is not steered"),
        Parameter("reasoning_effort", "the agent reasons as it is set up to"),
        Parameter(
            "response_format",
            "the answer may be any text, also where JSON is expected",
            ({"type": "text"},),
            can_emulate=True,
        ),
        Parameter("safety_identifier", _NOT_TAGGED, _EMPTY),
        Parameter("seed", _NOT_SEEDED),
        Parameter("service_tier", "Tess has one service tier", ("auto", "default")),
        Parameter("stop", "the answer does not stop at these sequences", _EMPTY, can_emulate=True),
        Parameter("store", "nothing is stored at OpenAI", (False,)),
        Parameter("top_logprobs", "no log probabilities come back", (0,)),
        Parameter("top_p", "the agent samples as it is set up to", (1,), remedy="Use temperature."),
        Parameter("user", _NOT_TAGGED, _EMPTY),
        Parameter("verbosity", "the agent is as wordy as it is set up to be", ("medium",)),
    )
}

TOOL_PARAMETERS: Final = frozenset(
    {"function_call", "functions", "parallel_tool_calls", "tool_choice", "tools", "web_search_options"}
)
"""Read together, in the room `tools`."""

CHAT_PARAMETERS: Final = frozenset(
    {*UNSUPPORTED, *TOOL_PARAMETERS, "messages", "model", "stream", "stream_options", "temperature"}
)
"""All parameters of OpenAI's chat API; no other root field is ever touched."""

EMULATED_PARAMETERS: Final = frozenset(
    {"functions", "tools", *(name for name, parameter in UNSUPPORTED.items() if parameter.can_emulate)}
)
"""What `emulate=True` switches on."""

MESSAGE_PARAMETERS: Final = frozenset(
    {"messages.audio", "messages.content", "messages.name", "messages.tool_calls"}
)
"""Parts of messages that `unsupported=` may name."""


def strip_unsupported(
    name: str, value: object, ledger: Ledger, table: Mapping[str, Parameter] = UNSUPPORTED
) -> bool:
    """Decide over one parameter of a table, here of `UNSUPPORTED`; True when it is sent all the same.

    Raises:
        Refused: The policy says `"error"`.
    """
    parameter = table[name]
    if value is None or value in parameter.neutral:
        return False
    remedy = parameter.remedy or (EMULATE % name if parameter.can_emulate else "")
    verdict = ledger.resolve_unsupported(
        name,
        given=describe(value),
        why=f"Tess does not have it, so {parameter.consequence}",
        remedy=remedy,
        can_emulate=parameter.can_emulate,
    )
    return verdict == "keep"


def wants_usage(body: JSONObject) -> bool:
    """Whether `stream_options` asks for a last chunk with `usage`."""
    options = to_object(body.get("stream_options"))
    return options is not None and options.get("include_usage") is True


def strip_stream_options(body: JSONObject, ledger: Ledger, *, usage_can_be_given: bool) -> bool:
    """Decide over `stream_options`; True when it is sent all the same.

    The adapter honours `include_usage` itself, and an absence of padding (`include_obfuscation: false`) is
    what Tess gives anyway.

    Raises:
        Refused: Something in it cannot be honoured, and the policy says `"error"`.
    """
    given = body.get("stream_options")
    if given is None:
        return False
    options = to_object(given)
    lost = [describe(given)] if options is None else []
    for key, value in (options or {}).items():
        if value not in (None, False) and not (key == "include_usage" and usage_can_be_given):
            lost.append(key)
    if not lost:
        return False
    verdict = ledger.resolve_unsupported(
        "stream_options",
        given=", ".join(lost),
        why="Tess does not have it, so the stream comes without",
        remedy='An estimate of the usage is given with usage="estimate".' if "include_usage" in lost else "",
    )
    return verdict == "keep"


def stop_sequences(value: object) -> tuple[str, ...]:
    """Return the sequences of `stop`: a string, a list of strings, or null."""
    items = [value] if isinstance(value, str) else to_list(value) or []
    return tuple(item for item in items if isinstance(item, str) and item)
