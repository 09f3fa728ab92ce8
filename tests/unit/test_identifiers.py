"""Agent, workspace, key and base URL: which spellings are read, which are refused, and with what message."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.exceptions import TessConfigurationError, TessConfigurationWarning
from tess_openai.identifiers import to_agent_id, to_api_key, to_api_root, to_workspace_id

KEY = "123|" + "AbCdEfGh" * 6


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
    """Users copy URLs and texts that contain the number."""
    assert to_agent_id(given) == 8794


def test_a_slug_is_looked_up_later() -> None:
    """Only Tess knows the number that belongs to a slug."""
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
    """It is accepted in each form that gives a valid header."""
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
    """It gives the root of the API, and the agent if it names one."""
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
    """Nothing is sent, and the message does not show a value that may be a secret."""
    with pytest.raises(TessConfigurationError, match=expected) as caught:
        to_api_root(given)
    assert "secret" not in str(caught.value)
