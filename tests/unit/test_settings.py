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
from tess_openai.exceptions import TessConfigurationError, TessConfigurationWarning
from tess_openai.identifiers import to_agent_id, to_api_key, to_api_root, to_workspace_id
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


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(8794, id="a number"),
        pytest.param("8794", id="a string of digits"),
        pytest.param(" 8794\n", id="digits with white space around"),
        pytest.param("https://app.tess.im/dashboard/agents/8794/edit", id="a page of the app"),
        pytest.param("https://tess.pareto.io/ai-studio/agents/8794", id="a page of the older app"),
        pytest.param("https://tess.pareto.io/ai-studio/agents/8794?w=3#x", id="with a query"),
        pytest.param("https://api.tess.im/agents/8794/openai/chat/completions", id="the API's URL"),
        pytest.param("https://API.TESS.IM/agents/8794", id="a host in capitals"),
        pytest.param("http://127.0.0.1:8000/agents/8794/openai", id="on loopback"),
        pytest.param("http://localhost/agents/8794", id="on localhost"),
    ],
)
def test_an_agent_id_is_found_in(given: int | str) -> None:
    """Whatever users copy that contains the number."""
    assert to_agent_id(given) == 8794


def test_a_slug_is_looked_up_later() -> None:
    """It cannot be turned into a number without asking Tess."""
    assert to_agent_id("my-agent-AbC12d") == "my-agent-AbC12d"


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(0, id="zero"),
        pytest.param(-1, id="a negative number"),
        pytest.param(True, id="true"),
        pytest.param(8794.0, id="a float"),
        pytest.param("", id="nothing"),
        pytest.param("0", id="a string of zero"),
        pytest.param("-1", id="a string of a negative number"),
        pytest.param("٨٧٩٤", id="digits of another script"),
        pytest.param("9" * 5000, id="more digits than a number may have"),
        pytest.param("5f0c3d2e-8b7a-4c1d-9e2f-1a2b3c4d5e6f", id="a UUID"),
        pytest.param("agents/8794", id="a path"),
        pytest.param("https://elsewhere.example/agents/8794", id="another host"),
        pytest.param("https://nottess.im/agents/8794", id="a host that ends alike"),
        pytest.param("https://tess.im.evil.example/agents/8794", id="a host that begins alike"),
        pytest.param("ftp://api.tess.im/agents/8794", id="another scheme"),
        pytest.param("https://api.tess.im/agents/8794x", id="a number with letters"),
        pytest.param("https://api.tess.im/agents/0", id="zero in a URL"),
        pytest.param("https://api.tess.im/agents/", id="a URL without a number"),
        pytest.param("https://[api.tess.im/agents/1", id="a URL that is none"),
        pytest.param(["8794"], id="a list"),
    ],
)
def test_no_agent_id_is_found_in(given: Any) -> None:
    """It says what was given and what to do, before any network."""
    with pytest.raises(TessConfigurationError, match="must be the agent's number, such as 8794"):
        to_agent_id(given)


@pytest.mark.parametrize(
    ("given", "sent"), [(7001, "7001"), ("7001", "7001"), (" 7001 ", "7001"), (0, "0"), ("007", "007")]
)
def test_a_workspace_is_a_number(given: int | str, sent: str) -> None:
    """As the header's value."""
    assert to_workspace_id(given) == sent


@pytest.mark.parametrize(
    "given",
    [
        "",
        "my workspace",
        "7001\r\nx-evil: 1",
        "-1",
        "7.0",
        True,
        7.5,
        "٣",
        "https://app.tess.im/?w=7001",
        [7001],
    ],
)
def test_a_workspace_that_is_no_number_is_refused(given: Any) -> None:
    """Nothing else can get into a header."""
    with pytest.raises(TessConfigurationError, match="it must be a number, such as 1234"):
        to_workspace_id(given)


def test_no_workspace_is_a_warning() -> None:
    """Users report a 422; it is no error of ours."""
    with pytest.warns(TessConfigurationWarning, match="422 since 2026-09-01"):
        assert to_workspace_id(None) is None


def test_a_key_passes() -> None:
    """A function that returns one, too."""
    assert to_api_key(KEY) == KEY
    assert to_api_key(to_api_key_later) is to_api_key_later


def to_api_key_later() -> str:
    """Return a key when it is needed."""
    return KEY


@pytest.mark.parametrize(
    "given",
    [f" {KEY}\n", f'"{KEY}"', f"'{KEY}'", f' "{KEY}" ', f"Bearer {KEY}", f"bearer  {KEY}", f'"{KEY} "'],
)
def test_a_key_is_cleaned_with_a_warning(given: str) -> None:
    """The warning does not show it."""
    with pytest.warns(TessConfigurationWarning) as caught:
        assert to_api_key(given) == KEY
    assert KEY not in str(caught[0].message)


def test_a_key_without_a_pipe_is_a_warning() -> None:
    """A shell may have cut it off."""
    with pytest.warns(TessConfigurationWarning, match="no pipe") as caught:
        assert to_api_key("AbCdEfGh") == "AbCdEfGh"
    assert "AbCdEfGh" not in str(caught[0].message)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param(None, "no API key: pass api_key= or set TESS_API_KEY", id="none"),
        pytest.param("", "is empty", id="empty"),
        pytest.param(' "" ', "is empty", id="quotes around nothing"),
        pytest.param("sk-secret", "an OpenAI key", id="OpenAI's"),
        pytest.param("1|sec ret", "no header can carry", id="a space inside"),
        pytest.param("1|sec\r\nret", "no header can carry", id="a line end inside"),
        pytest.param("1|sécret", "no header can carry", id="a letter outside ASCII"),
        pytest.param(b"1|secret", "api_key is a bytes", id="bytes"),
        pytest.param(123, "api_key is a int", id="a number"),
    ],
)
def test_a_key_that_cannot_work_is_refused(given: Any, expected: str) -> None:
    """The error does not show it."""
    with pytest.raises(TessConfigurationError, match=expected) as caught:
        to_api_key(given)
    assert "ret" not in str(caught.value)


@pytest.mark.parametrize(
    ("given", "root", "agent"),
    [
        pytest.param("https://api.tess.im", "https://api.tess.im", None, id="the host"),
        pytest.param("https://api.tess.im/", "https://api.tess.im", None, id="a slash at the end"),
        pytest.param(" https://API.Tess.im ", "https://api.tess.im", None, id="capitals and white space"),
        pytest.param("https://api.tess.im:443", "https://api.tess.im", None, id="the scheme's own port"),
        pytest.param("https://tess.pareto.io/api", "https://tess.pareto.io/api", None, id="the older host"),
        pytest.param("https://tess.pareto.io/api/", "https://tess.pareto.io/api", None, id="with a slash"),
        pytest.param(
            "https://api.tess.im/agents/42/openai", "https://api.tess.im", 42, id="the SDK's base URL"
        ),
        pytest.param("https://api.tess.im/agents/42/openai/", "https://api.tess.im", 42, id="and a slash"),
        pytest.param(
            "https://api.tess.im/agents/42/openai/v1", "https://api.tess.im", 42, id="and a version"
        ),
        pytest.param(
            "https://api.tess.im//agents//42/openai//v1/", "https://api.tess.im", 42, id="two slashes"
        ),
        pytest.param(
            "https://gateway.example//x//", "https://gateway.example/x", None, id="a gateway's slashes"
        ),
        pytest.param(
            "https://tess.pareto.io/api/agents/42/openai/chat/completions",
            "https://tess.pareto.io/api",
            42,
            id="the whole URL of a call",
        ),
        pytest.param("http://127.0.0.1:8000", "http://127.0.0.1:8000", None, id="loopback"),
        pytest.param("http://localhost:80", "http://localhost", None, id="localhost"),
        pytest.param("http://[::1]:8000/api", "http://[::1]:8000/api", None, id="loopback of IPv6"),
        pytest.param("https://gateway.example/tess", "https://gateway.example/tess", None, id="a gateway"),
    ],
)
def test_a_base_url_is_read(given: str, root: str, agent: int | None) -> None:
    """To the API's root, and the agent if it names one."""
    assert to_api_root(given) == (root, agent)


def test_the_older_host_alone_is_completed_with_a_warning() -> None:
    """Its API is below `/api`."""
    with pytest.warns(TessConfigurationWarning, match="below /api"):
        assert to_api_root("https://tess.pareto.io") == ("https://tess.pareto.io/api", None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        pytest.param("", "must start with https", id="nothing"),
        pytest.param("api.tess.im", "must start with https", id="no scheme"),
        pytest.param("https://", "name a host", id="no host"),
        pytest.param("ftp://api.tess.im", "must start with https", id="another scheme"),
        pytest.param("http://api.tess.im", "would send the key in the clear", id="plain http"),
        pytest.param("http://localhost.evil.example", "in the clear", id="a host that begins like localhost"),
        pytest.param("https://user:secret@api.tess.im", "no user, query or fragment", id="a user"),
        pytest.param("https://api.tess.im?key=secret", "no user, query or fragment", id="a query"),
        pytest.param("https://api.tess.im#x", "no user, query or fragment", id="a fragment"),
        pytest.param(
            "https://api.tess.im/v1", 'the API\'s root, "https://api.tess.im"', id="OpenAI's version"
        ),
        pytest.param(
            "https://gateway.example/x/v1/chat/completions",
            'the API\'s root, "https://gateway.example/x"',
            id="its whole URL",
        ),
        pytest.param("https://api.tess.im/agents", "the agent's path is added", id="the list of agents"),
        pytest.param("https://api.tess.im/agents/42", "the agent's path is added", id="an agent alone"),
        pytest.param("https://api.tess.im/openai", "the agent's path is added", id="no agent"),
        pytest.param("https://api.tess.im/agents/0/openai", "the agent's path", id="agent zero"),
        pytest.param("https://api.tess.im/agents/\u0663/openai", "the agent's path", id="another script"),
        pytest.param(f"https://api.tess.im/agents/{'9' * 5000}/openai", "the agent's path", id="too long"),
        pytest.param("https://api.tess.im:99999", "port", id="a port out of range"),
        pytest.param("https://api.tess.im:x", "port", id="a port of letters"),
        pytest.param("https://[api.tess.im", "must start with https", id="a URL that is none"),
        pytest.param("https://gateway.example/a%20b", "must be plain words", id="an escape"),
        pytest.param("https://gateway.example/a b", "must be plain words", id="a space"),
        pytest.param("https://gateway.example/x/../y", "must be plain words", id="a step back"),
        pytest.param("https://gateway.example/.", "must be plain words", id="a step on the spot"),
    ],
)
def test_a_base_url_that_cannot_work_is_refused(given: str, expected: str) -> None:
    """Before any network, and what may be a secret is not shown."""
    with pytest.raises(TessConfigurationError, match=expected) as caught:
        to_api_root(given)
    assert "secret" not in str(caught.value)


def test_arguments_become_settings() -> None:
    """One place for each."""
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
    """Unless `unsupported` names it."""
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
    assert schemas.compiled({"pattern": "^a", "minLength": 1}).left_out == (
        set() if is_installed else {"pattern"}
    )
    assert len(schemas.checker().check({"pattern": "^a", "minLength": 1}, "")) == 1 + is_installed


def test_without_arguments_the_environment_counts(environment: dict[str, str]) -> None:
    """Of `TESS_*` only."""
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
    """And blank variables count as absent."""
    environment.update(TESS_AGENT_ID="43", TESS_API_KEY="x", TESS_WORKSPACE_ID="9", TESS_BASE_URL=" ")
    settings = resolved(42)
    assert (settings.agent_id, settings.api_key, settings.api_root) == (42, KEY, "https://api.tess.im")
    assert settings.adapter.options.workspace_id == "7001"


def test_openais_key_is_never_used(environment: dict[str, str]) -> None:
    """Without Tess's there is none."""
    environment["OPENAI_API_KEY"] = KEY
    with pytest.raises(TessConfigurationError, match="OPENAI_API_KEY is never used"):
        resolved(api_key=None)


def test_the_agent_may_stand_in_the_base_url(environment: dict[str, str]) -> None:
    """Before the environment's, and not against the argument's."""
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
    """Before any network, without a warning beside it."""
    with pytest.raises(TessConfigurationError, match=expected):
        resolved(**arguments)


@pytest.mark.parametrize(
    "secret", [KEY, f"Bearer {KEY}", "sk-" + "aB3" * 9], ids=["Tess", "header", "OpenAI"]
)
@pytest.mark.parametrize(
    "argument", ["agent_id", "workspace_id", "base_url", "tools", "usage", "agent", "unsupported"]
)
def test_a_key_in_a_wrong_place_is_not_repeated(argument: str, secret: str) -> None:
    """By none of the errors that show what was given."""
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
    """In its signature with the default, and in its help, although it is declared as `**options`."""
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
    """Whichever client is made."""
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
    """When it is the same."""
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
    """By no option, in whatever place of it."""

    def put(value: Any) -> Any:
        if isinstance(value, dict):
            return {put(key): put(each) for key, each in value.items()}
        return value.replace("SECRET", secret) if isinstance(value, str) else value

    with pytest.raises(TessConfigurationError) as caught:
        resolved(**put(arguments))
    assert secret[-20:] not in str(caught.value)


def test_looking_for_a_key_is_linear() -> None:
    """A name of a megabyte costs no time."""
    began = time.process_time()
    for text in ("a" * 1_000_000, "1" * 1_000_000, "a-" * 500_000):
        assert not could_be_key(text)
    assert time.process_time() - began < 2
