"""The parameters that `unsupported=` may name in all three APIs, and the policy made from that option."""

from __future__ import annotations

from typing import Final

from tess_openai.core.chat.parameters import CHAT_PARAMETERS, EMULATED_PARAMETERS, MESSAGE_PARAMETERS
from tess_openai.core.completions.completion_parameters import COMPLETIONS_UNSUPPORTED
from tess_openai.core.policy import Policy, parse_unsupported
from tess_openai.core.responses.response_parameters import RESPONSES_UNSUPPORTED

POLICY_PARAMETERS: Final = frozenset(
    {*CHAT_PARAMETERS, *MESSAGE_PARAMETERS, *COMPLETIONS_UNSUPPORTED, *RESPONSES_UNSUPPORTED}
)
"""Names in chat completions, and names of parameters that only the other two APIs have.

`CHAT_NAMES_OF_RESPONSES` maps the names that the Responses API has for parameters of chat to these.
"""


def resolve_policy(unsupported: object, *, emulate: bool = False) -> Policy:
    """Return the policy of a client.

    Args:
        unsupported: As the caller gave it.
        emulate: Whether to emulate all parameters that can be emulated, except those in `unsupported`.

    Raises:
        ValueError: `unsupported` contains an unknown action, or a parameter that OpenAI does not have.
    """
    policy = Policy().overridden_by(parse_unsupported(unsupported, POLICY_PARAMETERS))
    if not emulate:
        return policy
    return Policy(policy.default, {**dict.fromkeys(EMULATED_PARAMETERS, "emulate"), **policy.by_param})
