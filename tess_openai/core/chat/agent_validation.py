"""Check a request against what its agent offers, before it is sent.

`temperature.py` and `target.py` check temperature and model; this module checks the tools, the agent's own
fields, and which required fields are missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from tess_openai.core.agents import CHAT_QUESTIONS, Agent, Question, closest, option_text
from tess_openai.core.changes import Change, could_be_key, describe
from tess_openai.core.chat.tools import NO_TOOLS
from tess_openai.core.errors import TessError
from tess_openai.core.jsons import JSONObject
from tess_openai.core.ledger import Ledger
from tess_openai.core.refusals import Refused

_MAX_LISTED: Final = 40
"""How many options one message lists; an agent may have hundreds."""
_MAX_SHOWN_LENGTH: Final = 80
"""How long a value may be to be shown in a message; a longer one may be a prompt in the wrong field."""


def validate_for_agent(body: JSONObject, given: JSONObject, agent: Agent, ledger: Ledger) -> None:
    """Check a translated body against its agent; remove a temperature or tools that the agent lacks.

    Args:
        body: The translated body, which is changed in place.
        given: The caller's request.
        agent: The agent. Against one without questions nothing is checked, since its options are unknown.
        ledger: The ledger of the call.

    Raises:
        Refused: A value is not one of the agent's options, a required field is missing, or the agent has no
            temperature and the policy for it is `"error"`.
    """
    if not agent.questions:
        return
    _validate_temperature(body, agent, ledger)
    _validate_tools(body, given, agent, ledger)
    for question in agent.fields:
        value = option_text(body.get(question.name))
        if question.options and value is not None and value not in question.options:
            reject_option(question.name, value, agent, ledger)
    missing = [question for question in agent.required if body.get(question.name) is None]
    if missing:
        raise _missing_fields(missing, body, agent)


def reject_option(param: str, value: str, agent: Agent, ledger: Ledger, *, also: Iterable[str] = ()) -> None:
    """Refuse a value that the agent does not offer; the policy `"forward"` sends it as given.

    Args:
        param: The field.
        value: The caller's value; shown only if it is as short as an option, and not like an API key.
        agent: The agent.
        ledger: The ledger of the call.
        also: Further values that the adapter accepts.

    Raises:
        Refused: Always, unless the policy is `"forward"`.
    """
    shown = json.dumps(value, ensure_ascii=False) if _is_shown(value) else "this value"
    if ledger.policy.action_for(param) == "forward":
        ledger.add(
            Change(
                action="forwarded",
                param=param,
                given=shown,
                sent=shown,
                why=f"sent as given, as unsupported= says, although agent {agent.id} does not offer it",
            )
        )
        return
    is_model = param == "model"
    raise Refused(
        f"Agent {agent.id} does not offer {param}={shown}.{_advice(param, value, agent, also)} "
        "The request was not sent.",
        param=param,
        code="model_not_found" if is_model else "invalid_value",
        status=404 if is_model else 400,
    )


def _is_shown(value: str) -> bool:
    """Whether a value may be repeated: it is as short as an option, and cannot be an API key."""
    return len(value) <= _MAX_SHOWN_LENGTH and not could_be_key(value)


def _advice(param: str, value: str | None, agent: Agent, also: Iterable[str] = ()) -> str:
    """Return advice for a value: the most similar option, all options, and for a model an alias."""
    near = None if value is None else closest(value, [*agent.options(param), *also])
    hint = f" Did you mean {near!r}?" if near not in (None, value) else ""
    alias = ""
    if param == "model" and value is not None and _is_shown(value) and near != value and agent.models:
        words = json.dumps({value: near or agent.models[0]}, ensure_ascii=False)
        alias = f" An alias maps it: create_client(models={words})."
    return f"{hint} {describe_options(agent, param)}{alias}"


def describe_options(agent: Agent, param: str) -> str:
    """Return a sentence that lists what an agent offers for a field."""
    question = agent.question(param)
    if question is None:
        return f"Agent {agent.id} has no {param} to choose."
    if not question.options:
        return f"Agent {agent.id} takes any {param}."
    more = len(question.options) - _MAX_LISTED
    listed = ", ".join(question.options[:_MAX_LISTED]) + (f" and {more} more" if more > 0 else "")
    return f"Options of agent {agent.id} for {param}: {listed}."


def rejected_options(error: TessError) -> list[str]:
    """Return which of the parameters temperature, model and tools an error of Tess names."""
    if error.status not in (400, 422) or error.code not in ("validation_failed", "invalid_request"):
        return []
    named = {field.partition(".")[0] for field in error.fields}
    words = named or set(re.findall(r"[a-z]+", error.message.lower()))
    return [param for param in CHAT_QUESTIONS if param in words]


def with_available_options(
    error: TessError, params: Iterable[str], body: JSONObject, agent: Agent
) -> TessError:
    """Return the error with a suggestion about the options of its agent."""
    texts = [_advice(param, option_text(body.get(param)), agent).strip() for param in params]
    return replace(error, hint=" ".join(filter(None, (error.hint, *texts))))


def _validate_temperature(body: JSONObject, agent: Agent, ledger: Ledger) -> None:
    value = body.get("temperature")
    if value is None or agent.question("temperature") is not None:
        return
    why = f"agent {agent.id} has no temperature to choose"
    if ledger.resolve_unsupported("temperature", given=describe(value), why=why) == "drop":
        del body["temperature"]


def _validate_tools(body: JSONObject, given: JSONObject, agent: Agent, ledger: Ledger) -> None:
    tool = body.get("tools")
    question = agent.question("tools")
    if not isinstance(tool, str):
        return
    if question is not None and (not question.options or tool in question.options):
        return
    if tool == NO_TOOLS and (question is None or given.get("tools") != NO_TOOLS):
        body.pop("tools")  # nothing is lost: the agent has no tools, or the adapter itself added the value
        return
    reject_option("tools", tool, agent, ledger)


def _missing_fields(missing: list[Question], body: JSONObject, agent: Agent) -> Refused:
    texts: list[str] = []
    for question in missing:
        kind = f"one of {', '.join(question.options[:_MAX_LISTED])}" if question.options else question.type
        near = closest(question.name, [name for name in body if agent.question(name) is None])
        hint = f", perhaps what you call {near!r}" if near is not None else ""
        texts.append(f"{question.name} ({kind or 'any value'}{hint})")
    return Refused(
        f"Agent {agent.id} requires {', '.join(texts)}. Pass it in extra_body, "
        f'extra_body={{"{missing[0].name}": ...}}. The request was not sent.',
        param=missing[0].name,
        code="missing_required_parameter",
    )
