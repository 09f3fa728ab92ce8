"""OpenAI's root parameters that Tess does not document, and what is done with each.

`UNSUPPORTED` is the table of the docs page "What happens to each parameter"; a test compares it with the
parameters of the installed SDK. `messages`, `model`, `stream`, `temperature` and `tools` exist in Tess too;
all of these but `stream` have modules of their own. Other root fields are the agent's or Tess's own and are
sent unchanged, except that files are added to `file_ids`, and that `tess_openai` is left out.

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

EMULATE_REMEDY: Final = "It can be emulated: create_client(emulate=True); a preset takes emulate=True too."


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter that Tess lacks.

    Attributes:
        name: Its name at the root of the request.
        consequence: The effect of leaving it out, one clause.
        neutral: Values that have no effect, so that leaving them out changes nothing; null always is one.
        can_emulate: Whether the adapter can emulate it.
        remedy: What to do instead, a sentence.
        known_values: String values that OpenAI defines; warnings and errors show them.
    """

    name: str
    consequence: str
    neutral: tuple[object, ...] = ()
    can_emulate: bool = False
    remedy: str = ""
    known_values: tuple[str, ...] = ()

    def is_neutral(self, value: object) -> bool:
        """Whether leaving out this value changes nothing; `true` is not the number 1, as in JSON."""
        is_bool = isinstance(value, bool)
        return any(value == each and isinstance(each, bool) is is_bool for each in self.neutral)


_EMPTY: Final[tuple[object, ...]] = ([], {}, "")
_NOT_SEEDED = "answers are not reproducible"
_NO_PENALTY = "repetition is not penalised"
_NOT_LIMITED = "the length of the answer is not limited"
_NOT_TAGGED = "Tess does not get this value"

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
        Parameter(
            "modalities", "the answer is text only", (["text"], []), known_values=("text", "audio", "image")
        ),
        Parameter("moderation", "the exchange is not moderated by OpenAI"),
        Parameter("n", "one choice comes back", (1,), can_emulate=True),
        Parameter("prediction", "the expected text does not speed the answer up"),
        Parameter("presence_penalty", _NO_PENALTY, (0,)),
        Parameter("prompt_cache_key", _NOT_TAGGED, _EMPTY),
        Parameter("prompt_cache_options", "prompt caching is not controlled", _EMPTY),
        Parameter(
            "prompt_cache_retention",
            "prompt caching is not controlled",
            known_values=("in-memory", "in_memory", "24h"),
        ),
        Parameter(
            "reasoning_effort",
            "the agent reasons as it is set up to",
            known_values=("none", "minimal", "low", "medium", "high", "xhigh", "max"),
        ),
        Parameter(
            "response_format",
            "the answer may be any text, also where JSON is expected",
            ({"type": "text"},),
            can_emulate=True,
            known_values=("json_object", "json_schema"),
        ),
        Parameter("safety_identifier", _NOT_TAGGED, _EMPTY),
        Parameter("seed", _NOT_SEEDED),
        Parameter(
            "service_tier",
            "Tess has one service tier",
            ("auto", "default"),
            known_values=("flex", "scale", "priority"),
        ),
        Parameter("stop", "the answer does not stop at these sequences", _EMPTY, can_emulate=True),
        Parameter("store", "nothing is stored at OpenAI", (False,)),
        Parameter("top_logprobs", "no log probabilities come back", (0,)),
        Parameter("top_p", "the agent samples as it is set up to", (1,), remedy="Use temperature instead."),
        Parameter("user", _NOT_TAGGED, _EMPTY),
        Parameter(
            "verbosity",
            "the agent is as verbose as it is set up to be",
            ("medium",),
            known_values=("low", "high"),
        ),
    )
}

TOOL_PARAMETERS: Final = frozenset(
    {"function_call", "functions", "parallel_tool_calls", "tool_choice", "tools", "web_search_options"}
)
"""Parameters that the module `tools` translates together."""

CHAT_PARAMETERS: Final = frozenset(
    {*UNSUPPORTED, *TOOL_PARAMETERS, "messages", "model", "stream", "stream_options", "temperature"}
)
"""All parameters of OpenAI's chat API."""

EMULATED_PARAMETERS: Final = frozenset(
    {"functions", "tools", *(name for name, parameter in UNSUPPORTED.items() if parameter.can_emulate)}
)
"""What `emulate=True` switches on."""

MESSAGE_PARAMETERS: Final = frozenset(
    {"messages.audio", "messages.content", "messages.name", "messages.tool_calls"}
)
"""Parts of messages that `unsupported=` may name."""


def keeps_unsupported(
    name: str, value: object, ledger: Ledger, table: Mapping[str, Parameter] = UNSUPPORTED
) -> bool:
    """Ask the policy whether to send one parameter of a table; True when it is forwarded.

    A value that has no effect is left out without asking.

    Raises:
        Refused: The policy is `"error"`.
    """
    parameter = table[name]
    if value is None or parameter.is_neutral(value):
        return False
    remedy = parameter.remedy or (EMULATE_REMEDY if parameter.can_emulate else "")
    decision = ledger.resolve_unsupported(
        name,
        given=describe(value, parameter.known_values),
        why=f"Tess does not have it, so {parameter.consequence}",
        remedy=remedy,
        can_emulate=parameter.can_emulate,
    )
    return decision == "keep"


def wants_usage(body: JSONObject) -> bool:
    """Whether `stream_options` asks for a last chunk with `usage`."""
    options = to_object(body.get("stream_options"))
    return options is not None and options.get("include_usage") is True


_USAGE_MISSING: Final = "Tess does not have it, so the stream has `usage` only if Tess sends it"


def keeps_stream_options(body: JSONObject, ledger: Ledger, *, usage_can_be_given: bool) -> bool:
    """Ask the policy whether to send `stream_options`; True when they are forwarded.

    The policy is not asked about `include_usage` if the adapter can give the usage (`usage_can_be_given`),
    nor about options that are false: Tess never sends padding (`include_obfuscation: false`).

    Raises:
        Refused: It contains an option that is not supported, and the policy is `"error"`.
    """
    given = body.get("stream_options")
    if given is None:
        return False
    options = to_object(given)
    unsupported = [describe(given)] if options is None else []
    for key, value in (options or {}).items():
        if value not in (None, False) and not (key == "include_usage" and usage_can_be_given):
            unsupported.append(key)
    if not unsupported:
        return False
    wants_estimate = "include_usage" in unsupported
    decision = ledger.resolve_unsupported(
        "stream_options",
        given=", ".join(unsupported),
        why=_USAGE_MISSING if wants_estimate else "Tess does not have it, so the stream comes without it",
        remedy='The usage can be estimated: create_client(usage="estimate").' if wants_estimate else "",
    )
    return decision == "keep"


def stop_sequences(value: object) -> tuple[str, ...]:
    """Return the sequences of `stop`: a string, a list of strings, or null."""
    items = [value] if isinstance(value, str) else to_list(value) or []
    return tuple(item for item in items if isinstance(item, str) and item)
