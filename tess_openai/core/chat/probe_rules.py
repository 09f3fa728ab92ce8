"""What a probe profile changes in a request, apart from parameters that are simply forwarded."""

from __future__ import annotations

from tess_openai.core.chat.parameters import CHAT_PARAMETERS, TOOL_PARAMETERS
from tess_openai.core.chat.tools import TessTools
from tess_openai.core.jsons import JSONObject, to_list
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile
from tess_openai.core.refusals import Refused


def refuse_disproven(name: str, profile: TessProfile, policy: Policy) -> None:
    """Refuse a field that the probe proved to be refused by Tess, if it would be sent.

    Raises:
        Refused: Sending it would waste a call.
    """
    if not profile.refuses(name) or (name in CHAT_PARAMETERS and policy.word(name) != "forward"):
        return
    raise Refused(
        f"{name}: agent {profile.agent_id} refused it when it was probed on {profile.made}, so the call was "
        "not sent. Leave it out, or probe again.",
        param=name,
        code="proven_refused",
    )


def native_tools(given: JSONObject, profile: TessProfile) -> TessTools | None:
    """Return tools to be sent as given, where the probe saw function calls work; None to translate them."""
    if not profile.supports("tools") or not to_list(given.get("tools")):
        return None
    return TessTools(None, kept=TOOL_PARAMETERS)


def format_temperature(sent: object, profile: TessProfile) -> object:
    """Return a temperature as a number where strings are proven refused."""
    if not isinstance(sent, str) or not profile.refuses("temperature.string"):
        return sent
    try:
        number = float(sent)
    except ValueError:
        return sent
    return int(number) if number.is_integer() else number
