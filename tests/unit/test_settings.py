"""Arguments and `TESS_*` variables to settings: what is accepted, what is refused and how it says why."""

from __future__ import annotations

import inspect
import os
import pydoc
import re
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_type_hints

import openai
import pytest

from tess_openai import (
    TessOptions,
    connection,
    create_async_client,
    create_client,
)
from tess_openai.client_options import OPTIONS
from tess_openai.clients import ClientOptions
from tess_openai.core.agents import Agent
from tess_openai.core.changes import could_be_key
from tess_openai.core.chat.parameters import EMULATED_PARAMETERS
from tess_openai.core.options import HOSTED_TOOLS, Options
from tess_openai.core.policy import Policy
from tess_openai.core.prompts import Prompts
from tess_openai.exceptions import TessConfigurationError
from tess_openai.settings import Settings, resolve

KEY = "123|" + "AbCdEfGh" * 6
PROMPTS = Prompts(json_object="JSON only.")


@pytest.fixture
def environment() -> Iterator[Mapping[str, str]]:
    """Let a test set variables, and take them away again."""
    before = dict(os.environ)
    yield os.environ
    os.environ.clear()
    os.environ.update(before)


def resolved(agent_id: int | str | None = 42, **arguments: Any) -> Settings:
    """Resolve with defaults."""
    given: Any = {"workspace_id": 7001, "api_key": KEY, **arguments}
    return resolve(agent_id, given, longest_wait_seconds=60)


def test_arguments_become_settings() -> None:
    """Each option sets one field of the settings."""
    settings = resolved(
        tools="internet",
        unsupported={"seed": "ignore", "*": "error"},
        usage="none",
        temperatures=[0, 0.5, "1"],
        tool_names={"my_search": "internet"},
        merge_messages=False,
        max_retry_wait=5,
        max_repairs=2,
        prompts=PROMPTS,
        repeat_paid=True,
        max_answer_bytes=1000,
    )
    assert (settings.adapter.repeat_paid, settings.adapter.max_answer_bytes) == (True, 1000)
    assert settings.base_url == "https://api.tess.im/agents/42/openai"
    assert settings.adapter.options == Options(
        policy=Policy("error", {"seed": "ignore"}),
        workspace_id="7001",
        tools="internet",
        tool_names={**HOSTED_TOOLS, "my_search": "internet"},
        temperatures=("0", "0.5", "1"),
        merge_messages=False,
        usage="none",
        max_retry_wait_seconds=5,
        prompts=PROMPTS,
        max_repairs=2,
    )
    assert KEY not in repr(settings)
    assert "7001" not in repr(settings)


@pytest.mark.parametrize(
    ("unsupported", "words"),
    [
        pytest.param("warn", {}, id="by default"),
        pytest.param("error", {"seed": "error"}, id="beside a word for all others"),
        pytest.param({"stop": "ignore"}, {"stop": "ignore"}, id="but what is named"),
        pytest.param({"*": "error", "n": "warn"}, {"n": "warn", "seed": "error"}, id="both"),
    ],
)
def test_emulate_is_the_word_for_all_that_can_be(unsupported: Any, words: dict[str, str]) -> None:
    """`emulate=True` emulates each parameter that can be, unless `unsupported` names it."""
    policy = resolved(unsupported=unsupported, emulate=True).adapter.options.policy
    emulated = dict.fromkeys(EMULATED_PARAMETERS, "emulate")
    expected = {**emulated, "seed": "warn", **words}
    assert {param: policy.action_for(param) for param in expected} == expected


@pytest.mark.parametrize("is_installed", [True, False], ids=["with the extra", "without the extra"])
def test_patterns_are_checked_where_the_extra_is_installed(
    is_installed: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All other keywords are checked in any case, so that emulation works as it is."""
    if not is_installed:
        monkeypatch.setitem(sys.modules, "re2", None)
    schemas = resolved(emulate=True).adapter.options.schemas
    assert schemas.compiled({"pattern": "^a", "minLength": 1}).unchecked_keywords == (
        set() if is_installed else {"pattern"}
    )
    assert len(schemas.checker().check({"pattern": "^a", "minLength": 1}, "")) == 1 + is_installed


def test_without_arguments_the_environment_counts(environment: dict[str, str]) -> None:
    """Only `TESS_*` variables are read."""
    environment.update(
        TESS_AGENT_ID="43",
        TESS_API_KEY=KEY,
        TESS_WORKSPACE_ID=" 9 ",
        TESS_BASE_URL="https://tess.pareto.io/api",
        OPENAI_API_KEY="sk-not-used",
        OPENAI_BASE_URL="https://elsewhere.example",
    )
    settings = resolved(None, api_key=None, workspace_id=None)
    assert settings.base_url == "https://tess.pareto.io/api/agents/43/openai"
    assert settings.api_key == KEY
    assert settings.adapter.options.workspace_id == "9"


def test_an_argument_wins_over_the_environment(environment: dict[str, str]) -> None:
    """A blank variable counts as absent."""
    environment.update(TESS_AGENT_ID="43", TESS_API_KEY="x", TESS_WORKSPACE_ID="9", TESS_BASE_URL=" ")
    settings = resolved(42)
    assert (settings.agent_id, settings.api_key, settings.api_root) == (42, KEY, "https://api.tess.im")
    assert settings.adapter.options.workspace_id == "7001"


def test_openais_key_is_never_used(environment: dict[str, str]) -> None:
    """Without a Tess key, making a client fails even if `OPENAI_API_KEY` is set."""
    environment["OPENAI_API_KEY"] = KEY
    with pytest.raises(TessConfigurationError, match="OPENAI_API_KEY is never used"):
        resolved(api_key=None)


def test_the_agent_may_stand_in_the_base_url(environment: dict[str, str]) -> None:
    """It replaces the agent of the environment, and must not contradict the argument."""
    environment["TESS_AGENT_ID"] = "43"
    url = "https://api.tess.im/agents/42/openai"
    assert resolved(None, base_url=url).agent_id == 42
    assert resolved("42", base_url=url).base_url == url
    with pytest.raises(TessConfigurationError, match="agent_id is 44 but base_url names agent 42"):
        resolved(44, base_url=url)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        pytest.param({"agent_id": None}, "no agent: pass its number", id="no agent"),
        pytest.param({"unsupported": "strict"}, "unsupported is 'strict'", id="a policy that is none"),
        pytest.param({"unsupported": {"sed": "warn"}}, "did you mean 'seed'", id="a misspelt parameter"),
        pytest.param({"usage": "exact"}, "usage is 'exact'", id="another word for usage"),
        pytest.param({"temperatures": []}, "temperatures is", id="no temperature"),
        pytest.param({"temperatures": ["warm"]}, "temperatures is", id="a temperature that is no number"),
        pytest.param({"temperatures": ["nan"]}, "temperatures is", id="a temperature that is not a number"),
        pytest.param({"temperatures": [float("inf")]}, "temperatures is", id="an endless temperature"),
        pytest.param({"workspace_id": True}, "workspace_id is", id="true for a workspace"),
        pytest.param({"base_url": "http://api.tess.im"}, "in the clear", id="plain http"),
        pytest.param({"temperatures": 5}, "temperatures is 5", id="one temperature"),
        pytest.param({"temperatures": "0.5"}, "temperatures is '0.5'", id="a text of temperatures"),
        pytest.param({"tools": ["internet"]}, "tools is", id="a list of tools"),
        pytest.param({"tools": ""}, "tools is ''", id="an empty word for tools"),
        pytest.param({"tool_names": ["x"]}, "tool_names is", id="a list of names of tools"),
        pytest.param({"tool_names": {"x": 5}}, "tool_names is", id="a number for a tool"),
        pytest.param({"emulate": "false"}, "emulate is 'false'; it must be True", id="a word that is true"),
        pytest.param({"prompts": "Be brief."}, "prompts is 'Be brief.'", id="a text for prompts"),
        pytest.param({"merge_messages": "no"}, "merge_messages is 'no'", id="a word for a switch"),
        pytest.param({"on_change": "print"}, "on_change is 'print'", id="a callback that is none"),
        pytest.param({"agents": ["a"]}, r"agents is \['a'\]", id="agents without names"),
        pytest.param({"agents": {1: 44}}, "agents is {1: 44}", id="an agent's name that is a number"),
        pytest.param({"models": "x"}, "models is 'x'", id="models that are a word"),
        pytest.param({"models": {1: "x"}}, "models is {1: 'x'}", id="a model's name that is a number"),
        pytest.param({"models": {"a": 5}}, r"models\['a'\] is 5", id="a model that is a number"),
        pytest.param({"requests_per_second": "1"}, "requests_per_second is '1'", id="a rate that is a word"),
        pytest.param(
            {"agent_id": 42, "agent": Agent(id=44)}, "agent_id is 42 but agent= is agent 44", id="two"
        ),
        pytest.param(
            {"agent_id": "a-slug-42", "agent": Agent(id=44, slug="a-slug-44")}, "name one", id="two slugs"
        ),
    ],
)
def test_a_mistake_is_an_error_at_the_factory(arguments: dict[str, Any], expected: str) -> None:
    """Nothing is sent, and no warning accompanies the error."""
    with pytest.raises(TessConfigurationError, match=expected):
        resolved(**arguments)


@pytest.mark.parametrize(
    "secret", [KEY, f"Bearer {KEY}", "sk-" + "aB3" * 9], ids=["Tess", "header", "OpenAI"]
)
@pytest.mark.parametrize(
    "argument", ["agent_id", "workspace_id", "base_url", "tools", "usage", "agent", "unsupported"]
)
def test_a_key_in_a_wrong_place_is_not_repeated(argument: str, secret: str) -> None:
    """No error that shows the given value shows what looks like a key."""
    given: Any = ["x", secret] if argument == "tools" else secret
    with pytest.raises(TessConfigurationError, match="what looks like an API key") as caught:
        resolved(**{argument: given})
    assert secret[-20:] not in str(caught.value)


def test_each_option_states_what_it_is_for() -> None:
    """The class docstring, from which help and the pages are made, names every option once and in order."""
    described = re.findall(r"^    (\w+): ", inspect.cleandoc(str(TessOptions.__doc__)), re.MULTILINE)
    assert described == list(OPTIONS)


@pytest.mark.parametrize("factory", [create_client, create_async_client, connection])
def test_a_factory_shows_each_option(factory: Callable[..., object]) -> None:
    """Its signature and its help have each option with its default, although it takes `**options`."""
    parameters = inspect.signature(factory).parameters
    shown = {name: parameters[name].default for name in OPTIONS}
    assert shown == {name: option.default for name, option in OPTIONS.items()}
    assert "requests_per_second: The highest rate" in pydoc.render_doc(factory)


def test_a_keyword_that_is_no_option_is_refused() -> None:
    """It would otherwise have no effect, without any warning."""
    with pytest.raises(TypeError, match=r"^connection\(\) .* 'emulat'; did you mean 'emulate'\?$"):
        connection(42, emulat=True)  # type: ignore[call-arg] # the misspelt option is what is tested


@pytest.mark.parametrize("client", [openai.OpenAI, openai.AsyncOpenAI])
def test_the_keywords_of_the_sdk_are_known_to_type_checkers(client: Callable[..., object]) -> None:
    """Each keyword of the installed SDK's client is declared, so that a user can pass it."""
    declared = {*get_type_hints(ClientOptions), "http_client"}
    assert set(inspect.signature(client).parameters) - declared == set()


@pytest.mark.parametrize("wait", ["60", None, -1, float("nan"), True])
def test_a_wait_that_is_no_wait_is_an_error_at_the_factory(wait: Any) -> None:
    """The error occurs when any of the clients is made, not in its first call."""
    for make in (create_client, create_async_client):
        with pytest.raises(TessConfigurationError, match="max_retry_wait is"):
            make(42, api_key=KEY, workspace_id=7001, max_retry_wait=wait)


@pytest.mark.parametrize(
    ("agent_id", "agent"),
    [
        (None, Agent(id=44, slug="a-slug-44")),
        (44, Agent(id=44)),
        ("a-slug-44", Agent(id=44, slug="a-slug-44")),
        ("a-slug-44", Agent(id=44)),
    ],
    ids=["alone", "by number", "by slug", "by a slug it does not tell"],
)
def test_an_agent_may_be_named_twice(agent_id: int | str | None, agent: Agent) -> None:
    """The argument and the base URL may name the same agent."""
    assert resolved(agent_id, agent=agent).agent_id == (agent_id or 44)


def test_any_temperature_may_be_sent() -> None:
    """None means agents without options."""
    assert resolved(temperatures=None).adapter.options.temperatures is None


@pytest.mark.parametrize(
    "secret",
    [KEY, "sk-" + "aB3" * 9, "AbCdEfGh1jKlMnOpQrStUvWxYz0123456789"],
    ids=["Tess", "OpenAI", "no pipe"],
)
@pytest.mark.parametrize(
    "arguments",
    [
        {"profile": "SECRET"},
        {"max_retry_wait": "SECRET"},
        {"requests_per_second": "SECRET"},
        {"pacing": "SECRET"},
        {"pacing": "SECRET://x"},
        {"pacing": "sqlite:///SECRET/x"},
        {"max_repairs": "SECRET"},
        {"models": {"SECRET": 5}},
        {"models": "SECRET"},
        {"agents": {"x": "/SECRET"}},
        {"merge_messages": "SECRET"},
    ],
    ids=lambda arguments: next(iter(arguments)),
)
def test_what_could_be_a_key_is_never_shown(arguments: dict[str, Any], secret: str) -> None:
    """No error about an option shows such a value, however it is nested."""

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {put(key): put(each) for key, each in value.items()}
        return value.replace("SECRET", secret) if isinstance(value, str) else value

    with pytest.raises(TessConfigurationError) as caught:
        resolved(**put(arguments))
    assert secret[-20:] not in str(caught.value)


def test_looking_for_a_key_is_linear() -> None:
    """A name of 300 kilobytes costs little time."""
    began = time.process_time()
    for text in ("a" * 300_000, "1" * 300_000, "a-" * 150_000):
        assert not could_be_key(text)
    assert time.process_time() - began < 2
