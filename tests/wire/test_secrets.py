"""Keys, workspaces and prompts go to Tess and nowhere else, and no other service's go there."""

from __future__ import annotations

import logging
import warnings
from typing import TYPE_CHECKING

import openai
import pytest

from tess_openai import TessConfigurationError
from tess_openai.testing import SIMULATOR_API_KEY, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

OPENAI_KEY = "sk-" + "proj-0123456789abcdef"
PROMPT = "the secret recipe of grandmother"
CUSTOM_HEADERS_SINCE = (2, 54)


def test_openais_organisation_and_project_stay_home(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are not sent, whether the environment, the constructor or a call names them."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-env")
    client = driver.client(project="proj-argument")
    driver.ask(client, extra_headers={"OpenAI-Organization": "org-call"})
    (call,) = driver.simulator.calls
    assert not [name for name in call.headers if name in {"openai-organization", "openai-project"}]


def test_openais_key_is_never_a_fallback(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """A missing key is an error, although the environment has one of OpenAI's."""
    monkeypatch.setenv("OPENAI_API_KEY", OPENAI_KEY)
    with pytest.raises(TessConfigurationError, match="OPENAI_API_KEY is never used"):
        driver.client(api_key=None)


def test_openais_base_url_is_never_a_fallback(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """It does not replace a base URL that was given either."""
    monkeypatch.setenv("OPENAI_BASE_URL", "https://elsewhere.invalid/v1")
    assert driver.text(driver.client()) == driver.answer
    assert driver.client(base_url=None).base_url.host == "api.tess.im"


def test_a_key_of_openais_is_refused_at_the_factory(driver: Driver) -> None:
    """The error does not repeat the key."""
    with pytest.raises(TessConfigurationError, match="OpenAI key") as caught:
        driver.client(api_key=OPENAI_KEY)
    assert OPENAI_KEY not in str(caught.value)


@pytest.mark.parametrize(
    "smuggle",
    [
        {"extra_headers": {"Authorization": f"Bearer {OPENAI_KEY}"}},
        {"extra_headers": {"authorization": f"bearer {OPENAI_KEY}"}},
    ],
    ids=["as the SDK spells it", "in lower case"],
)
def test_a_key_of_openais_is_refused_at_the_call(driver: Driver, smuggle: dict[str, object]) -> None:
    """The error occurs after one attempt, and nothing is sent."""
    error = driver.fails(driver.client(), None, **smuggle)
    assert isinstance(error, openai.AuthenticationError)
    assert error.code == "foreign_key"
    assert OPENAI_KEY not in str(error)
    assert driver.simulator.requests == []


@pytest.mark.parametrize("key", [OPENAI_KEY, "gw-key-of-a-gateway"])
def test_a_key_smuggled_by_the_environment_is_refused_at_the_factory(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """`OPENAI_CUSTOM_HEADERS` replaces the key that was given, where the SDK reads it."""
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"Authorization: Bearer {key}")
    if driver.sdk < CUSTOM_HEADERS_SINCE:
        driver.ask(driver.client())
        assert driver.simulator.calls[0].headers["authorization"] == f"Bearer {SIMULATOR_API_KEY}"
        return
    with pytest.raises(TessConfigurationError, match="OPENAI_CUSTOM_HEADERS") as caught:
        driver.client()
    assert key not in str(caught.value)


@pytest.mark.parametrize("key", [OPENAI_KEY, "gw-key-of-a-gateway"])
def test_a_key_smuggled_in_later_is_refused_at_the_call(
    driver: Driver, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """Each `with_options()` reads the environment again."""
    client = driver.client()
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", f"Authorization: Bearer {key}")
    changed = client.with_options(timeout=5)
    if driver.sdk < CUSTOM_HEADERS_SINCE:
        assert driver.text(changed) == driver.answer
        return
    error = driver.fails(changed)
    assert isinstance(error, openai.AuthenticationError)
    assert error.code == "foreign_key"
    assert driver.simulator.requests == []


def test_a_key_of_ones_own_may_be_changed(driver: Driver) -> None:
    """`with_options(api_key=...)` is the caller's own word, not a smuggler's."""
    driver.fails(driver.client().with_options(api_key="2|AnotherKeyOfTesss"))
    assert driver.simulator.calls[0].headers["authorization"] == "Bearer 2|AnotherKeyOfTesss"


def test_other_custom_headers_of_the_environment_pass(
    driver: Driver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only the key is refused."""
    monkeypatch.setenv("OPENAI_CUSTOM_HEADERS", "x-gateway: blue")
    driver.ask(driver.client())
    expected = "blue" if driver.sdk >= CUSTOM_HEADERS_SINCE else None
    assert driver.simulator.calls[0].headers.get("x-gateway") == expected


def test_nothing_that_is_reported_holds_a_secret(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """Key, workspace and prompt are in no warning, no log of ours, no error and no record of a change."""
    reported: list[object] = []
    caplog.set_level(logging.DEBUG, "tess_openai")
    client = driver.client(on_change=reported.append)
    secrets = {
        "messages": [{"role": "user", "name": PROMPT, "content": PROMPT}],
        "stop": [PROMPT],
        "user": PROMPT,
        "temperature": 0.7,
        "metadata": {PROMPT: PROMPT},
        "tools": [{"type": "function", "function": {"name": "look_up", "description": PROMPT}}],
    }
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        driver.ask(client, **secrets)
        error = driver.fails(client, faults.answers(422, {"message": "No."}), **secrets)
    texts = [str(warning.message) for warning in caught]
    texts += [record.getMessage() for record in caplog.records if record.name == "tess_openai"]
    texts += [repr(change) for change in reported]
    texts += [str(error), repr(error), repr(error.body)]
    assert len(texts) > 10
    for text in texts:
        assert not [secret for secret in (PROMPT, SIMULATOR_API_KEY, "7001") if secret in text]


def test_no_repr_shows_a_secret(driver: Driver) -> None:
    """This holds for the http client, its transport, and all objects that they contain."""
    transport = driver.client()._client._transport
    shown = [transport, transport.adapter, transport.adapter.options, transport.adapter.origin]
    for thing in shown:
        assert SIMULATOR_API_KEY not in repr(thing)
        assert "7001" not in repr(thing)


def test_the_debug_log_holds_names_only(driver: Driver, caplog: pytest.LogCaptureFixture) -> None:
    """One line for a call that changed, none for one that did not."""
    caplog.set_level(logging.DEBUG, "tess_openai")
    client = driver.client(unsupported="ignore")
    driver.ask(client)
    driver.ask(client, seed=4711, top_p=0.123)
    lines = [record.getMessage() for record in caplog.records if record.name == "tess_openai"]
    assert lines == ["stripped seed, stripped top_p"]


@pytest.mark.parametrize("source", ["function", "with_options", "attribute", "header", "workspace"])
@pytest.mark.parametrize(
    "broken", ["12|AbC\nDeF0123456789secret", "12|AbC\r\nX-Injected: DeF0123456789secret"]
)
def test_a_key_with_a_line_break_is_refused_wherever_it_comes_from(
    driver: Driver, source: str, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    """The http client would show it in its error and its log.

    Neither the adapter's error nor any log does.
    """
    caplog.set_level(logging.DEBUG)
    client, fields = driver.client(max_retries=2), dict[str, object]()
    if source == "function":
        if driver.sdk < (1, 106):
            pytest.skip("this SDK cannot call a key")

        async def give_later() -> str:
            return broken

        client = driver.client(api_key=give_later if driver.is_async else lambda: broken)
    elif source == "with_options":
        client = client.with_options(api_key=broken)
    elif source == "attribute":
        client.api_key = broken
    elif source == "header":
        fields["extra_headers"] = {"Authorization": f"Bearer {broken}"}
    else:
        fields["extra_headers"] = {"x-workspace-id": broken}
    error: BaseException | None = driver.fails(client, None, **fields)
    assert isinstance(error, openai.APIStatusError)
    assert error.code == ("workspace_invalid" if source == "workspace" else "invalid_api_key")
    logged = "\n".join(f"{record.name} {record.getMessage()}" for record in caplog.records)
    assert "DeF0123456789secret" not in "".join(line for line in logged.splitlines() if "httpcore" in line)
    while error is not None:
        assert "DeF0123456789secret" not in str(error) + repr(error)
        error = error.__cause__ or error.__context__
    assert driver.simulator.requests == []


@pytest.mark.parametrize(
    "key", [SIMULATOR_API_KEY, "AbCdEfGh1jKlMnOpQrStUvWxYz0123456789"], ids=["Tess", "no pipe"]
)
@pytest.mark.filterwarnings("ignore")
def test_a_key_in_the_place_of_a_model_is_not_shown(driver: Driver, key: str) -> None:
    """It may have been given as an agent or as a model."""
    for model in (f"agent:{key}", f"agent:{key}/tess-6"):
        error = driver.fails(driver.client(), model=model)
        assert key[-20:] not in str(error)
        assert key[-20:] not in str(error.body)
