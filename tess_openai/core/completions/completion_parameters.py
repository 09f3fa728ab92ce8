"""Parameters of legacy completions: the one with another name in chat, and those that are not supported.

Source: OpenAI's API reference, completions (documented).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tess_openai.core.chat.parameters import Parameter

COMPLETIONS_NAME_OF_CHAT: Final[Mapping[str, str]] = {"messages": "prompt"}
"""Chat parameter -> the name under which a legacy completion has it."""
COMPLETIONS_UNSUPPORTED: Final[Mapping[str, Parameter]] = {
    parameter.name: parameter
    for parameter in (
        Parameter("best_of", "only one answer is made", (1,)),
        Parameter("logprobs", "no log probabilities come back"),
        Parameter("suffix", "the model does not see the text that is to follow", ("",)),
    )
}
"""Parameters of completions that neither Tess nor chat has, or that have another meaning in chat."""
