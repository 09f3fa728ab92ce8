"""What `unsupported=` may name: the parameters of chat, of the Responses API and of legacy completions."""

from __future__ import annotations

from typing import Final

from tess_openai.core.chat.parameters import CHAT_PARAMETERS, MESSAGE_PARAMETERS
from tess_openai.core.completions.completion_parameters import COMPLETIONS_UNSUPPORTED
from tess_openai.core.responses.response_parameters import RESPONSES_UNSUPPORTED

POLICY_PARAMETERS: Final = frozenset(
    {*CHAT_PARAMETERS, *MESSAGE_PARAMETERS, *COMPLETIONS_UNSUPPORTED, *RESPONSES_UNSUPPORTED}
)
"""In the words of chat; `RESPONSES_NAMES` has what the Responses API calls otherwise."""
