"""How a probe profile changes a request, apart from parameters that are forwarded."""

from __future__ import annotations

from tess_openai.core.chat.parameters import CHAT_PARAMETERS, TOOL_PARAMETERS
from tess_openai.core.chat.tools import TessTools
from tess_openai.core.jsons import JSONObject, to_list
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile
from tess_openai.core.refusals import Refused


def refuse_disproven(name: str, profile: TessProfile, policy: Policy) -> None:
    """Refuse a request with a field that would be sent although the probe proved that Tess refuses it.

    Raises:
        Refused: The profile lists the field as refused. A parameter of OpenAI's chat API is refused only if
            the policy for it is `"forward"`.
    """
    if not profile.refuses(name) or (name in CHAT_PARAMETERS and policy.action_for(name) != "forward"):
        return
    raise Refused(
        f"{name}: agent {profile.agent_id} refused it when it was probed on {profile.made}, so the call was "
        "not sent. Leave it out, or probe again.",
        param=name,
        code="proven_refused",
    )


def native_tools(given: JSONObject, profile: TessProfile) -> TessTools | None:
    """Return tools that are sent unchanged, if the probe proved function calls; None to translate them."""
    if not profile.supports("tools") or not to_list(given.get("tools")):
        return None
    return TessTools(None, kept=TOOL_PARAMETERS)


def format_temperature(sent: object, profile: TessProfile) -> object:
    """Return a temperature as a number, if the probe proved that Tess refuses strings."""
    if not isinstance(sent, str) or not profile.refuses("temperature.string"):
        return sent
    try:
        number = float(sent)
    except ValueError:
        return sent
    return int(number) if number.is_integer() else number
