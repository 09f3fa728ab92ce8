"""Check the options: each function returns the value that the package uses, or says what it must be.

A check raises `ValueError("it must be ...")`, which `client_options` completes with the option's name and
value, or `TessConfigurationError` with a message of its own.
"""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Callable, Mapping, Sequence
from inspect import iscoroutinefunction
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, TypeGuard, cast, get_args

from tess_openai.core.agents import Agent
from tess_openai.core.changes import Change, quoted
from tess_openai.core.jsons import parse_json
from tess_openai.core.options import (
    DOCUMENTED_TEMPERATURES,
    HOSTED_TOOLS,
    AgentRef,
    AttachmentOption,
    LongAnswers,
    OnCut,
    UsageOption,
    is_count,
    is_seconds,
)
from tess_openai.core.policy import Unsupported, parse_unsupported
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.probe_profile import NOTHING_PROVEN, TessProfile, parse_profile
from tess_openai.core.prompts import Prompts
from tess_openai.core.responses.conversation_store import ResponseStore
from tess_openai.core.routes import OTHER_ENDPOINTS, TESS_ENDPOINTS
from tess_openai.edge.pacing_urls import parse_pacing_url
from tess_openai.edge.response_stores import MemoryResponseStore
from tess_openai.exceptions import TessConfigurationError
from tess_openai.identifiers import DEFAULT_BASE_URL, to_agent_id, to_api_root

Profile: TypeAlias = str | os.PathLike[str] | TessProfile
"""The result of `tess-openai probe`: the path of the file that it wrote, or its content."""

FETCH: Final = "fetch"


def to_root_and_agent(given: object) -> tuple[str, int | None]:
    """Return the root of the API, and the agent that the URL names, if it does."""
    return to_api_root(DEFAULT_BASE_URL if given is None else str(given))


def to_word(given: object) -> str | None:
    """Check a word of the agent's `tools` enum."""
    if given is not None and (not isinstance(given, str) or not given):
        raise ValueError('it must be a word that your agent takes, such as "internet", or None')
    return given


def to_unsupported(given: object) -> Unsupported:
    """Check a policy: a word, or a mapping of parameters to words."""
    try:
        return parse_unsupported(given, POLICY_PARAMETERS)
    except ValueError as error:
        raise TessConfigurationError(str(error)) from None


def to_switch(given: object) -> bool:
    """Check that a value is True or False; `"false"`, which Python would take for true, is refused."""
    if not isinstance(given, bool):
        raise ValueError("it must be True or False")
    return given


def to_count(given: object) -> int:
    """Check a whole number from 0."""
    if not is_count(given):
        raise ValueError("it must be a whole number from 0")
    return given


def to_byte_limit(given: object) -> int | None:
    """Check a number of bytes."""
    if given is None:
        return None
    if not is_count(given) or given == 0:
        raise ValueError("it must be a number of bytes from 1, such as 10_000_000, or None")
    return given


def to_seconds(given: object) -> float:
    """Check a number of seconds, which may be infinite."""
    if not _is_number(given) or not given >= 0:
        raise ValueError("it must be a number of seconds from 0, such as 60")
    return given


def to_rate(given: object) -> float | None:
    """Check a number of requests a second."""
    if given is None:
        return None
    if not _is_number(given) or not 0 < given < math.inf:
        raise ValueError("it must be a number above 0, such as 1, or None")
    return given


def to_pacing_url(given: object) -> str | None:
    """Check the URL of a store for pacing; its password is in no message."""
    try:
        return parse_pacing_url(given)
    except ValueError as error:
        raise TessConfigurationError(str(error)) from None


def to_prompts(given: object) -> Prompts:
    """Return the prompts; the default ones for None."""
    if given is None:
        return Prompts()
    if not isinstance(given, Prompts):
        raise ValueError('it must be a Prompts, such as Prompts(auto="..."), or None')
    return given


def to_callback(given: object) -> Callable[[Change], object] | None:
    """Check the function that is called with each change."""
    if given is not None and not callable(given):
        raise ValueError("it must be a function that takes a Change, or None")
    return given


def to_usage(given: object) -> UsageOption:
    """Check the word for answers of Tess without token counts."""
    if given not in get_args(UsageOption):
        raise ValueError('it must be "estimate" or "none"')
    return cast("UsageOption", given)


def to_long_answers(given: object) -> LongAnswers | None:
    """Check the word for the way in which long answers are fetched."""
    if given not in (None, *get_args(LongAnswers)):
        raise ValueError('it must be "stream", "poll" or None')
    return cast("LongAnswers | None", given)


def to_on_cut(given: object) -> OnCut:
    """Check the word for streams that are cut."""
    if given not in get_args(OnCut):
        raise ValueError('it must be "error", "return" or "continue"')
    return cast("OnCut", given)


def to_attachments(given: object) -> AttachmentOption | None:
    """Check the word for files in messages."""
    if given not in (None, *get_args(AttachmentOption)):
        raise ValueError('it must be "upload" or None')
    return cast("AttachmentOption | None", given)


def to_answer_seconds(given: object) -> float | None:
    """Check the longest time for an answer."""
    if given is not None and not is_seconds(given):
        raise ValueError("it must be a number of seconds above 0, such as 600, or None")
    return given


def to_temperatures(given: Sequence[str | float] | None) -> tuple[str, ...] | None:
    """Return the agent's temperatures as strings of numbers."""
    if given is None:
        return None
    if given is DOCUMENTED_TEMPERATURES:  # a profile may replace the default, but not a caller's own tuple
        return DOCUMENTED_TEMPERATURES
    try:
        options = tuple(option if isinstance(option, str) else f"{option:g}" for option in given)
        numbers = [float(option) for option in options if math.isfinite(float(option))]
    except (TypeError, ValueError):
        options, numbers = (), []
    if not numbers or len(numbers) < len(options) or isinstance(given, str):
        raise ValueError(
            f"it must be the temperatures that the agent offers, such as {DOCUMENTED_TEMPERATURES}, or None "
            "to send any number"
        )
    return options


def to_tool_names(given: object) -> dict[str, str]:
    """Return the names of tools, with those of OpenAI's hosted tools added."""
    names = _to_mapping(given)
    if names is None or not all(isinstance(word, str) and word for word in names.values()):
        raise ValueError('it must map names of tools to words of Tess, {"my_search": "internet"}')
    return {**HOSTED_TOOLS, **names}


def to_agent(given: object) -> Agent | Literal["fetch"] | None:
    """Check the description of the client's agent, or the word that requests it."""
    if given is None or isinstance(given, Agent):
        return given
    if given != FETCH:
        raise ValueError(
            'it must be an Agent, as get_agent() returns it, or "fetch" to look it up at the first call. To '
            "name the agent use agent_id, the first argument"
        )
    return FETCH


def to_agents(given: object) -> dict[str, AgentRef | Agent]:
    """Check names for agents."""
    names = _to_mapping(given)
    if names is None:
        raise ValueError('it must be a mapping of names, such as {"support": 8794}')
    if not all(name.strip() for name in names):
        raise TessConfigurationError(
            'agents has an empty name; it must be what model= names in a call, {"support": 8794}'
        )
    return {name: each if isinstance(each, Agent) else to_agent_id(each) for name, each in names.items()}


def to_models(given: object) -> dict[str, str | None]:
    """Check aliases of models."""
    aliases = _to_mapping(given)
    if aliases is None:
        raise ValueError('it must be a mapping of names, such as {"gpt-4o": "tess-6", "*": None}')
    for name, model in aliases.items():
        if model is not None and not (isinstance(model, str) and model):
            raise TessConfigurationError(
                f"models[{quoted(name)}] is {quoted(model)}; it must be one of the agent's models, or None "
                "to leave the model to the agent"
            )
    return aliases


def to_store(given: ResponseStore | None) -> ResponseStore:
    """Check a store of responses; None makes one in memory."""
    if given is None:
        return MemoryResponseStore()
    methods = [getattr(given, method, None) for method in ("load", "save", "delete")]
    if not all(map(callable, methods)):
        raise ValueError("it must have the methods load, save and delete, as SQLiteResponseStore has")
    if any(map(iscoroutinefunction, methods)):
        raise ValueError("its methods must not be async: they are called in a thread, so they may block")
    return given


def to_other_clients(given: object) -> dict[str, Any]:
    """Check the clients that answer endpoints which Tess lacks."""
    clients = _to_mapping(given)
    if clients is None:
        raise ValueError('it must be a mapping of endpoints, such as {"embeddings": openai.OpenAI()}')
    for name, client in clients.items():
        import openai  # the doctor reads this module where the SDK is missing

        if name in TESS_ENDPOINTS:
            raise TessConfigurationError(
                f"others has {quoted(name)}, which Tess answers itself; another client takes what Tess lacks"
            )
        if name not in OTHER_ENDPOINTS:
            near = difflib.get_close_matches(name, OTHER_ENDPOINTS, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else f": {', '.join(OTHER_ENDPOINTS)}"
            raise TessConfigurationError(
                f"others has {quoted(name)}, which is not an endpoint that another client may answer{hint}"
            )
        if not isinstance(client, (openai.OpenAI, openai.AsyncOpenAI)):
            raise TessConfigurationError(
                f"others[{name!r}] is of type {type(client).__name__}; it must be an openai.OpenAI or, for "
                "an async client, an openai.AsyncOpenAI"
            )
    return clients


def read_profile(given: Profile | None) -> TessProfile:
    """Return the result of a probe, as given or read from its file; None gives a profile that proves nothing.

    Raises:
        TessConfigurationError: The file cannot be read, or is not a profile.
    """
    if given is None:
        return NOTHING_PROVEN
    if isinstance(given, TessProfile):
        return given
    shown = quoted(str(given))
    try:
        return parse_profile(parse_json(Path(given).read_bytes()))
    except OSError as error:
        raise TessConfigurationError(f"the profile {shown} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise TessConfigurationError(f"the profile {shown} cannot be used: {error}") from None


def _to_mapping(given: object) -> dict[str, Any] | None:
    """Return a mapping with string keys as a dict, an empty one for None; None for any other value."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        return None
    items = dict(cast("Mapping[object, Any]", given))
    return cast("dict[str, Any]", items) if all(isinstance(name, str) for name in items) else None


def _is_number(given: object) -> TypeGuard[float]:
    return isinstance(given, int | float) and not isinstance(given, bool)
