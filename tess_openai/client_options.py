"""The adapter's own options, each defined once: name, type, default, environment variable and check.

The factories take them as `**options: Unpack[TessOptions]`, which type checkers and IDEs read. `OPTIONS` is
the same definition at run time: signatures, help, checks and the table of the pages are made from it. A new
option is an entry of `TessOptions`, and a field of the class that uses it: `core.options.Options` or
`edge.adapter.Adapter`.
"""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal, TypedDict, TypeVar, get_args, get_type_hints

import openai

from tess_openai import option_checks as checks
from tess_openai.core.agents import Agent
from tess_openai.core.changes import quoted
from tess_openai.core.options import (
    DOCUMENTED_TEMPERATURES,
    AttachmentOption,
    LongAnswers,
    OnCut,
    UsageOption,
)
from tess_openai.core.policy import Unsupported
from tess_openai.core.prompts import Prompts
from tess_openai.core.responses.conversation_store import ResponseStore
from tess_openai.edge.adapter import OnChange
from tess_openai.edge.answer_limits import DEFAULT_MAX_ANSWER_BYTES
from tess_openai.exceptions import TessConfigurationError
from tess_openai.identifiers import ApiKey, to_api_key, to_workspace_id
from tess_openai.option_checks import Profile


@dataclass(frozen=True, slots=True)
class Option:
    """How one option is completed and checked.

    Attributes:
        default: Its value when neither the caller nor the environment gives one.
        check: Returns what the package works with. Raises `TessConfigurationError` with the whole message, or
            `ValueError("it must be ...")`, which is completed by the option's name and value.
        variable: The environment variable that is read when the caller gives None; blank counts as not set.
    """

    default: Any
    check: Callable[[Any], object]
    variable: str = ""


class TessOptions(TypedDict, total=False):
    """The adapter's own options, the same for every factory.

    Attributes:
        workspace_id: The number of the workspace that the key belongs to; its credits pay the calls.
        api_key: A key of Tess, or a function that returns one (openai 1.106 or later). It is sent to
            `base_url` and nowhere else.
        base_url: The root of the API; `https://api.tess.im` by default. It begins with `https://`, or with
            `http://` where the host is this machine.
        tools: The agent's tool for calls that do not name one, such as `"internet"`.
        unsupported: What to do with parameters that Tess lacks: `"warn"`, `"ignore"`, `"error"`, `"forward"`,
            `"emulate"`, or a mapping of parameters to these words, `{"seed": "ignore", "*": "error"}`.
        emulate: Whether to emulate functions, structured output, `stop`, `n` and `max_tokens`, except those
            that `unsupported` names. Emulation changes prompts and may cost further calls.
            `pip install "tess-openai[emulate]"` adds the check of `pattern` in schemas.
        max_repairs: How many further paid requests may follow an emulated answer that cannot be used; 0 or
            more.
        prompts: The texts with which emulation instructs the model.
        profile: The path of the file that `tess-openai probe` wrote, or its content: a parameter that is
            proven to work is forwarded, and one that is proven to fail is refused before anything is sent.
        on_change: A function that is called with each `Change`, before the request is sent.
        usage: `"estimate"` marks estimated token counts where Tess gives none; `"none"` omits them.
        temperatures: The temperatures that the agent offers; a call with another one gets the nearest. None
            sends any number as it is given.
        tool_names: Further hosted tools or functions, and the tool of Tess that takes the place of each:
            `{"my_search": "internet"}`.
        merge_messages: Whether consecutive messages of one role are joined.
        max_retry_wait: The longest wait, in seconds, that Tess may ask for; when it asks for more, the call
            fails at once.
        agent: Checks each call against what the agent offers, before anything is sent: an `Agent`, or
            `"fetch"` to look it up at the first call.
        agents: Names for more agents, to be used as `model`: `{"support": 8794, "sales": "a-slug-AbC12d"}`.
        models: Aliases of models, `{"gpt-4o": "tess-6", "*": None}`; None means the model of the agent.
        requests_per_second: The highest rate for this key, over all its clients in the process; with `pacing`
            over all processes. None sets no limit.
        pacing: The store through which processes share the rate of a key: `"sqlite:///line.sqlite"` on one
            machine, `"redis://host:6379/0"` for several (`pip install "tess-openai[redis]"`). Without
            `requests_per_second`, the rate is then one request a second.
        repeat_paid: Whether a call whose answer was lost is sent again, as OpenAI's SDK does, although the
            first one may still be running and be paid for.
        max_answer_bytes: The most bytes of one answer that are kept in memory; a longer answer ends in an
            error. None sets no limit.
        responses_store: Keeps responses, so that `previous_response_id` can continue them; by default in the
            client's own memory. Processes can share a `SQLiteResponseStore`.
        others: Clients of yours that answer endpoints which Tess lacks, with their own keys:
            `{"embeddings": openai.OpenAI()}`, and an `openai.AsyncOpenAI` for an async client.
        long_answers: `"stream"` asks Tess for a stream even if the call asks for a whole answer, which may
            then take longer than a connection to Tess may be silent. `"poll"` starts an execution on Tess's
            own route and asks for its state, however long it takes (an experiment).
        on_cut: What happens when a stream breaks after some text has arrived: `"error"` raises an error,
            `"return"` returns the text with `finish_reason="length"`, and `"continue"` requests the rest by
            further paid requests.
        attachments: `"upload"` uploads images, audio and files that messages contain as data, waits until
            Tess has processed them (which may cost credits), and refers to them by `file_ids`.
        max_answer_seconds: The longest time, in seconds, for a whole answer with `long_answers` or `on_cut`;
            `timeout` limits each silence within it. None sets no limit.
    """

    workspace_id: Annotated[int | str | None, Option(None, to_workspace_id, "TESS_WORKSPACE_ID")]
    api_key: Annotated[ApiKey | None, Option(None, to_api_key, "TESS_API_KEY")]
    base_url: Annotated[str | None, Option(None, checks.to_root_and_agent, "TESS_BASE_URL")]
    tools: Annotated[str | None, Option(None, checks.to_word)]
    unsupported: Annotated[Unsupported, Option("warn", checks.to_unsupported)]
    emulate: Annotated[bool, Option(False, checks.to_switch)]
    max_repairs: Annotated[int, Option(1, checks.to_count)]
    prompts: Annotated[Prompts | None, Option(None, checks.to_prompts)]
    profile: Annotated[Profile | None, Option(None, checks.read_profile, "TESS_OPENAI_PROFILE")]
    on_change: Annotated[OnChange | None, Option(None, checks.to_callback)]
    usage: Annotated[UsageOption, Option("estimate", checks.to_usage)]
    temperatures: Annotated[
        Sequence[str | float] | None, Option(DOCUMENTED_TEMPERATURES, checks.to_temperatures)
    ]
    tool_names: Annotated[Mapping[str, str] | None, Option(None, checks.to_tool_names)]
    merge_messages: Annotated[bool, Option(True, checks.to_switch)]
    max_retry_wait: Annotated[float, Option(60.0, checks.to_seconds)]
    agent: Annotated[Agent | Literal["fetch"] | None, Option(None, checks.to_agent)]
    agents: Annotated[Mapping[str, int | str | Agent] | None, Option(None, checks.to_agents)]
    models: Annotated[Mapping[str, str | None] | None, Option(None, checks.to_models)]
    requests_per_second: Annotated[float | None, Option(None, checks.to_rate)]
    pacing: Annotated[str | None, Option(None, checks.to_pacing_url, "TESS_PACING")]
    repeat_paid: Annotated[bool, Option(False, checks.to_switch)]
    max_answer_bytes: Annotated[int | None, Option(DEFAULT_MAX_ANSWER_BYTES, checks.to_byte_limit)]
    responses_store: Annotated[ResponseStore | None, Option(None, checks.to_store)]
    others: Annotated[
        Mapping[str, openai.OpenAI | openai.AsyncOpenAI] | None, Option(None, checks.to_other_clients)
    ]
    long_answers: Annotated[LongAnswers | None, Option(None, checks.to_long_answers)]
    on_cut: Annotated[OnCut, Option("error", checks.to_on_cut)]
    attachments: Annotated[AttachmentOption | None, Option(None, checks.to_attachments)]
    max_answer_seconds: Annotated[float | None, Option(None, checks.to_answer_seconds)]


_HINTS: Final = {
    name: get_args(hint) for name, hint in get_type_hints(TessOptions, include_extras=True).items()
}
OPTIONS: Final[Mapping[str, Option]] = {name: option for name, (_, option) in _HINTS.items()}
"""Every option by its name, in the order of `TessOptions`."""

Factory = TypeVar("Factory", bound=Callable[..., object])


def check_options(given: Mapping[str, Any]) -> dict[str, Any]:
    """Complete options from the environment and the defaults, and check each.

    Returns:
        What each option's check returned; every option is present.

    Raises:
        TessConfigurationError: A value cannot work.
    """
    return {name: _check(name, option, given.get(name, option.default)) for name, option in OPTIONS.items()}


def check_names(factory: Callable[..., object], given: Iterable[str], further: Iterable[str] = ()) -> None:
    """Refuse an unknown keyword, and propose the most similar option.

    Args:
        factory: The function that the caller called.
        given: The caller's keywords.
        further: The keywords of the SDK's client, which the factory takes too.

    Raises:
        TypeError: As Python raises it for an unexpected keyword.
    """
    names = [*inspect.signature(factory).parameters, *further]
    for name in given:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{factory.__name__}() got an unexpected keyword argument {name!r}{hint}")


def show_options(factory: Factory) -> Factory:
    """Give a factory a signature and a help text that list each option of its `**options`."""
    signature = inspect.signature(factory)
    parameters = list(signature.parameters.values())
    rest = parameters.pop()
    for name, (hint, option) in _HINTS.items():
        parameters.append(
            inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=option.default, annotation=hint)
        )
    if "ClientOptions" in str(rest.annotation):
        parameters.append(inspect.Parameter("openai_options", inspect.Parameter.VAR_KEYWORD, annotation=Any))
    shown: Any = factory
    shown.__signature__ = signature.replace(parameters=parameters)
    if factory.__doc__ is not None and TessOptions.__doc__ is not None:  # python -OO removes both
        _, _, attributes = TessOptions.__doc__.partition("Attributes:")
        shown.__doc__ = f"{inspect.cleandoc(factory.__doc__)}\n\nOptions:{inspect.cleandoc(attributes)}"
    return factory


def from_environment(given: object, variable: str) -> object:
    """Return the caller's value; when that is None, the environment variable, or None when it is blank."""
    if given is not None or not variable:
        return given
    value = os.environ.get(variable, "")
    return value if value.strip() else None


def _check(name: str, option: Option, given: object) -> object:
    value = from_environment(given, option.variable)
    try:
        return option.check(value)
    except TessConfigurationError:
        raise
    except ValueError as error:
        raise TessConfigurationError(f"{name} is {quoted(value)}; {error}") from None
