"""Translates the body of a call with the adapter's own core: chat, Responses or legacy completions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

from tess_openai.core.agents import Agent
from tess_openai.core.changes import Change
from tess_openai.core.chat_call import translate_request
from tess_openai.core.completions.completion_parameters import COMPLETIONS_NAME_OF_CHAT
from tess_openai.core.completions.completion_request import read_prompt_request
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.response_parameters import RESPONSES_NAME_OF_CHAT
from tess_openai.core.responses.response_request import read_response_request, to_chat_request
from tess_openai.core.translated_chat import renamed_change, renamed_envelope

Api: TypeAlias = Literal["chat", "responses", "completions"]


@dataclass(frozen=True, slots=True)
class Translation:
    """The translation of a body.

    Attributes:
        sent: The chat request for Tess.
        changes: The changes, with the parameter names of the caller's API.
        emulates: Whether the adapter emulates anything.
    """

    sent: JSONObject
    changes: tuple[Change, ...]
    emulates: bool


_NAMES: Final[Mapping[Api, Mapping[str, str]]] = {
    "chat": {},
    "responses": RESPONSES_NAME_OF_CHAT,
    "completions": COMPLETIONS_NAME_OF_CHAT,
}


def translate(api: Api, body: JSONObject, options: Options, agent: Agent | None = None) -> Translation:
    """Translate a body as a call would.

    Raises:
        Refused: The adapter would refuse the call; the error has the parameter names of the caller's API.
    """
    names = _NAMES[api]
    try:
        chat, earlier = _to_chat(api, body, options)
        translated = translate_request(chat, options, agent, new_id=lambda: "0")  # nothing is sent
    except Refused as refused:
        error: JSONObject = renamed_envelope(refused.to_json(), names)["error"]
        raise Refused(
            error["message"], param=error["param"], code=refused.code, status=refused.status
        ) from None
    later = (renamed_change(each, names) for each in translated.ledger.changes)
    return Translation(translated.body, (*earlier, *later), translated.emulation is not None)


def _to_chat(api: Api, body: JSONObject, options: Options) -> tuple[JSONObject, tuple[Change, ...]]:
    if api == "responses":
        response = read_response_request(body, options)
        return to_chat_request(response, response.items), response.ledger.changes
    if api == "completions":
        prompts = read_prompt_request(body, options)
        return prompts.chat_for(prompts.prompts[0]), prompts.ledger.changes
    return body, ()
