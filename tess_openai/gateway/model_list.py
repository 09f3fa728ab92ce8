"""`GET /v1/models`: every name that a caller may pass as `model`, with the details of its agent."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import quote

import anyio
import openai
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tess_openai.core.jsons import JSONObject, parse_object, to_list, to_object
from tess_openai.core.models import DETAILS_KEY, MODELS_PATH
from tess_openai.core.options import AgentRef
from tess_openai.core.refusals import Refused
from tess_openai.gateway.call_log import log_call
from tess_openai.gateway.file_wording import reword_envelope
from tess_openai.gateway.guards import CALLER
from tess_openai.gateway.keys import Caller, to_authorization
from tess_openai.gateway.upstream import Upstream
from tess_openai.gateway.upstream_errors import to_error


class ModelList:
    """Lists the models of the gateway's agent and of all agents that have a name."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream

    async def look_up_own_agent(self) -> tuple[int, JSONObject]:
        """Return the status and the body of a look-up with the gateway's own key of Tess."""
        try:
            authorization = await to_authorization(self._upstream.settings.api_key)
        except Refused as refused:
            return refused.status, refused.to_json()
        return await self._models_of(self._upstream.settings.agent_id, authorization)

    async def list_models(self, request: Request) -> Response:
        """Answer `GET /models`.

        If the gateway's own agent cannot be looked up, its error is the answer. A named agent that cannot be
        looked up is listed by its name alone.
        """
        caller: Caller = request.scope[CALLER]
        began = time.perf_counter()
        response = await self._list_models(caller)
        seconds = time.perf_counter() - began
        log_call(caller.name, request.method, MODELS_PATH.lstrip("/"), response.status_code, seconds=seconds)
        return response

    async def _list_models(self, caller: Caller) -> Response:
        names = self._upstream.settings.adapter.options.agent_names
        found: dict[str, list[JSONObject]] = {}

        async def look_up(name: str, agent: AgentRef) -> None:
            _, fields = await self._models_of(agent, caller.authorization)
            found[name] = _models(fields)

        own: AgentRef = self._upstream.settings.agent_id
        status, fields = await self._models_of(own, caller.authorization)
        if status != 200:
            return JSONResponse(reword_envelope(fields), status)
        async with anyio.create_task_group() as group:
            for name, agent in names.items():
                group.start_soon(look_up, name, agent)
        listed = [model for model in _models(fields) if model["id"] not in names]
        for name in names:
            listed += _named(name, found.get(name, []))
        return JSONResponse({"object": "list", "data": listed})

    async def _models_of(self, agent: AgentRef, authorization: str) -> tuple[int, JSONObject]:
        """Return the status and the body of the adapter's answer for one agent."""
        root = self._upstream.settings.api_root
        url = f"{root}/agents/{quote(str(agent))}/openai{MODELS_PATH}"
        headers = {"authorization": authorization}
        try:
            response: Any = await self._upstream.client.get(url, headers=headers)
        except (self._upstream.family.RequestError, openai.OpenAIError) as error:
            envelope, status = to_error(error)
            return status, envelope
        return response.status_code, parse_object(response.content) or {}


def _models(fields: JSONObject) -> list[JSONObject]:
    return [model for each in to_list(fields.get("data")) or [] if (model := to_object(each)) is not None]


def _named(name: str, models: list[JSONObject]) -> list[JSONObject]:
    """Return the entries of a named agent: its name, and its name with each of its models."""
    own = [model for model in models if DETAILS_KEY in model]
    details = {DETAILS_KEY: own[0][DETAILS_KEY]} if own else {}
    head = {"id": name, "object": "model", "created": 0, "owned_by": "tess", **details}
    has_models = not (len(own) == 1 and str(own[0]["id"]).startswith("agent:"))
    return [head, *({**model, "id": f"{name}/{model['id']}"} for model in own if has_models)]
