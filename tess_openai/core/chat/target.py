"""The agent and the model that a call's `model` names: names of agents, aliases, and the agent's own models.

`model` is a field that every OpenAI program already sends, so it can name the agent too:
`"agent:8794"`, `"agent:8794/tess-6"`, or a name of `agents={"support": 8794}` in the same two forms.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tess_openai.core.agents import Agent
from tess_openai.core.changes import could_be_key, quoted
from tess_openai.core.chat.agent_validation import reject_option
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import AgentRef, Options
from tess_openai.core.refusals import Refused

AGENT_PREFIX: Final = "agent:"
"""The prefix of a `model` that names an agent by its number or its slug."""
ALL_OTHER_MODELS: Final = "*"
"""The alias in `models=` for all models that have no alias of their own."""
_SLUG: Final = re.compile(r"[A-Za-z0-9]+(?:[-_][A-Za-z0-9]+)+")
"""Words and a code, joined by hyphens, `name-words-AbC12d`. Source: observed."""
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
"""A UUID matches `_SLUG` too, but is not accepted as a slug; what Tess does with one is unknown."""
_MAX_SHOWN_LENGTH: Final = 80


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class Target:
    """The agent and the model that a `model` names.

    Attributes:
        agent: The agent it names; None means the agent of the URL.
        model: The model to send, aliases replaced; None means the model of the agent.
    """

    agent: AgentRef | None
    model: object


def to_target(given: object, options: Options) -> Target:
    """Parse the `model` of a call.

    Raises:
        Refused: It names an agent that is neither a number, a slug nor one of `agents=`.
    """
    if not isinstance(given, str):
        return Target(None, given)
    model = options.models.get(given, given)
    if model is None:
        return Target(None, None)
    agent, rest = _split(model, options)
    return Target(agent, model if agent is None else options.models.get(rest, rest) if rest else None)


def _split(model: str, options: Options) -> tuple[AgentRef | None, str]:
    """Return the agent that a model names, None without one, and the model of that agent."""
    names = options.agent_names
    if model in names:
        return names[model], ""
    head, _, rest = model.partition("/")
    if head in names:
        return names[head], rest
    if not head.startswith(AGENT_PREFIX):
        return None, model
    ref = head.removeprefix(AGENT_PREFIX).strip()
    if ref in names:
        return names[ref], rest
    if ref.isascii() and ref.isdigit() and len(ref) < 19 and int(ref) > 0:
        return int(ref), rest
    if is_slug(ref):
        return ref, rest
    known = f" or one of {', '.join(names)}" if names else ""
    raise Refused(
        f"model={shown(model)} names no agent: {AGENT_PREFIX!r} is followed by its number{known}, as in "
        "'agent:8794' or 'agent:8794/tess-6'. The request was not sent.",
        param="model",
        code="model_not_found",
        status=404,
    )


def to_model(given: object, options: Options, agent: Agent | None, ledger: Ledger) -> object:
    """Return the value to send as `model`; None to leave it to the agent.

    Aliases are replaced first. A model that the agent does not offer and that no alias maps to is then
    replaced by that of the alias `"*"`, if there is one. The result is checked against the agent's list, if
    that is known; for an agent with one fixed model the policy decides whether it is sent.

    Raises:
        Refused: The agent does not offer the model, or has one fixed model, and the policy does not allow it.
    """
    target = to_target(given, options)
    model = target.model
    offered = () if agent is None else agent.models
    if isinstance(model, str) and ALL_OTHER_MODELS in options.models:
        known = model in offered or model in options.models.values()
        model = model if known else options.models[ALL_OTHER_MODELS]
    if isinstance(model, str) and agent is not None and agent.questions:
        if agent.question("model") is None:
            model = _without_model(model, agent, ledger)
        elif offered and model not in offered:
            names = (
                *offered,
                *(name for name in options.models if name != ALL_OTHER_MODELS),
                *options.agent_names,
            )
            reject_option("model", model, agent, ledger, also=names)
    if isinstance(given, str) and model != given:
        _record(given, target, model, ledger)
    return model


def is_slug(text: str) -> bool:
    """Whether a text may be the slug of an agent; a UUID is not."""
    return bool(_SLUG.fullmatch(text)) and not _UUID.fullmatch(text)


def shown(model: str) -> str:
    """Return the name of a model for a message, shortened; one that may contain an API key is not shown."""
    if could_be_key(model):
        return quoted(model)
    return repr(model if len(model) <= _MAX_SHOWN_LENGTH else f"{model[:_MAX_SHOWN_LENGTH]}...")


def _without_model(model: str, agent: Agent, ledger: Ledger) -> str | None:
    decision = ledger.resolve_unsupported(
        "model",
        given=shown(model),
        why=f"agent {agent.id} has one fixed model",
        remedy=f'Use model="{AGENT_PREFIX}{agent.id}", or leave the model to the agent: '
        'create_client(models={"*": None}).',
    )
    return model if decision == "keep" else None


def _record(given: str, target: Target, model: object, ledger: Ledger) -> None:
    if any(change.param == "model" for change in ledger.changes):
        return
    place = "" if target.agent is None else f"agent {target.agent}"
    sent = " with ".join(part for part in (place, model if isinstance(model, str) else "") if part)
    why = "it names an agent" if place else "models= maps it"
    ledger.mapped("model", shown(given), sent or "the agent's own", why)
