"""The options for translating calls: one frozen object for each client, changed copies for single calls."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, NamedTuple, TypeAlias, TypeGuard, get_args

from tess_openai.core.agents import Agent
from tess_openai.core.jsons import to_object
from tess_openai.core.parameter_cache import ParameterCache
from tess_openai.core.policy import Policy, parse_unsupported
from tess_openai.core.probe_profile import NOTHING_PROVEN, TessProfile
from tess_openai.core.prompts import Prompts
from tess_openai.core.refusals import Refused
from tess_openai.core.schemas.schema_checker import SchemaCache

UsageOption: TypeAlias = Literal["estimate", "none"]
LongAnswers: TypeAlias = Literal["stream", "poll"]
AttachmentOption: TypeAlias = Literal["upload"]
OnCut: TypeAlias = Literal["error", "return", "continue"]
AgentRef: TypeAlias = int | str
"""An agent's number, or its slug."""
CALL_FIELD: Final = "tess_openai"
"""The root field with a call's own options in the request, and with the ledger in the answer."""

DOCUMENTED_TEMPERATURES: Final = ("0", "0.25", "0.5", "0.75", "1")
"""The options most agents have. Source: Tess docs, get-agent (documented for an example agent); 0.45 and
0.7 are refused with 422 (observed)."""

HOSTED_TOOLS: Final[Mapping[str, str]] = {
    "web_search": "internet",
    "web_search_2025_08_26": "internet",
    "web_search_preview": "internet",
    "web_search_preview_2025_03_11": "internet",
}
"""OpenAI's hosted tools -> the value of Tess's `tools` enum. Source: Tess docs, list-agents (documented
values); that `internet` corresponds to web search is assumed from its name."""


NO_AGENTS: Final[Mapping[int, Agent]] = {}
NO_NAMES: Final[Mapping[str, AgentRef]] = {}
NO_MODELS: Final[Mapping[str, str | None]] = {}


@dataclass(frozen=True, slots=True)
class Options:
    """How a client translates its calls.

    Attributes:
        policy: What to do with parameters that Tess lacks.
        workspace_id: Value of the header `x-workspace-id`; None sends none.
        tools: The value of the agent's `tools` enum that is sent when a call has no tools.
        tool_names: Tool type or function name -> value of the agent's `tools` enum.
        temperatures: The agent's options, as strings of numbers; None sends any number as given. By
            default those of the documented example agent, which a profile may correct.
        merge_messages: Whether neighbouring messages of one role become one.
        usage: What to do when Tess gives no token counts: give an estimate, marked as one, or none.
        max_retry_wait_seconds: The longest wait for which the SDK retries when Tess asks it to wait.
        fetch_agents: Whether each call is checked against its agent, which is looked up once.
        agents: Agents that need no look-up, by number.
        agent_names: Names that a call may pass as its model to choose an agent.
        models: Aliases of models; None as a value means the model of the agent, `"*"` matches all others.
        schemas: Cache of compiled schemas, shared by all calls with these options.
        prompts: The texts with which emulation instructs the model.
        max_repairs: How many further paid requests are made for an emulated answer that cannot be used.
        profile: What `tess-openai probe` proved about the agent.
        long_answers: How answers are fetched that take longer than a connection may be silent; None fetches
            an answer whole or as a stream, as the caller asked.
        on_cut: What to do when a stream ends early after some of its text.
        max_answer_seconds: The longest time for an answer that is read as a stream; None sets no limit.
        attachments: What to do with the files in messages; None replaces each with a note.
        parameter_cache: Cache of the parameters translated with these options, which never change.
        may_need_no_translation: Whether these options leave a request unchanged that uses only what
            Tess documents.
    """

    policy: Policy = field(default_factory=Policy)
    workspace_id: str | None = field(default=None, repr=False)
    tools: str | None = None
    tool_names: Mapping[str, str] = field(default_factory=lambda: HOSTED_TOOLS)
    temperatures: tuple[str, ...] | None = DOCUMENTED_TEMPERATURES
    merge_messages: bool = True
    usage: UsageOption = "estimate"
    max_retry_wait_seconds: float = 60.0
    fetch_agents: bool = False
    agents: Mapping[int, Agent] = field(default_factory=lambda: NO_AGENTS)
    agent_names: Mapping[str, AgentRef] = field(default_factory=lambda: NO_NAMES)
    models: Mapping[str, str | None] = field(default_factory=lambda: NO_MODELS)
    schemas: SchemaCache = field(default_factory=SchemaCache, repr=False, compare=False)
    prompts: Prompts = field(default_factory=Prompts, repr=False)
    max_repairs: int = 1
    profile: TessProfile = NOTHING_PROVEN
    long_answers: LongAnswers | None = None
    on_cut: OnCut = "error"
    max_answer_seconds: float | None = None
    attachments: AttachmentOption | None = None
    parameter_cache: ParameterCache = field(
        default_factory=ParameterCache, init=False, repr=False, compare=False
    )
    may_need_no_translation: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        names_agents = self.fetch_agents or self.agents or self.agent_names or self.models
        may_need_no_translation = (
            self.tools is None
            and not names_agents
            and not self.policy.emulates
            and self.profile is NOTHING_PROVEN
            and not self.reads_as_stream
        )
        object.__setattr__(self, "may_need_no_translation", may_need_no_translation)

    def for_agent(self, number: int) -> Options:
        """Return the options for an agent; a profile of another agent does not apply to it."""
        if self.profile.agent_id in (number, NOTHING_PROVEN.agent_id):
            return self
        return replace(self, profile=NOTHING_PROVEN)

    @property
    def reads_as_stream(self) -> bool:
        """Whether answers are read as streams, whatever the call asks for."""
        return self.long_answers is not None or self.on_cut != "error"

    @property
    def temperature_options(self) -> tuple[str, ...] | None:
        """The temperatures to choose from; None where the probe proved that others are accepted."""
        if self.temperatures is DOCUMENTED_TEMPERATURES and self.profile.accepts("temperature.between"):
            return None
        return self.temperatures

    def for_call(self, given: object, known: frozenset[str]) -> Options:
        """Return these options with those of a call applied, `extra_body={"tess_openai": {...}}`.

        Shape: `{"unsupported": ..., "merge_messages": true, "usage": "none", ...}`: `unsupported`, and the
        options in `_CALL_OPTIONS`.

        Raises:
            Refused: Not an object, an unknown key, or a value of the wrong kind.
        """
        fields = to_object(given)
        if fields is None:
            raise _bad_option(f"{CALL_FIELD} must be an object", CALL_FIELD)
        options = self
        for key, value in fields.items():
            param = f"{CALL_FIELD}.{key}"
            if key == "unsupported":
                try:
                    policy = options.policy.overridden_by(parse_unsupported(value, known))
                except ValueError as error:
                    raise _bad_option(str(error), param) from None
                options = replace(options, policy=policy)
            elif key in _CALL_OPTIONS and _CALL_OPTIONS[key].is_valid(value):
                changed: dict[str, Any] = {key: value}
                options = replace(options, **changed)
            else:
                named = "".join(f", {name} ({option.values})" for name, option in _CALL_OPTIONS.items())
                raise _bad_option(
                    f"{param} is not an option of a call, or its value is of the wrong kind. "
                    f"Options: unsupported (an action, or a mapping of parameters to actions){named}",
                    param,
                )
        return options


def is_count(value: object) -> TypeGuard[int]:
    """Whether a value is a whole number from 0."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def is_seconds(value: object) -> TypeGuard[float]:
    """Whether a value is a number of seconds above 0."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf


class _CallOption(NamedTuple):
    """An option of the client that a call may set for itself: its check, and the values it may have."""

    is_valid: Callable[[object], bool]
    values: str


def _one_of(*values: object) -> Callable[[object], bool]:
    return lambda given: given in values


def _is_of(kind: type) -> Callable[[object], bool]:
    return lambda given: isinstance(given, kind)


def _is_limit(given: object) -> bool:
    return given is None or is_seconds(given)


_CALL_OPTIONS: Final[Mapping[str, _CallOption]] = {
    "merge_messages": _CallOption(_is_of(bool), "true or false"),
    "usage": _CallOption(_one_of(*get_args(UsageOption)), '"estimate" or "none"'),
    "max_repairs": _CallOption(is_count, "a number from 0"),
    "tools": _CallOption(_is_of(str), "a string"),
    "long_answers": _CallOption(_one_of(None, *get_args(LongAnswers)), '"stream", "poll" or null'),
    "on_cut": _CallOption(_one_of(*get_args(OnCut)), '"error", "return" or "continue"'),
    "attachments": _CallOption(_one_of(None, *get_args(AttachmentOption)), '"upload" or null'),
    "max_answer_seconds": _CallOption(_is_limit, "a number above 0, or null"),
}


def _bad_option(message: str, param: str) -> Refused:
    return Refused(message, param=param, code="invalid_option")
