"""Selects the parameters of a request that have to be emulated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tess_openai.core.chat.parameters import EMULATED_PARAMETERS
from tess_openai.core.emulate.emulation import Emulation, parse_emulation
from tess_openai.core.emulate.history import contains_calls_or_results
from tess_openai.core.jsons import JSONObject, to_list
from tess_openai.core.options import Options

_OFFERS: Final = frozenset({"functions", "tools"})
"""The parameters that offer functions."""


def to_emulation(
    given: JSONObject, options: Options, new_id: Callable[[], str], *, with_functions: bool
) -> Emulation | None:
    """Return the emulation for a request; None when it needs none.

    Args:
        given: The caller's request.
        options: The options of the call.
        new_id: Returns a fresh identifier.
        with_functions: Whether the request offers functions whose calls are emulated.

    Raises:
        Refused: A value is invalid, or cannot be emulated.
    """
    if not options.policy.emulates:
        return None
    params = {param for param in EMULATED_PARAMETERS if options.policy.action_for(param) == "emulate"}
    if params and not with_functions and not _has_past_calls(given, params):
        params -= _OFFERS
    if not params:
        return None
    return parse_emulation(
        given,
        params,
        agent_tools=options.tool_names,
        prompts=options.prompts,
        schemas=options.schemas,
        new_id=new_id,
    )


def _has_past_calls(given: JSONObject, params: set[str]) -> bool:
    """Whether the messages have earlier calls or results, and the policy emulates those."""
    is_legacy = bool(to_list(given.get("functions"))) and not to_list(given.get("tools"))
    param = "functions" if is_legacy else "tools"
    return param in params and contains_calls_or_results(to_list(given.get("messages")) or [])
