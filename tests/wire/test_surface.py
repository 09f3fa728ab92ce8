"""Every way in which programs call the SDK works through the adapter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest
from pydantic import BaseModel

from tess_openai import TessConfigurationError, connection

if TYPE_CHECKING:
    from tests.wire.conftest import Driver


def test_the_client_is_the_sdks_own(driver: Driver) -> None:
    """Tracers, `isinstance` and other wrappers work, since it is not a subclass."""
    assert type(driver.client()) is (openai.AsyncOpenAI if driver.is_async else openai.OpenAI)


def test_a_chat_is_answered(driver: Driver, *, stream: bool) -> None:
    """The named agent answers, whole or as a stream."""
    assert driver.text(driver.client(), stream=stream) == driver.answer


def test_the_workspace_and_the_key_go_along(driver: Driver) -> None:
    """The strict simulator refuses a call without them."""
    driver.ask(driver.client())
    (call,) = driver.simulator.calls
    assert call.headers["x-workspace-id"] == "7001"
    assert call.headers["authorization"].startswith("Bearer 1|")


def test_a_raw_response_is_the_answer(driver: Driver) -> None:
    """It has status and headers, and its body parses to the same completion."""
    raw = driver.run(driver.client().chat.completions.with_raw_response.create(**driver.hello))
    assert raw.status_code == 200
    assert raw.headers["x-tess-simulator"]
    assert driver.run(raw.parse()).choices[0].message.content == driver.answer
    assert raw.elapsed.total_seconds() > 0


def test_a_raw_stream_parses_to_a_stream(driver: Driver) -> None:
    """It behaves like a raw response of OpenAI."""
    raw = driver.run(driver.client().chat.completions.with_raw_response.create(**driver.hello, stream=True))
    chunks = driver.items(driver.run(raw.parse()))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == driver.answer


def test_a_streaming_response_gives_lines_of_events(driver: Driver) -> None:
    """It is read piece by piece, and its head is available before the body."""
    create = driver.client().chat.completions.with_streaming_response.create
    with driver.entered(create(**driver.hello, stream=True)) as response:
        assert response.status_code == 200
        lines = [line for line in driver.items(response.iter_lines()) if line]
    assert lines[-1] == "data: [DONE]"
    assert all(line.startswith("data: {") for line in lines[:-1])


def test_a_streaming_response_parses(driver: Driver) -> None:
    """It parses to the completion, if no stream was requested."""
    create = driver.client().chat.completions.with_streaming_response.create
    with driver.entered(create(**driver.hello)) as response:
        assert driver.run(response.parse()).choices[0].message.content == driver.answer


def test_the_stream_helper_gathers_the_answer(driver: Driver) -> None:
    """`.stream()` builds a whole completion from the chunks."""
    manager = driver.chat(driver.client(), "stream")(**driver.hello)
    with driver.entered(manager) as events:
        kinds = {event.type for event in driver.items(events)}
        completion = driver.run(events.get_final_completion())
    assert {"chunk", "content.delta", "content.done"} <= kinds
    assert completion.choices[0].message.content == driver.answer
    assert completion.choices[0].finish_reason == "stop"


class Step(BaseModel):
    """What `.parse()` is asked for."""

    name: str


@pytest.mark.filterwarnings("ignore::tess_openai.TessRequestWarning")
def test_parse_reads_json_that_the_model_answers(driver: Driver) -> None:
    """The helper works unchanged with an agent that is set up to answer JSON."""
    driver.simulator.script('{"name": "first"}')
    parsed = driver.run(driver.chat(driver.client(), "parse")(**driver.hello, response_format=Step))
    assert parsed.choices[0].message.parsed == Step(name="first")


@pytest.mark.filterwarnings("ignore::tess_openai.TessRequestWarning")
def test_parse_fails_loudly_on_prose(driver: Driver) -> None:
    """An answer that is no JSON is pydantic's error, never an empty object."""
    with pytest.raises(ValueError, match="Step"):
        driver.run(driver.chat(driver.client(), "parse")(**driver.hello, response_format=Step))


@pytest.mark.parametrize("method", ["with_options", "copy"])
def test_a_changed_client_keeps_the_adapter(driver: Driver, method: str) -> None:
    """`with_options` and `copy` may change anything else."""
    changed = getattr(driver.client(), method)(
        timeout=7, max_retries=1, default_headers={"x-trace": "1"}, default_query={"q": "1"}
    )
    assert driver.text(changed, temperature=0.5) == driver.answer.replace(
        "temperature by default", "temperature 0.5"
    )
    (call,) = driver.simulator.calls
    assert (call.headers["x-trace"], call.target.partition("?")[2]) == ("1", "q=1")
    assert call.headers["x-workspace-id"] == "7001"


def test_another_agent_of_the_same_origin_is_reached(driver: Driver) -> None:
    """`with_options(base_url=...)` keeps key and workspace, which belong to the origin."""
    client = driver.client()
    other = client.with_options(base_url=driver.simulator.openai_url(44))
    assert driver.text(other) == driver.answer.replace("Agent 42", "Agent 44")


def test_the_modules_own_client_works(driver: Driver, monkeypatch: pytest.MonkeyPatch) -> None:
    """Programs without a client object set `openai.http_client` and its neighbours."""
    if driver.is_async:
        pytest.skip("the module has no async client")
    settings: Any = connection(42, **driver.connection)
    monkeypatch.setattr(openai, "http_client", settings["http_client"])
    monkeypatch.setattr(openai, "base_url", settings["base_url"] + "/")  # the module adds no slash
    monkeypatch.setattr(openai, "api_key", settings["api_key"])
    monkeypatch.setattr(openai, "_client", None, raising=False)
    assert openai.chat.completions.create(**driver.hello).choices[0].message.content == driver.answer
    settings["http_client"].close()


def test_an_http_client_of_ours_serves_a_client_of_theirs(driver: Driver) -> None:
    """Frameworks make their own client from `base_url`, `api_key` and `http_client`."""
    settings: Any = connection(42, **driver.connection)
    make = openai.AsyncOpenAI if driver.is_async else openai.OpenAI
    http_client = settings["async_http_client" if driver.is_async else "http_client"]
    client: Any = make(base_url=settings["base_url"], api_key=settings["api_key"], http_client=http_client)
    driver.clients.append(client)
    assert driver.text(client) == driver.answer


def test_a_function_gives_the_key(driver: Driver) -> None:
    """It is called for each request; the factory refuses an SDK that cannot do this."""
    keys: list[str] = []

    def give() -> str:
        keys.append(str(driver.connection["api_key"]))
        return keys[-1]

    async def give_later() -> str:
        return give()

    function = give_later if driver.is_async else give
    if driver.sdk < (1, 106):
        with pytest.raises(TessConfigurationError, match=r"openai 1\.106"):
            driver.client(api_key=function)
        return
    client = driver.client(api_key=function)
    assert [driver.text(client), driver.text(client)] == [driver.answer, driver.answer]
    assert len(keys) == 2


def test_every_option_of_the_constructor_passes(driver: Driver) -> None:
    """The SDK's constructor gets it unchanged."""
    client = driver.client(
        timeout=12.5,
        max_retries=5,
        default_headers={"x-team": "a"},
        default_query={"v": "1"},
        organization="org",
        project="proj",
        _strict_response_validation=True,
    )
    assert (client.timeout, client.max_retries) == (12.5, 5)
    assert (client.organization, client.project) == ("org", "proj")
    assert driver.text(client) == driver.answer
    (call,) = driver.simulator.calls
    assert (call.headers["x-team"], call.target.partition("?")[2]) == ("a", "v=1")


@pytest.mark.parametrize(
    ("name", "meant"), [("timeuot", "timeout"), ("unsuported", "unsupported"), ("agentid", "agent_id")]
)
def test_an_unknown_option_is_an_error(driver: Driver, name: str, meant: str) -> None:
    """A TypeError of the function that was called, with what was meant: ours or the SDK's."""
    factory = "create_async_client" if driver.is_async else "create_client"
    with pytest.raises(TypeError, match=rf"^{factory}\(\) .* '{name}'; did you mean '{meant}'\?$"):
        driver.client(**{name: 3})


def test_a_calls_own_workspace_wins(driver: Driver) -> None:
    """`extra_headers` is the caller's last word."""
    error = driver.fails(driver.client(), extra_headers={"X-Workspace-Id": "8888"})
    assert isinstance(error, openai.PermissionDeniedError)
    assert driver.simulator.calls[0].headers["x-workspace-id"] == "8888"


def test_a_default_workspace_header_wins(driver: Driver) -> None:
    """It may be set in `default_headers` too."""
    driver.fails(driver.client(default_headers={"x-workspace-id": "8888"}))
    assert driver.simulator.calls[0].headers["x-workspace-id"] == "8888"


def test_headers_and_query_of_a_call_pass(driver: Driver) -> None:
    """They are sent as given, in addition to the adapter's."""
    driver.ask(driver.client(), extra_headers={"x-trace": "7"}, extra_query={"debug": "1"})
    (call,) = driver.simulator.calls
    assert (call.headers["x-trace"], call.target.partition("?")[2]) == ("7", "debug=1")


def test_fields_of_the_agent_pass_untouched(driver: Driver) -> None:
    """Any JSON at the root that is none of OpenAI's parameters."""
    custom = {"root_id": 7, "file_ids": [1, 2], "nome-da-empresa": "Olá", "deep": {"a": [None, 1.5]}}
    driver.ask(driver.client(), extra_body=custom)
    (call,) = driver.simulator.calls
    assert call.json == {**driver.hello, **custom}


def test_the_field_of_the_adapter_is_consumed(driver: Driver) -> None:
    """`extra_body={"tess_openai": ...}` is not sent, and applies to this call only."""
    client = driver.client()
    quiet = {"tess_openai": {"unsupported": "ignore"}}
    driver.ask(client, seed=1, extra_body=quiet)
    (call,) = driver.simulator.calls
    assert call.json == driver.hello
    with pytest.warns(UserWarning, match="seed"):
        driver.ask(client, seed=1)


def test_a_mistake_in_that_field_is_refused(driver: Driver) -> None:
    """The error is OpenAI's 400 with `param`, after one attempt, and nothing is sent."""
    error = driver.fails(driver.client(), extra_body={"tess_openai": {"unsuported": "warn"}})
    assert isinstance(error, openai.BadRequestError)
    assert (error.code, error.param) == ("invalid_option", "tess_openai.unsuported")
    assert driver.simulator.requests == []


def test_a_tool_of_the_agent_is_written_as_a_string(driver: Driver) -> None:
    """It is set in `extra_body`, which is typed, or as a default of the client."""
    client = driver.client(tools="internet")
    assert "tools internet" in driver.text(client)
    assert "tools wikipedia" in driver.text(client, extra_body={"tools": "wikipedia"})


def test_nothing_the_caller_passed_is_changed(driver: Driver) -> None:
    """Messages, tools and bodies can be used again."""
    messages = [
        {"role": "developer", "content": [{"type": "text", "text": "be brief"}]},
        *driver.hello["messages"],
    ]
    extra = {"tess_openai": {"unsupported": "ignore"}, "root_id": 7}
    before = repr((messages, extra))
    driver.ask(driver.client(), messages=messages, extra_body=extra)
    assert repr((messages, extra)) == before


def test_an_http_client_can_be_of_the_other_family() -> None:
    """If that family is not installed, the factory says what to install."""
    family = "httpx" if openai.DefaultHttpxClient.__mro__[1].__module__.startswith("httpx2") else "httpx2"
    try:
        client = connection(42, family=family, api_key="1|key", workspace_id=1)["http_client"]  # type: ignore[arg-type] # a str, where the names are literals
    except TessConfigurationError as error:
        assert f"pip install {family}" in str(error)  # noqa: PT017 - only one of two lanes raises
    else:
        assert type(client).__module__.startswith(family)
        client.close()
