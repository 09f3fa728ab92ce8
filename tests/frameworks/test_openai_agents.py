"""The OpenAI Agents SDK on a Tess agent."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import openai
import pytest
from agents import (
    Agent,
    ModelBehaviorError,
    ModelSettings,
    RunConfig,
    Runner,
    function_tool,
    set_default_openai_client,
    set_tracing_disabled,
)
from agents.models._openai_shared import get_default_openai_client
from agents.models.openai_responses import OpenAIResponsesModel
from scripted import answers_with, calls
from shared import NO_FIELD, NO_JSON, NO_TOOLS, ROME, WEATHER, City, is_rome, lines_of, own_lines_of, weather

from tess_openai import Change, TessRequestWarning, TessWarning, create_async_client, presets
from tess_openai.testing import TessSimulator, faults

set_tracing_disabled(True)


def agent_of(tess: dict[str, Any], **more: Any) -> Agent[None]:
    """An agent of the SDK's whose model is agent 42 of Tess."""
    return Agent(
        name="Guide",
        instructions="Be brief.",
        model=presets.openai_agents(42, model="tess-6", **tess),
        **more,
    )


@pytest.mark.cell("chat")
def test_chat(tess: dict[str, Any]) -> None:
    """A plain run gives no warning."""
    assert Runner.run_sync(agent_of(tess), "hello").final_output.endswith("received: hello")


@pytest.mark.cell("stream")
async def test_stream(tess: dict[str, Any]) -> None:
    """The events of the run arrive one by one."""
    run = Runner.run_streamed(agent_of(tess), "hello")
    deltas = [
        event.data.delta
        async for event in run.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert len(deltas) > 5
    assert "".join(deltas) == run.final_output


@pytest.mark.cell("async")
async def test_async(tess: dict[str, Any]) -> None:
    """`Runner.run` returns an answer."""
    assert (await Runner.run(agent_of(tess), "hello")).final_output.endswith("received: hello")


@pytest.mark.cell("several turns")
def test_several_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """A run's own record goes back as history."""
    agent = agent_of(tess)
    first = Runner.run_sync(agent, "hello")
    Runner.run_sync(agent, [*first.to_input_list(), {"role": "user", "content": "and now?"}])
    roles = [message["role"] for message in simulator.calls[1].json["messages"]]
    assert roles == ["system", "user", "assistant", "user"]


@pytest.mark.cell("errors")
def test_errors(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The program gets the SDK's own exceptions, with Tess's reason in their text."""
    simulator.fault(faults.no_credits())
    with pytest.raises(openai.APIStatusError, match="no credits"):
        Runner.run_sync(agent_of(tess), "hello")


@pytest.mark.cell("structured output", gives=False, note=NO_JSON)
def test_structured_output_without_emulation(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Prose where JSON was asked for is an error."""
    simulator.script("Rome, in Italy.")
    with pytest.warns(TessRequestWarning, match="response_format"), pytest.raises(ModelBehaviorError):
        Runner.run_sync(agent_of(tess, output_type=City), "Which city?")


@pytest.mark.cell("structured output", emulated=True)
def test_structured_output(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The object is found even if the model writes prose around its JSON."""
    simulator.script(f"Here it is:\n```json\n{ROME}\n```")
    run = Runner.run_sync(agent_of(emulating, output_type=City), "Which city?")
    assert is_rome(run.final_output)


@pytest.mark.cell("tool loop", gives=False, note=NO_TOOLS)
def test_tool_loop_without_emulation(tess: dict[str, Any]) -> None:
    """The agent answers without the tool, and the program is warned."""
    with pytest.warns(TessRequestWarning, match="tools"):
        run = Runner.run_sync(agent_of(tess, tools=[function_tool(weather)]), "Weather in Rome?")
    assert [item.type for item in run.new_items] == ["message_output_item"]


@pytest.mark.cell("tool loop", emulated=True)
def test_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The agent's function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny in Rome."))
    run = Runner.run_sync(agent_of(emulating, tools=[function_tool(weather)]), "Weather in Rome?")
    assert run.final_output == "It is sunny in Rome."


async def test_a_handoff(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """Another agent takes over, also in a stream."""
    simulator.script(calls("transfer_to_guide", "{}"), "I am the guide.")
    desk = Agent(name="Desk", model=agent_of(emulating).model, handoffs=[agent_of(emulating)])
    run = Runner.run_streamed(desk, "Who can guide me?")
    async for _ in run.stream_events():
        pass
    assert (run.final_output, run.last_agent.name) == ("I am the guide.", "Guide")


@pytest.mark.cell("ledger", gives=False, note=NO_FIELD)
def test_the_ledger_goes_to_on_change(tess: dict[str, Any]) -> None:
    """A run keeps nothing of the SDK's answers, so the ledger cannot be read from them."""
    changes: list[Change] = []
    agent = agent_of(
        {**tess, "unsupported": "ignore", "on_change": changes.append},
        model_settings=ModelSettings(max_tokens=9),
    )
    Runner.run_sync(agent, "hello", run_config=RunConfig(tracing_disabled=True))
    assert [change.param for change in changes] == ["max_tokens"]


@pytest.mark.cell("warning")
def test_a_loop_is_warned_once_at_its_line(tess: dict[str, Any]) -> None:
    """This holds under Python's default filter, whatever frames are between."""
    agent = agent_of(tess, model_settings=ModelSettings(max_tokens=9))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(3):
            Runner.run_sync(agent, "hello")
    assert lines_of(caught) == [__file__]


async def test_a_task_is_warned_of_at_the_line_that_waits(tess: dict[str, Any]) -> None:
    """The SDK makes tasks of its turns; each line of the program is one place, however often it is run."""
    agent = agent_of(tess, model_settings=ModelSettings(max_tokens=9))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(2):
            await Runner.run(agent, "hello")  # 1
            await asyncio.gather(Runner.run(agent, "hello"), Runner.run(agent, "hello"))  # 2
            run = Runner.run_streamed(agent, "hello")
            async for _ in run.stream_events():  # 3
                pass
    assert [line[-3:] for line in own_lines_of(caught, __file__)] == ["# 1", "# 2", "# 3"]


def responses_agent_of(tess: dict[str, Any], **more: Any) -> Agent[None]:
    """An agent with the SDK's own default model class, which uses the Responses API."""
    model = OpenAIResponsesModel(model="tess-6", openai_client=create_async_client(42, **tess))
    return Agent(name="Guide", instructions="Be brief.", model=model, **more)


@pytest.mark.cell("responses chat")
async def test_responses_chat(tess: dict[str, Any]) -> None:
    """A whole response is returned."""
    result = await Runner.run(responses_agent_of(tess), "hello")
    assert result.final_output.endswith("received: hello")


async def test_the_sdks_default_is_responses(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """With this package's client as the default client, an agent needs no model class of its own."""
    before = get_default_openai_client()
    set_default_openai_client(create_async_client(42, **tess))
    try:
        run = await Runner.run(Agent(name="Guide", model="tess-6"), "hello")
    finally:
        if before is not None:
            set_default_openai_client(before)
    assert run.final_output.endswith("received: hello")
    assert run.last_response_id is not None
    assert run.last_response_id.startswith("resp_")
    assert simulator.calls[0].json["model"] == "tess-6"


@pytest.mark.cell("responses stream")
async def test_responses_stream(tess: dict[str, Any]) -> None:
    """The events of the run arrive one by one."""
    run = Runner.run_streamed(responses_agent_of(tess), "hello")
    deltas = [
        event.data.delta
        async for event in run.stream_events()
        if event.type == "raw_response_event" and event.data.type == "response.output_text.delta"
    ]
    assert len(deltas) > 5
    assert "".join(deltas) == run.final_output


@pytest.mark.cell("responses tool loop", emulated=True)
async def test_responses_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The agent's function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny."))
    agent = responses_agent_of(emulating, tools=[function_tool(weather)])
    assert (await Runner.run(agent, "Weather?")).final_output == "It is sunny."


@pytest.mark.cell("responses structured output", emulated=True)
async def test_responses_structured_output(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """`text.format` gives an object."""
    simulator.script(ROME)
    agent = responses_agent_of(emulating, output_type=City)
    assert is_rome((await Runner.run(agent, "Which city?")).final_output)


@pytest.mark.cell("responses three turns")
async def test_responses_three_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """`previous_response_id` continues the conversation, and the SDK sends only what is new."""
    agent = responses_agent_of(tess)
    previous: str | None = None
    for text in ("one", "two", "three"):
        result = await Runner.run(agent, text, previous_response_id=previous)
        previous = result.last_response_id
    roles = [message["role"] for message in simulator.calls[-1].json["messages"]]
    assert roles == ["system", "user", "assistant", "user", "assistant", "user"]
