"""Parameters of the Responses API: those with another name in chat, and those that chat does not have.

Source: OpenAI's API reference, responses (documented); the parameters of openai 3.54.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tess_openai.core.chat.parameters import Parameter

RESPONSES_NAME_OF_CHAT: Final[Mapping[str, str]] = {
    "max_completion_tokens": "max_output_tokens",
    "messages": "input",
    "messages.tool_calls": "input.function_call",
    "reasoning_effort": "reasoning.effort",
    "response_format": "text.format",
    "verbosity": "text.verbosity",
}
"""Parameter of chat -> its name in the Responses API."""

ONLY_IN_CHAT: Final[Mapping[str, str]] = {
    "audio": "",
    "function_call": "tool_choice",
    "functions": "tools",
    "max_completion_tokens": "max_output_tokens",
    "max_tokens": "max_output_tokens",
    "messages": "input",
    "modalities": "",
    "n": "",
    "reasoning_effort": "reasoning",
    "response_format": "text",
    "verbosity": "text",
    "web_search_options": "tools",
}
"""Parameters of chat that this API refuses -> the one to use instead, or `""`."""

SAME_AS_CHAT: Final = frozenset(
    {
        "metadata",
        "model",
        "moderation",
        "parallel_tool_calls",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "safety_identifier",
        "service_tier",
        "stream",
        "temperature",
        "top_logprobs",
        "top_p",
        "user",
    }
)
"""Parameters with the same meaning in chat."""

TRANSLATED: Final = frozenset(
    {
        "conversation",
        "input",
        "instructions",
        "max_output_tokens",
        "previous_response_id",
        "reasoning",
        "store",
        "stream_options",
        "text",
        "tool_choice",
        "tools",
    }
)
"""Parameters that are not copied to the chat request: the adapter reads each of them itself."""

PARAMETER_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("background", "parallel_tool_calls", "store", "stream"), "a boolean"),
    **dict.fromkeys(("max_output_tokens", "max_tool_calls", "top_logprobs"), "an integer"),
    **dict.fromkeys(("frequency_penalty", "presence_penalty", "top_p"), "a number"),
    **dict.fromkeys(("prompt", "reasoning", "stream_options", "text"), "an object"),
    **dict.fromkeys(("context_management", "include"), "a list"),
    **dict.fromkeys(
        (
            "model",
            "previous_response_id",
            "prompt_cache_key",
            "prompt_cache_retention",
            "safety_identifier",
            "service_tier",
            "truncation",
            "user",
        ),
        "a string",
    ),
    "metadata": "an object of strings",
}
"""Parameter -> the only type that OpenAI accepts for it; null means that it is not given.

`temperature` and the tools are not here: Tess takes other types for them than OpenAI.
"""

RESPONSES_UNSUPPORTED: Final[dict[str, Parameter]] = {
    parameter.name: parameter
    for parameter in (
        Parameter("access_programs", "no access program applies", ([], {})),
        Parameter(
            "background",
            "the call waits for the whole answer",
            (False,),
            remedy="Leave it out; use stream=True for long answers.",
        ),
        Parameter("background_options", "the call waits for the whole answer", ({},)),
        Parameter("context_management", "the conversation is sent whole, however long it is", ([], {})),
        Parameter("image", "the answer is text only", ({},)),
        Parameter("include", "none of it comes back", ([],)),
        Parameter("max_tool_calls", "the agent uses its own tools as it is set up to"),
        Parameter("prompt", "the stored prompt is not used", remedy="Pass its text as instructions."),
        Parameter(
            "reasoning.summary",
            "no summary of its reasoning comes back",
            known_values=("auto", "concise", "detailed"),
        ),
        Parameter(
            "truncation",
            "a conversation that is too long is not cut",
            ("disabled",),
            remedy="Leave old items out yourself.",
            known_values=("auto",),
        ),
    )
}
"""Parameters that neither Tess nor chat has."""

RESPONSES_PARAMETERS: Final = SAME_AS_CHAT | TRANSLATED | RESPONSES_UNSUPPORTED.keys() - {"reasoning.summary"}
"""All parameters of the Responses API.

Of other root fields, those in `ONLY_IN_CHAT` are refused, and the rest is handled as in a chat call.
"""
