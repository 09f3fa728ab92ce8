"""Arguments and `TESS_*` environment variables to one frozen `Settings`: the one place of precedence.

An argument wins over the environment, the environment over the default. `OPENAI_*` is never consulted.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast, get_args
from urllib.parse import urlsplit

from tess_openai.core.agents import Agent
from tess_openai.core.changes import quoted
from tess_openai.core.chat.parameters import EMULATED_PARAMETERS, POLICY_PARAMETERS
from tess_openai.core.emulate.coercion import SchemaChecker
from tess_openai.core.emulate.prompts import Prompts
from tess_openai.core.jsons import parse_json, to_object
from tess_openai.core.options import (
    DOCUMENTED_TEMPERATURES,
    HOSTED_TOOLS,
    AgentRef,
    Options,
    UsageOption,
    is_count,
)
from tess_openai.core.policy import Policy, Unsupported, parse_unsupported
from tess_openai.core.probe_profile import NOTHING_PROVEN, TessProfile, parse_profile
from tess_openai.edge.adapter import Adapter, OnChange, Origin
from tess_openai.edge.pacing import SPACING, Pacer
from tess_openai.edge.schema_validator import load_schema_checker
from tess_openai.exceptions import TessConfigurationError
from tess_openai.identifiers import (
    DEFAULT_BASE_URL,
    ApiKey,
    names_agent,
    port_of,
    to_agent_id,
    to_api_key,
    to_api_root,
    to_workspace_id,
)

Profile: TypeAlias = str | os.PathLike[str] | TessProfile
"""What `tess-openai probe` wrote: the file, or what is in it."""

FETCH: Final = "fetch"


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a client is made from.

    Attributes:
        agent_id: Of the agent that answers; its slug when the number must be looked up.
        api_key: A key, or a function that returns one.
        api_root: Scheme, host and prefix, `"https://api.tess.im"`.
        adapter: What the transports share.
    """

    agent_id: AgentRef
    api_key: ApiKey = field(repr=False)
    api_root: str
    adapter: Adapter

    @property
    def base_url(self) -> str:
        """What the SDK calls `base_url`: everything before `/chat/completions`."""
        return f"{self.api_root}/agents/{self.agent_id}/openai"


def resolve(
    agent_id: int | str | None,
    *,
    workspace_id: int | str | None,
    api_key: ApiKey | None,
    base_url: str | None,
    tools: str | None,
    unsupported: Unsupported,
    emulate: bool,
    max_repairs: int,
    prompts: Prompts | None,
    profile: Profile | None,
    on_change: OnChange | None,
    usage: UsageOption,
    temperatures: Sequence[str | float] | None,
    tool_names: Mapping[str, str] | None,
    merge_messages: bool,
    max_retry_wait: float,
    agent: Agent | Literal["fetch"] | None,
    agents: Mapping[str, int | str | Agent] | None,
    models: Mapping[str, str | None] | None,
    requests_per_second: float | None,
    sdk_names_broken_streams: bool,
) -> Settings:
    """Check and complete the arguments of a factory.

    Raises:
        TessConfigurationError: What was given cannot work; says what, why and what to do.

    Warns:
        TessKeyWarning: The key had to be cleaned or does not look like one of Tess's.
        TessWorkspaceWarning: No workspace is named.
    """
    root, agent_in_url = to_api_root(_from(base_url, "TESS_BASE_URL") or DEFAULT_BASE_URL)
    key = to_api_key(api_key if api_key is not None else os.environ.get("TESS_API_KEY"))
    policy = _to_policy(unsupported, emulate=emulate)
    if not is_count(max_repairs):
        raise TessConfigurationError(f"max_repairs is {max_repairs!r}; it must be a whole number from 0")
    named = _to_named("agents", agents, '{"support": 8794}')
    proven = read_profile(profile if profile is not None else _from(None, "TESS_OPENAI_PROFILE"))
    options = Options(
        policy=policy,
        workspace_id=to_workspace_id(_from(workspace_id, "TESS_WORKSPACE_ID")),
        tools=_to_word(tools),
        tool_names=_to_tool_names(tool_names),
        temperatures=_to_temperatures(temperatures),
        merge_messages=_to_switch(merge_messages),
        usage=_to_usage(usage),
        max_retry_wait_seconds=max_retry_wait,
        fetch_agents=_wants_fetch(agent),
        agents={each.id: each for each in (agent, *named.values()) if isinstance(each, Agent)},
        agent_names=_to_agent_names(named),
        models=_to_models(_to_named("models", models, '{"gpt-4o": "tess-6", "*": None}')),
        check=_to_checker(policy),
        prompts=Prompts() if prompts is None else prompts,
        max_repairs=max_repairs,
        profile=proven,
    )
    parts = urlsplit(root)
    return Settings(
        agent_id=_one_agent(agent_id, agent_in_url, agent if isinstance(agent, Agent) else None),
        api_key=key,
        api_root=root,
        adapter=Adapter(
            origin=Origin(parts.scheme, (parts.hostname or "").lower(), port_of(parts), parts.path),
            options=options,
            api_key=key if isinstance(key, str) else None,
            on_change=_to_callback(on_change),
            sdk_names_broken_streams=sdk_names_broken_streams,
            pacer=_to_pace(requests_per_second, max_retry_wait),
        ),
    )


def any_agent(base_url: str | None, agent: object) -> int | None:
    """Return an agent for a client that only lists agents; None where what it is made from names one."""
    is_named = isinstance(agent, Agent) or names_agent(_from(base_url, "TESS_BASE_URL") or "")
    return None if is_named else 1


def read_profile(given: Profile | None) -> TessProfile:
    """Return what a probe proved: as given, or read from the file it was written to; None proves nothing.

    Raises:
        TessConfigurationError: The file cannot be read, or is no profile.
    """
    if given is None:
        return NOTHING_PROVEN
    if isinstance(given, TessProfile):
        return given
    try:
        return parse_profile(parse_json(Path(given).read_bytes()))
    except OSError as error:
        raise TessConfigurationError(f"the profile {str(given)!r} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise TessConfigurationError(f"the profile {str(given)!r} cannot be used: {error}") from None


def _from(given: str | int | None, variable: str) -> str | None:
    """Return an argument, else its environment variable; blank counts as absent only in the environment."""
    if given is not None:
        return str(given) if not isinstance(given, bool) else repr(given)
    value = os.environ.get(variable, "").strip()
    return value or None


def _one_agent(agent_id: int | str | None, in_url: int | None, known: Agent | None) -> AgentRef:
    if agent_id is None and known is not None:
        agent_id = known.id
    named: AgentRef | None = to_agent_id(agent_id) if agent_id is not None else None
    if named is not None and in_url is not None and named != in_url:
        raise TessConfigurationError(f"agent_id is {named} but base_url names agent {in_url}; name one")
    if named is None:
        named = in_url
    if named is None:
        value = _from(None, "TESS_AGENT_ID")
        if value is None:
            raise TessConfigurationError(
                "no agent: pass its number, create_client(8794), or set TESS_AGENT_ID"
            )
        named = to_agent_id(value)
    if known is not None and named != (known.id if isinstance(named, int) else known.slug or named):
        raise TessConfigurationError(
            f"agent_id is {named!r} but agent= is agent {known.id}, and would not be used; name one. More "
            'agents are named with agents={"support": ...}'
        )
    return named


def _to_policy(unsupported: Unsupported, *, emulate: bool) -> Policy:
    """Return the policy; with `emulate`, that is the word for what can be, unless `unsupported` names it."""
    try:
        given = parse_unsupported(unsupported, POLICY_PARAMETERS)
    except ValueError as error:
        raise TessConfigurationError(str(error)) from None
    policy = Policy().overridden_by(given)
    if not emulate:
        return policy
    return Policy(policy.default, {**dict.fromkeys(EMULATED_PARAMETERS, "emulate"), **policy.by_param})


_CHECKED_PARAMETERS: Final = ("tools", "functions", "response_format")
"""Whose emulation checks values against schemas."""


def _to_checker(policy: Policy) -> SchemaChecker | None:
    """Return what checks values against JSON Schemas; None when it is not installed and not needed yet."""
    try:
        return load_schema_checker()
    except ImportError as error:
        if "emulate" in map(policy.word, _CHECKED_PARAMETERS):
            raise TessConfigurationError(str(error)) from None
        return None


def _to_temperatures(given: Sequence[str | float] | None) -> tuple[str, ...] | None:
    if given is None:
        return None
    if given is DOCUMENTED_TEMPERATURES:  # not named by the caller, as a profile must be able to tell
        return DOCUMENTED_TEMPERATURES
    try:
        options = tuple(option if isinstance(option, str) else f"{option:g}" for option in given)
        numbers = [float(option) for option in options if math.isfinite(float(option))]
    except (TypeError, ValueError):
        options, numbers = (), []
    if not numbers or len(numbers) < len(options) or isinstance(given, str):
        raise TessConfigurationError(
            f"temperatures is {quoted(given)}; it must be the agent's options, such as "
            f"{DOCUMENTED_TEMPERATURES}, or None to send any number"
        )
    return options


def _to_word(tools: object) -> str | None:
    if tools is not None and (not isinstance(tools, str) or not tools):
        raise TessConfigurationError(
            f'tools is {quoted(tools)}; it must be a word that your agent takes, such as "internet", or None'
        )
    return tools


def _to_tool_names(given: Mapping[str, str] | None) -> dict[str, str]:
    fields = to_object(dict(given or {}) if isinstance(cast("object", given or {}), Mapping) else given)
    if fields is None or not all(isinstance(word, str) and word for word in fields.values()):
        raise TessConfigurationError(
            f"tool_names is {quoted(given)}; it must map names of tools to words of Tess, "
            '{"my_search": "internet"}'
        )
    return {**HOSTED_TOOLS, **fields}


def _to_switch(merge_messages: object) -> bool:
    if not isinstance(merge_messages, bool):
        raise TessConfigurationError(f"merge_messages is {quoted(merge_messages)}; it must be True or False")
    return merge_messages


def _to_callback(on_change: OnChange | None) -> OnChange | None:
    if on_change is not None and not callable(on_change):
        raise TessConfigurationError(
            f"on_change is {quoted(on_change)}; it must be a function that takes a Change, or None"
        )
    return on_change


def _to_usage(given: UsageOption) -> UsageOption:
    if given not in get_args(UsageOption):
        raise TessConfigurationError(f'usage is {quoted(given)}; it must be "estimate" or "none"')
    return given


def _wants_fetch(agent: Agent | Literal["fetch"] | None) -> bool:
    if agent is None or isinstance(agent, Agent):
        return False
    if agent != FETCH:
        raise TessConfigurationError(
            f'agent is {quoted(agent)}; it must be an Agent, as get_agent() returns it, or "fetch" to look '
            "it up at the first call. To name the agent use agent_id, the first argument"
        )
    return True


def _to_named(option: str, given: object, example: str) -> dict[str, Any]:
    """Return a mapping of names to whatever; empty when it is not given."""
    if given is None:
        return {}
    shown = quoted(given)
    if isinstance(given, Mapping):
        items = dict(cast("Mapping[object, Any]", given))
        if all(isinstance(name, str) for name in items):
            return cast("dict[str, Any]", items)
    raise TessConfigurationError(f"{option} is {shown}; it must be a mapping of names, such as {example}")


def _to_agent_names(agents: Mapping[str, int | str | Agent]) -> dict[str, AgentRef]:
    names: dict[str, AgentRef] = {}
    for name, given in agents.items():
        if not name.strip():
            raise TessConfigurationError(
                'agents has an empty name; it must be what model= is to say, {"support": 8794}'
            )
        names[name] = given.id if isinstance(given, Agent) else to_agent_id(given)
    return names


def _to_models(models: Mapping[str, object]) -> dict[str, str | None]:
    aliases: dict[str, str | None] = {}
    for name, model in models.items():
        if model is not None and not (isinstance(model, str) and model):
            raise TessConfigurationError(
                f"models[{name!r}] is {quoted(model)}; it must be one of the agent's models, or None to "
                "leave the model to the agent"
            )
        aliases[name] = model
    return aliases


def _to_pace(requests_per_second: float | None, longest_pause_seconds: float) -> Pacer | None:
    if requests_per_second is None:
        return None
    if not _is_number(requests_per_second) or not 0 < requests_per_second < math.inf:
        raise TessConfigurationError(
            f"requests_per_second is {requests_per_second!r}; it must be a number above 0, such as 1, or None"
        )
    return Pacer(SPACING / requests_per_second, longest_pause_seconds)


def to_longest_wait(given: float) -> float:
    """Return how many seconds of waiting are left to the SDK.

    Raises:
        TessConfigurationError: No number, or a negative one.
    """
    if not _is_number(given) or not given >= 0:
        raise TessConfigurationError(
            f"max_retry_wait is {given!r}; it must be a number of seconds from 0, such as 60"
        )
    return given


def _is_number(given: object) -> bool:
    return isinstance(given, int | float) and not isinstance(given, bool)
