"""Combine the arguments of a factory and the `TESS_*` environment variables into one frozen `Settings`.

An argument overrides the environment, and the environment overrides the default. `OPENAI_*` is never read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, TypeVar
from urllib.parse import urlsplit

from tess_openai.client_options import OPTIONS, TessOptions, check_options, from_environment
from tess_openai.core.agents import Agent
from tess_openai.core.options import AgentRef, Options
from tess_openai.core.policy_parameters import resolve_policy
from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.known_keys import KnownKeys
from tess_openai.edge.origins import Origin
from tess_openai.edge.pacing import DEFAULT_RATE, SPACING, new_pacer
from tess_openai.edge.patterns import pattern_compiler
from tess_openai.exceptions import TessConfigurationError
from tess_openai.identifiers import ApiKey, names_agent, port_of, to_agent_id
from tess_openai.option_checks import FETCH

AGENT_VARIABLE: Final = "TESS_AGENT_ID"

Made = TypeVar("Made", Options, Adapter)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a client is made from.

    Attributes:
        agent_id: The agent that answers; its slug when the number must be looked up.
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
    given: TessOptions,
    *,
    longest_wait_seconds: float,
) -> Settings:
    """Check and complete the arguments of a factory.

    An option that has the name of a field of `Options` or `Adapter` becomes that field, as its check returned
    it. The code below names only the options that are combined or from which several values are made.

    Args:
        agent_id: The first argument of the factory.
        given: The options that the caller gave.
        longest_wait_seconds: The longest `Retry-After` that the SDK honours.

    Raises:
        TessConfigurationError: A value cannot work; the message names it, the reason and the remedy.

    Warns:
        TessConfigurationWarning: The key had to be cleaned or does not look like one of Tess.
        TessConfigurationWarning: No workspace is named.
    """
    checked = check_options(given)
    root: str
    root, agent_in_url = checked["base_url"]
    policy = resolve_policy(checked["unsupported"], emulate=checked["emulate"])
    agent, agents, key, rate = (
        checked["agent"],
        checked["agents"],
        checked["api_key"],
        checked["requests_per_second"],
    )
    wait = min(checked["max_retry_wait"], longest_wait_seconds)
    options = _fill(
        Options,
        checked,
        policy=policy,
        max_retry_wait_seconds=wait,
        fetch_agents=agent == FETCH,
        agents={each.id: each for each in (agent, *agents.values()) if isinstance(each, Agent)},
        agent_names={name: each.id if isinstance(each, Agent) else each for name, each in agents.items()},
        schemas=SchemaCache(pattern_compiler()),
    )
    pacing: str | None = checked["pacing"]
    is_paced = rate is not None or pacing is not None
    pacer = new_pacer(SPACING / (rate or DEFAULT_RATE), wait, pacing) if is_paced else None
    parts = urlsplit(root)
    return Settings(
        agent_id=_one_agent(agent_id, agent_in_url, agent if isinstance(agent, Agent) else None),
        api_key=key,
        api_root=root,
        adapter=_fill(
            Adapter,
            checked,
            origin=Origin(parts.scheme, (parts.hostname or "").lower(), port_of(parts), parts.path),
            options=options,
            keys=KnownKeys.of(key),
            pacer=pacer,
        ),
    )


def any_agent(options: TessOptions) -> int | None:
    """Return an agent number for a client that only lists agents; None where its options name an agent."""
    base_url = from_environment(options.get("base_url"), OPTIONS["base_url"].variable)
    is_named = isinstance(options.get("agent"), Agent) or names_agent(str(base_url or ""))
    return None if is_named else 1


def _fill(kind: type[Made], checked: Mapping[str, Any], **others: Any) -> Made:  # noqa: ANN401 - as dataclasses take
    """Make a dataclass from the options that have the names of its fields; `others` override them."""
    names = {each.name for each in fields(kind) if each.init}
    return kind(**{**{name: value for name, value in checked.items() if name in names}, **others})


def _one_agent(agent_id: int | str | None, in_url: int | None, known: Agent | None) -> AgentRef:
    """Return the agent that the argument, the base URL, `agent=` or the environment names.

    Raises:
        TessConfigurationError: No agent is named, or two different ones are.
    """
    if agent_id is None and known is not None:
        agent_id = known.id
    named: AgentRef | None = to_agent_id(agent_id) if agent_id is not None else None
    if named is not None and in_url is not None and named != in_url:
        raise TessConfigurationError(f"agent_id is {named} but base_url names agent {in_url}; name one")
    if named is None:
        named = in_url
    if named is None:
        value = from_environment(None, AGENT_VARIABLE)
        if value is None:
            raise TessConfigurationError(
                "no agent: pass its number, create_client(8794), or set TESS_AGENT_ID"
            )
        named = to_agent_id(str(value))
    if known is not None and named != (known.id if isinstance(named, int) else known.slug or named):
        raise TessConfigurationError(
            f"agent_id is {named!r} but agent= is agent {known.id}, and would not be used; name one. More "
            'agents are named with agents={"support": ...}'
        )
    return named
