"""Asks the adapter's own core what becomes of the body of a call: chat, Responses or legacy completions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from tess_openai.core.agents import Agent
from tess_openai.core.changes import Change
from tess_openai.core.chat_call import translate_request
from tess_openai.core.completions.completion_request import read_prompt_request
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.response_parameters import CHAT_NAMES
from tess_openai.core.responses.response_request import read_response_request, to_chat_request

Api: TypeAlias = Literal["chat", "responses", "completions"]


@dataclass(frozen=True, slots=True)
class Translation:
    """What becomes of a body.

    Attributes:
        sent: The chat request that goes to Tess.
        changes: In the caller's words.
        emulates: Whether the adapter emulates anything.
    """

    sent: JSONObject
    changes: tuple[Change, ...]
    emulates: bool


_NAMES: Final[Mapping[Api, Mapping[str, str]]] = {"chat": {}, "responses": CHAT_NAMES, "completions": {}}


def translate(api: Api, body: JSONObject, options: Options, agent: Agent | None = None) -> Translation:
    """Translate a body as a call would.

    Raises:
        Refused: The adapter would refuse the call; the parameter is in the caller's words.
    """
    names = _NAMES[api]
    try:
        chat, earlier = _to_chat(api, body, options)
        translated = translate_request(chat, options, agent, new_id=str)
    except Refused as refused:
        raise Refused(
            refused.message,
            param=None if refused.param is None else _renamed(refused.param, names),
            code=refused.code,
            status=refused.status,
        ) from None
    later = (replace(each, param=_renamed(each.param, names)) for each in translated.ledger.changes)
    return Translation(translated.body, (*earlier, *later), translated.emulation is not None)


def _to_chat(api: Api, body: JSONObject, options: Options) -> tuple[JSONObject, tuple[Change, ...]]:
    if api == "responses":
        response = read_response_request(body, options)
        return to_chat_request(response, response.items), response.ledger.changes
    if api == "completions":
        prompts = read_prompt_request(body, options)
        return prompts.chat_for(prompts.prompts[0]), prompts.ledger.changes
    return body, ()


def _renamed(param: str, names: Mapping[str, str]) -> str:
    """Return the caller's name of a parameter, or of a part of one."""
    for name in sorted(names, key=len, reverse=True):
        if param == name or param.startswith(name + "."):
            return names[name] + param[len(name) :]
    return param
