"""Answer OpenAI's `/models` from what the agent offers, for programs that list models when they start."""

from __future__ import annotations

from typing import Final
from urllib.parse import unquote

from tess_openai.core.agents import Agent, closest
from tess_openai.core.calls import Answer, Call, Flow
from tess_openai.core.chat.target import AGENT_PREFIX, ALL_OTHER_MODELS, to_target
from tess_openai.core.jsons import JSONObject, dump_json
from tess_openai.core.lookups import get_agent, to_ref
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, json_headers

MODELS_PATH: Final = "/models"
DETAILS_KEY: Final = "tess"
"""The key under which a model's object shows what its agent offers."""
_CREATED: Final = 0
"""Tess returns no date, and OpenAI's object requires one."""


def models(call: Call, options: Options) -> Flow:
    """Answer `GET /models` and `GET /models/{name}`."""
    found = yield from get_agent(to_ref(call.agent) or call.agent, call, options)
    if not isinstance(found, Agent):
        yield found.answer
        return
    names = names_of(found, options)
    wanted = unquote(call.path.removeprefix(MODELS_PATH).strip("/"))
    if not wanted:
        listed = {"object": "list", "data": [_model(name, found) for name in names]}
        yield Answer(200, json_headers({}), dump_json(listed), base="none")
    elif wanted in names:
        yield Answer(200, json_headers({}), dump_json(_model(wanted, found)), base="none")
    else:
        yield from _answer_unlisted(wanted, names, found, call, options)


def _answer_unlisted(wanted: str, names: list[str], own: Agent, call: Call, options: Options) -> Flow:
    """Answer for a name that is not listed, which may name another agent, as in a call."""
    try:
        target = to_target(wanted, options)
        if target.agent is None:
            raise _unknown_model(wanted, names, own)
        found = yield from get_agent(target.agent, call, options)
        if not isinstance(found, Agent):
            yield found.answer
            return
        if target.model is not None and target.model not in found.models:
            raise _unknown_model(wanted, names_of(found, options), found)
        yield Answer(200, json_headers({}), dump_json(_model(wanted, found, target.model)), base="none")
    except Refused as refused:
        yield refused.to_answer()


def names_of(agent: Agent, options: Options) -> list[str]:
    """Return all names that a call may use as its model."""
    aliases = [name for name in options.models if name != ALL_OTHER_MODELS]
    return list(dict.fromkeys([*own_models(agent), *aliases, *options.agent_names]))


def own_models(agent: Agent) -> tuple[str, ...]:
    """Return the names of an agent's models; an agent with a fixed model has one, `"agent:8794"`."""
    return agent.models or (f"{AGENT_PREFIX}{agent.id}",)


def _model(name: str, agent: Agent, model: object = None) -> JSONObject:
    """Return OpenAI's object for a name; for an agent's own model it shows what the agent offers.

    `model` is the model that a name such as `"agent:8794/tess-6"` contains.
    """
    listed = {"id": name, "object": "model", "created": _CREATED, "owned_by": "tess"}
    if (model or name) not in own_models(agent):
        return listed
    offers = {"agent": agent.id, "temperatures": list(agent.temperatures), "tools": list(agent.tools)}
    return {**listed, DETAILS_KEY: offers}


def _unknown_model(wanted: str, names: list[str], agent: Agent) -> Refused:
    near = closest(wanted, names)
    hint = f" Did you mean {near!r}?" if near is not None else ""
    return Refused(
        f"Agent {agent.id} has no such model.{hint} It offers: {', '.join(names)}.",
        param="model",
        code="model_not_found",
        status=404,
    )
