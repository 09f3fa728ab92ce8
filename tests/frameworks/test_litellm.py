"""LiteLLM on Tess agents: as a library, and its proxy for a fleet."""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import litellm
import openai
import pytest
from scripted import answers_with, calls
from shared import NO_TOOLS, ROME, THREADS, WEATHER, City, lines_of, own_lines_of

from tess_openai import TessRequestWarning, TessWarning, changes_of, presets
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID, TessSimulator, faults

HELLO: Any = [{"role": "user", "content": "hello"}]
TOOLS: Any = [
    {
        "type": "function",
        "function": {
            "name": "weather",
            "description": "Tell the weather of a city.",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]


@pytest.fixture(autouse=True)
def provider(tess: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """Tess, as `tess/...` and with emulation as `tess-emulating/...`."""
    providers = {
        "tess": presets.litellm_provider(42, **tess),
        "tess-ignoring": presets.litellm_provider(42, **tess, unsupported="ignore"),
        "tess-emulating": presets.litellm_provider(42, **tess, emulate=True),
    }
    known = [{"provider": name, "custom_handler": handler} for name, handler in providers.items()]
    monkeypatch.setattr(litellm, "custom_provider_map", known)


@pytest.mark.cell("chat")
def test_chat(simulator: TessSimulator) -> None:
    """The model's name says which agent and which model."""
    for name in ("tess/tess-6", "tess/42/tess-6", "tess/43"):
        answer: Any = litellm.completion(name, HELLO)
        assert answer.choices[0].message.content.endswith("received: hello")
    assert [call.path.split("/")[2] for call in simulator.calls] == ["42", "42", "43"]
    assert [call.json.get("model") for call in simulator.calls] == ["tess-6", "tess-6", None]


def test_a_client_instead_of_a_provider(tess: dict[str, Any]) -> None:
    """LiteLLM's own `openai/` route works over this package's client."""
    answer: Any = litellm.completion("openai/tess-6", HELLO, **presets.litellm(42, **tess))
    assert answer.choices[0].message.content.endswith("received: hello")


def test_a_loop_that_ended_keeps_no_clients(tess: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """A program may call `asyncio.run` for each answer."""
    handler: Any = presets.litellm_provider(42, **tess)
    monkeypatch.setattr(
        litellm, "custom_provider_map", [{"provider": "tess-again", "custom_handler": handler}]
    )
    for _ in range(3):
        answer: Any = asyncio.run(litellm.acompletion("tess-again/tess-6", HELLO))
        assert answer.choices[0].message.content.endswith("received: hello")
    assert len(handler._async_clients) == 1


@pytest.mark.cell("stream")
def test_stream() -> None:
    """Text arrives piece by piece."""
    chunks: Any = list(litellm.completion("tess/tess-6", HELLO, stream=True))
    assert len(chunks) > 5
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks).endswith("received: hello")
    assert chunks[-1].choices[0].finish_reason == "stop"


@pytest.mark.cell("async")
def test_async() -> None:
    """Async calls and streams work in one event loop after another."""

    async def ask() -> str:
        answer: Any = await litellm.acompletion("tess/tess-6", HELLO)
        stream: Any = await litellm.acompletion("tess/tess-6", HELLO, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(pieces) == answer.choices[0].message.content
        return str(answer.choices[0].message.content)

    for _ in range(2):
        assert asyncio.run(ask()).endswith("received: hello")


OTHER_KEY = "2|" + "k" * 48


def given_to_complete(call: str, more: dict[str, Any]) -> None:
    """Make a call in one of LiteLLM's ways, to its end."""

    async def ask() -> None:
        await litellm.acompletion("tess/tess-6", HELLO, **more)

    async def ask_for_stream() -> None:
        async for _ in await litellm.acompletion("tess/tess-6", HELLO, stream=True, **more):
            pass

    if call == "whole":
        litellm.completion("tess/tess-6", HELLO, **more)
    elif call == "stream":
        list(litellm.completion("tess/tess-6", HELLO, stream=True, **more))
    else:
        asyncio.run(ask() if call == "async" else ask_for_stream())


@pytest.mark.parametrize("call", ["whole", "stream", "async", "async stream"])
def test_what_is_given_to_a_call_is_on_the_wire(
    simulator: TessSimulator, tess: dict[str, Any], call: str
) -> None:
    """Headers by both of LiteLLM's names, another key with its workspace, fields of the agent's, no more."""
    simulator.api_keys |= {OTHER_KEY}
    headers = {"headers": {"x-one": "1"}, "extra_headers": {"x-two": "2", "x-workspace-id": "7001"}}
    given_to_complete(call, {**headers, "extra_body": {"root_id": 7}, "max_retries": 0, "api_key": OTHER_KEY})
    given_to_complete(call, {})
    first, second = simulator.requests
    assert (first.headers["x-one"], first.headers["x-two"]) == ("1", "2")
    assert first.headers["authorization"] == f"Bearer {OTHER_KEY}"
    assert first.json["root_id"] == 7
    assert first.json.keys() - {"root_id"} == second.json.keys() <= {"model", "messages", "stream"}
    assert second.headers["authorization"] == f"Bearer {tess['api_key']}"


def test_a_deployment_has_its_own_account(tess: dict[str, Any]) -> None:
    """Key and base of a router's deployment, whatever the provider was made with."""
    with TessSimulator(api_keys={OTHER_KEY}) as other:
        other.serve()
        account = {"api_key": OTHER_KEY, "api_base": other.base_url}
        models = [{"model_name": "guide", "litellm_params": {"model": "tess/42/tess-6", **account}}]
        litellm.Router(model_list=models).completion("guide", HELLO)
        assert [request.path.split("/")[2] for request in other.requests] == ["42"]
        assert "max_retries" not in other.requests[0].json


@pytest.mark.parametrize("call", ["whole", "async"])
def test_the_providers_key_stays_with_its_base(simulator: TessSimulator, call: str) -> None:
    """It is not sent to where a call alone says."""
    with TessSimulator() as other:
        other.serve()
        with pytest.raises(openai.APIError, match="api_base is given without api_key"):
            given_to_complete(call, {"api_base": other.base_url})
        assert (other.requests, simulator.requests) == ([], [])


@pytest.mark.parametrize("retries", [0, 1])
def test_tries_are_as_many_as_litellm_counts(simulator: TessSimulator, retries: int) -> None:
    """LiteLLM's own option for retries decides."""
    simulator.fault(*[faults.server_error() for _ in range(3)])
    with pytest.raises(openai.InternalServerError):
        litellm.completion("tess/tess-6", HELLO, max_retries=retries)
    assert len(simulator.requests) == retries + 1


REFUSED_BY_LITELLM: dict[str, Any] = {
    "reasoning_effort": "low",
    "verbosity": "low",
    "thinking": {"type": "enabled", "budget_tokens": 1024},
}


@pytest.mark.parametrize("param", REFUSED_BY_LITELLM)
def test_what_litellm_itself_refuses_or_drops(simulator: TessSimulator, param: str) -> None:
    """Once LiteLLM knows that the provider takes a parameter, the policy decides about it."""
    given = {param: REFUSED_BY_LITELLM[param]}
    with pytest.raises(litellm.exceptions.UnsupportedParamsError):
        litellm.completion("tess-ignoring/tess-6", HELLO, **given)
    dropped = litellm.completion("tess-ignoring/tess-6", HELLO, **given, drop_params=True)
    assert changes_of(dropped) == ()
    allowed = litellm.completion("tess-ignoring/tess-6", HELLO, **given, allowed_openai_params=[param])
    sent = simulator.calls[-1].json
    assert (
        param in sent if param == "thinking" else [change.param for change in changes_of(allowed)] == [param]
    )


@pytest.mark.parametrize("param", ["user", "prompt_cache_retention"])
def test_what_litellm_drops_in_silence(param: str) -> None:
    """LiteLLM drops it before the provider sees it, unless it is in `extra_body`."""
    given: dict[str, Any] = {param: "24h"}
    assert changes_of(litellm.completion("tess-ignoring/tess-6", HELLO, **given)) == ()
    let_through = litellm.completion("tess-ignoring/tess-6", HELLO, extra_body=given)
    assert [change.param for change in changes_of(let_through)] == [param]


@pytest.mark.cell("several turns")
def test_several_turns(simulator: TessSimulator) -> None:
    """LiteLLM's own message objects go back as history."""
    first: Any = litellm.completion("tess/tess-6", HELLO)
    litellm.completion(
        "tess/tess-6", [*HELLO, first.choices[0].message, {"role": "user", "content": "and now?"}]
    )
    roles = [message["role"] for message in simulator.calls[1].json["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.cell("errors")
def test_errors(simulator: TessSimulator) -> None:
    """LiteLLM's own exceptions, which are the SDK's too, with Tess's reason in their text."""
    simulator.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits") as raised:
        litellm.completion("tess/tess-6", HELLO)
    assert raised.value.status_code == 402


@pytest.mark.cell(
    "structured output",
    gives=False,
    note="Tess has no `response_format`: it is left out with a warning, and you get the text as it is.",
)
def test_structured_output_without_emulation(simulator: TessSimulator) -> None:
    """LiteLLM does not look into the text; the warning is what there is."""
    simulator.script("Rome, in Italy.")
    with pytest.warns(TessRequestWarning, match="response_format"):
        answer: Any = litellm.completion("tess/tess-6", HELLO, response_format=City)
    assert answer.choices[0].message.content == "Rome, in Italy."


@pytest.mark.cell("structured output", emulated=True)
def test_structured_output(simulator: TessSimulator) -> None:
    """The text is JSON from the first byte to the last."""
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    answer: Any = litellm.completion("tess-emulating/tess-6", HELLO, response_format=City)
    assert City.model_validate_json(answer.choices[0].message.content).name == "Rome"


@pytest.mark.cell("tool loop", gives=False, note=NO_TOOLS)
def test_tool_loop_without_emulation() -> None:
    """The model answers in prose, and the program is warned."""
    with pytest.warns(TessRequestWarning, match="tools"):
        answer: Any = litellm.completion("tess/tess-6", HELLO, tools=TOOLS)
    assert not answer.choices[0].message.tool_calls


@pytest.mark.cell("tool loop", emulated=True)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_tool_loop(simulator: TessSimulator, stream: bool) -> None:
    """A call comes, its result goes back, the answer follows."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny", "It is sunny in Rome."))
    answer: Any = litellm.completion("tess-emulating/tess-6", HELLO, tools=TOOLS, stream=stream)
    answer = litellm.stream_chunk_builder(list(answer)) if stream else answer
    message = answer.choices[0].message
    assert (message.tool_calls[0].function.name, answer.choices[0].finish_reason) == ("weather", "tool_calls")
    result = {"role": "tool", "tool_call_id": message.tool_calls[0].id, "content": "sunny"}
    last: Any = litellm.completion("tess-emulating/tess-6", [*HELLO, message, result], tools=TOOLS)
    assert last.choices[0].message.content == "It is sunny in Rome."


@pytest.mark.cell(
    "ledger", note="`changes_of(response)`; not in LiteLLM's streams, which keep no unknown field."
)
def test_the_ledger_reaches_the_program() -> None:
    """It is on LiteLLM's own response."""
    answer = litellm.completion("tess-ignoring/tess-6", HELLO, seed=3)
    assert [change.param for change in changes_of(answer)] == ["seed"]


@pytest.mark.cell("warning", note=THREADS.format("`batch_completion`"))
def test_a_loop_is_warned_once_at_its_line() -> None:
    """This holds under Python's default filter, whatever frames are between."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(3):
            litellm.completion("tess/tess-6", HELLO, seed=3)
    assert lines_of(caught) == [__file__]


async def test_a_task_is_warned_of_at_the_line_that_waits() -> None:
    """Each line of the program is one place, however often it is run."""
    models = [{"model_name": "guide", "litellm_params": {"model": "tess/42/tess-6"}}]
    router = litellm.Router(model_list=models)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(2):
            await litellm.acompletion("tess/tess-6", HELLO, seed=3)  # 1
            await asyncio.gather(litellm.acompletion("tess/tess-6", HELLO, seed=3))  # 2
            await asyncio.gather(router.acompletion("guide", HELLO, seed=3))  # 3
    assert [line[-3:] for line in own_lines_of(caught, __file__)] == ["# 1", "# 2", "# 3"]


def test_a_batch_warns_at_litellm_itself() -> None:
    """It is made in threads, where no line of the program is on the stack."""
    with pytest.warns(TessRequestWarning) as caught:
        litellm.batch_completion("tess/tess-6", [HELLO, HELLO], seed=3)
    assert all("litellm" in Path(file).parts for file in lines_of(list(caught)))


BRIDGED = "LiteLLM turns a request of the Responses API into a chat of the provider itself."
NO_STATE = (
    "Outside its proxy LiteLLM keeps no responses for a provider that it bridges to chat: it drops "
    "`previous_response_id` without a word. Send the conversation as `input`, or use `create_client`."
)


@pytest.mark.cell("responses chat", note=BRIDGED)
async def test_responses_chat() -> None:
    """Sync and async calls return an answer."""
    answer: Any = litellm.responses(model="tess/tess-6", input="hello")
    assert answer.output_text.endswith("received: hello")
    answer = await litellm.aresponses(model="tess/tess-6", input="hello")
    assert answer.output_text.endswith("received: hello")


@pytest.mark.cell("responses stream", note=BRIDGED)
def test_responses_stream() -> None:
    """The events of the response arrive one by one."""
    events: Any = list(litellm.responses(model="tess/tess-6", input="hello", stream=True))
    deltas = [event.delta for event in events if event.type == "response.output_text.delta"]
    assert len(deltas) > 5
    assert "".join(deltas).endswith("received: hello")
    assert events[-1].type == "response.completed"


@pytest.mark.cell("responses tool loop", emulated=True, note=BRIDGED)
def test_responses_tool_loop(simulator: TessSimulator) -> None:
    """A call comes, its result goes back, the answer follows."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny", "It is sunny in Rome."))
    tools: Any = [{"type": "function", **TOOLS[0]["function"]}]
    first: Any = litellm.responses(model="tess-emulating/tess-6", input="hello", tools=tools)
    call = {"type": "function_call", "name": "weather", "arguments": first.output[-1].arguments}
    output = {"type": "function_call_output", "output": "sunny"}
    history: Any = [{**item, "call_id": first.output[-1].call_id} for item in (call, output)]
    last: Any = litellm.responses(model="tess-emulating/tess-6", input=[*HELLO, *history], tools=tools)
    assert last.output_text == "It is sunny in Rome."


@pytest.mark.cell("responses structured output", emulated=True, note=BRIDGED)
def test_responses_structured_output(simulator: TessSimulator) -> None:
    """`text.format` gives JSON."""
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    schema = {**City.model_json_schema(), "additionalProperties": False}
    form: Any = {"format": {"type": "json_schema", "name": "City", "schema": schema, "strict": True}}
    answer: Any = litellm.responses(model="tess-emulating/tess-6", input="Which city?", text=form)
    assert City.model_validate_json(answer.output_text).name == "Rome"


@pytest.mark.cell("responses three turns", gives=False, note=NO_STATE)
def test_responses_are_not_continued(simulator: TessSimulator) -> None:
    """LiteLLM sends only the new input, which is its own limit."""
    first: Any = litellm.responses(model="tess/tess-6", input="one")
    litellm.responses(model="tess/tess-6", input="two", previous_response_id=first.id)
    assert [message["content"] for message in simulator.calls[-1].json["messages"]] == ["two"]


MASTER_KEY = f"sk-{secrets.token_hex(32)}"
CONFIG = """
model_list:
  - model_name: guide
    litellm_params: {model: tess/42/tess-6}
  - model_name: fixed
    litellm_params: {model: tess/43}
litellm_settings:
  custom_provider_map:
    - {provider: tess, custom_handler: tess_provider.tess}
"""
HANDLER = """
from tess_openai import presets

tess = presets.litellm_provider(unsupported="ignore", emulate=True)
"""


@pytest.fixture
def proxy(simulator: TessSimulator, tmp_path: Path) -> Iterator[str]:
    """LiteLLM's proxy on a loopback port, its models agents of the simulator."""
    (tmp_path / "config.yaml").write_text(CONFIG)
    (tmp_path / "tess_provider.py").write_text(HANDLER)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    program = "from litellm.proxy.proxy_cli import run_server; run_server()"
    arguments = ["--config", str(tmp_path / "config.yaml"), "--host", "127.0.0.1", "--port", port]
    environment = {
        **os.environ,
        "TESS_BASE_URL": simulator.base_url,
        "TESS_API_KEY": SIMULATOR_API_KEY,
        "TESS_WORKSPACE_ID": str(SIMULATOR_WORKSPACE_ID),
        "LITELLM_MASTER_KEY": MASTER_KEY,
    }
    with subprocess.Popen(
        [sys.executable, "-c", program, *arguments],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=(tmp_path / "log").open("w"),
        stderr=subprocess.STDOUT,
    ) as server:
        try:
            wait_for(f"http://127.0.0.1:{port}/health/liveliness", server, tmp_path / "log")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def wait_for(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until the proxy answers; importing it alone takes seconds."""
    for _ in range(600):
        assert server.poll() is None, log.read_text()
        try:
            urllib.request.urlopen(url, timeout=5).close()  # noqa: S310 - loopback
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(log.read_text())


def test_the_proxy_serves_agents_to_a_fleet(proxy: str, simulator: TessSimulator) -> None:
    """Any OpenAI program reaches them by `base_url` alone, without a key of Tess's."""
    with openai.OpenAI(base_url=proxy, api_key=MASTER_KEY, max_retries=0) as client:
        answer = client.chat.completions.create(model="guide", messages=HELLO, seed=3)
        stream = client.chat.completions.create(model="fixed", messages=HELLO, stream=True)
        streamed = "".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices)
    text = answer.choices[0].message.content or ""
    assert (text[:8], streamed[:8]) == ("Agent 42", "Agent 43")
    assert not any(MASTER_KEY in str(request.headers.items()) for request in simulator.requests)
    assert [change.param for change in changes_of(answer)] == ["seed"]


def test_the_proxy_emulates_for_a_fleet(proxy: str, simulator: TessSimulator) -> None:
    """The custom provider in the proxy's configuration turns emulation on."""
    simulator.script(calls("weather", WEATHER))
    with openai.OpenAI(base_url=proxy, api_key=MASTER_KEY, max_retries=0) as client:
        asked = client.chat.completions.create(model="guide", messages=HELLO, tools=TOOLS)
    assert asked.choices[0].finish_reason == "tool_calls"
