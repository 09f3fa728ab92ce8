"""Pydantic AI on a Tess agent."""

from __future__ import annotations

import asyncio
import warnings
from typing import Any

import pytest
from pydantic_ai import Agent, BinaryContent, ModelHTTPError, NativeOutput, ToolOutput, UserError
from pydantic_ai.capabilities import WebSearch
from pydantic_ai.models import infer_model
from pydantic_ai.models.openai import OpenAIResponsesModel, OpenAIResponsesModelSettings
from pydantic_ai.providers.openai import OpenAIProvider
from scripted import answers_with, calls
from shared import NO_FIELD, NO_TOOLS, ROME, WEATHER, City, is_rome, lines_of, own_lines_of, weather

from tess_openai import Change, TessRequestWarning, TessWarning, create_async_client, presets
from tess_openai.testing import TessSimulator, faults


def agent_of(tess: dict[str, Any], **more: Any) -> Agent[None, Any]:
    """An agent of the framework's whose model is agent 42 of Tess."""
    return Agent(presets.pydantic_ai(42, model="tess-6", **tess), **more)


@pytest.mark.cell("chat")
def test_chat(tess: dict[str, Any]) -> None:
    """A plain run with instructions gives no warning."""
    assert agent_of(tess, instructions="Be brief.").run_sync("hello").output.endswith("received: hello")


@pytest.mark.cell("stream")
async def test_stream(tess: dict[str, Any]) -> None:
    """Text arrives piece by piece, and its usage is estimated because Tess gives none."""
    async with agent_of(tess).run_stream("hello") as run:
        pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
    assert len(pieces) > 5
    assert "".join(pieces).endswith("received: hello")
    assert run.usage().output_tokens > 0


@pytest.mark.cell("async")
async def test_async(tess: dict[str, Any]) -> None:
    """`Agent.run` returns an answer."""
    assert (await agent_of(tess).run("hello")).output.endswith("received: hello")


@pytest.mark.cell("several turns")
def test_several_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """A run's own messages go back as history."""
    agent = agent_of(tess)
    first = agent.run_sync("hello")
    agent.run_sync("and now?", message_history=first.all_messages())
    roles = [message["role"] for message in simulator.calls[1].json["messages"]]
    assert roles == ["user", "assistant", "user"]


@pytest.mark.cell("errors")
def test_errors(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The framework's own exception, with Tess's status and reason."""
    simulator.fault(faults.no_credits())
    with pytest.raises(ModelHTTPError, match="no credits") as raised:
        agent_of(tess).run_sync("hello")
    assert raised.value.status_code == 402


@pytest.mark.cell(
    "structured output",
    note="By prompt: the preset's profile makes output types prompted, so the framework puts the schema into "
    "the prompt and asks again by itself when the answer does not fit.",
)
def test_structured_output_by_prompt(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """Nothing is asked of Tess that it lacks; prose is asked for again."""
    simulator.script("Rome, in Italy.", ROME)
    assert is_rome(agent_of(tess, output_type=City).run_sync("Which city?").output)
    assert [set(call.json) for call in simulator.calls] == [{"messages", "model", "stream"}] * 2


@pytest.mark.cell("structured output", emulated=True)
@pytest.mark.parametrize("output", [City, NativeOutput(City), ToolOutput(City, name="city")])
def test_structured_output(simulator: TessSimulator, emulating: dict[str, Any], output: Any) -> None:
    """The native mode and the tool mode give an object."""
    simulator.script(calls("city", ROME) if isinstance(output, ToolOutput) else f"So:\n```json\n{ROME}\n```")
    assert is_rome(agent_of(emulating, output_type=output).run_sync("Which?").output)


@pytest.mark.cell("tool loop", gives=False, note=NO_TOOLS)
def test_tool_loop_without_emulation(tess: dict[str, Any]) -> None:
    """The agent answers without the tool, and the program is warned."""
    with pytest.warns(TessRequestWarning, match="tools"):
        run = agent_of(tess, tools=[weather]).run_sync("Weather in Rome?")
    assert run.output.endswith("received: Weather in Rome?")


def test_a_tool_as_output_is_refused_without_emulation(
    simulator: TessSimulator, tess: dict[str, Any]
) -> None:
    """The framework refuses it, since the preset's profile says so; nothing is sent."""
    with pytest.raises(UserError, match="Tool output"):
        agent_of(tess, output_type=ToolOutput(City)).run_sync("Which city?")
    assert simulator.calls == []


@pytest.mark.cell("tool loop", emulated=True)
def test_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny in Rome."))
    assert agent_of(emulating, tools=[weather]).run_sync("Weather?").output == "It is sunny in Rome."


def test_web_search_is_the_agents_own(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The framework's web search becomes Tess's word for it."""
    agent_of(tess, capabilities=[WebSearch()]).run_sync("What is new?")
    assert simulator.calls[0].json["tools"] == "internet"


FILES = {
    "image": BinaryContent(b"...", media_type="image/png"),
    "file": BinaryContent(b"...", media_type="application/pdf"),
    "audio": BinaryContent(b"...", media_type="audio/wav"),
}


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_a_prompt_becomes_a_note(simulator: TessSimulator, tess: dict[str, Any], kind: str) -> None:
    """The framework sends it whatever the profile says, and the program is warned."""
    with pytest.warns(TessRequestWarning, match=f"1 {kind}"):
        agent_of(tess).run_sync(["look", FILES[kind]])
    assert simulator.calls[0].json["messages"][-1]["content"].startswith(f"look\n[{kind} not sent")


@pytest.mark.parametrize("kind", FILES)
def test_a_file_of_a_tool_becomes_the_frameworks_note(
    simulator: TessSimulator, emulating: dict[str, Any], kind: str
) -> None:
    """The preset's profile makes the framework send a note instead of a file that the adapter would drop."""

    def look() -> BinaryContent:
        """Take a picture."""
        return FILES[kind]

    simulator.script(calls("look", "{}"), "I cannot see it.")
    assert agent_of(emulating, tools=[look]).run_sync("Look!").output == "I cannot see it."
    assert FILES[kind].identifier in str(simulator.calls[1].json["messages"])


def test_a_video_is_refused_by_the_framework(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """The framework cannot send a video in chat completions."""
    with pytest.raises(NotImplementedError, match="Video"):
        agent_of(tess).run_sync(["look", BinaryContent(b"...", media_type="video/mp4")])
    assert simulator.calls == []


@pytest.mark.cell("ledger", gives=False, note=NO_FIELD)
def test_the_ledger_goes_to_on_change(tess: dict[str, Any]) -> None:
    """A run keeps nothing of the SDK's answers, so the ledger cannot be read from them."""
    changes: list[Change] = []
    agent = agent_of({**tess, "unsupported": "ignore", "on_change": changes.append})
    agent.run_sync("hello", model_settings={"max_tokens": 9})
    assert [change.param for change in changes] == ["max_completion_tokens"]


@pytest.mark.cell("warning")
def test_a_loop_is_warned_once_at_its_line(tess: dict[str, Any]) -> None:
    """This holds under Python's default filter, whatever frames are between."""
    agent = agent_of(tess, model_settings={"max_tokens": 9})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(3):
            agent.run_sync("hello")
    assert lines_of(caught) == [__file__]


async def test_a_task_is_warned_of_at_the_line_that_waits(tess: dict[str, Any]) -> None:
    """The framework makes tasks of its turns; each line of the program is one place, however often run."""
    agent = agent_of(tess, model_settings={"max_tokens": 9})
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default", TessWarning)
        for _ in range(2):
            await agent.run("hello")  # 1
            await asyncio.gather(agent.run("hello"), agent.run("hello"))  # 2
            async with agent.run_stream("hello") as run:  # 3
                await run.get_output()
    assert [line[-3:] for line in own_lines_of(caught, __file__)] == ["# 1", "# 2", "# 3"]


def responses_agent_of(tess: dict[str, Any], **more: Any) -> Agent[None, Any]:
    """An agent with the framework's own model class for the Responses API."""
    provider = OpenAIProvider(openai_client=create_async_client(42, **tess))
    return Agent(OpenAIResponsesModel("tess-6", provider=provider), **more)


@pytest.mark.cell("responses chat")
async def test_responses_chat(tess: dict[str, Any]) -> None:
    """An agent with instructions returns an answer."""
    agent = responses_agent_of(tess, instructions="Be brief.")
    assert (await agent.run("hello")).output.endswith("received: hello")


async def test_a_models_name_with_the_provider_prefix_is_responses(
    simulator: TessSimulator, tess: dict[str, Any]
) -> None:
    """`openai:` is the Responses API by default; a provider with this package's client serves it."""
    provider = OpenAIProvider(openai_client=create_async_client(42, **tess))
    model = infer_model("openai:tess-6", lambda _: provider)
    assert isinstance(model, OpenAIResponsesModel)
    assert (await Agent(model).run("hello")).output.endswith("received: hello")


@pytest.mark.cell("responses stream")
async def test_responses_stream(tess: dict[str, Any]) -> None:
    """Text arrives piece by piece."""
    async with responses_agent_of(tess).run_stream("hello") as run:
        pieces = [piece async for piece in run.stream_text(delta=True, debounce_by=None)]
    assert len(pieces) > 5
    assert "".join(pieces).endswith("received: hello")


@pytest.mark.cell("responses tool loop", emulated=True)
async def test_responses_tool_loop(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """The function is called, and its result comes back to the model."""
    simulator.script(calls("weather", WEATHER), answers_with("sunny in Rome", "It is sunny."))
    agent = responses_agent_of(emulating, tools=[weather])
    assert (await agent.run("Weather?")).output == "It is sunny."


@pytest.mark.cell("responses structured output", emulated=True)
@pytest.mark.parametrize("output", [City, NativeOutput(City), ToolOutput(City, name="city")])
async def test_responses_structured_output(
    simulator: TessSimulator, emulating: dict[str, Any], output: Any
) -> None:
    """A tool, the framework's default, and `text.format` give an object."""
    is_tool = not isinstance(output, NativeOutput)
    name = "city" if isinstance(output, ToolOutput) else "final_result"
    simulator.script(calls(name, ROME) if is_tool else ROME)
    assert is_rome((await responses_agent_of(emulating, output_type=output).run("Which city?")).output)


@pytest.mark.cell("responses three turns")
async def test_responses_three_turns(simulator: TessSimulator, tess: dict[str, Any]) -> None:
    """`previous_response_id` continues the conversation."""
    settings = OpenAIResponsesModelSettings(openai_previous_response_id="auto")
    agent = responses_agent_of(tess, model_settings=settings)
    history: list[Any] = []
    for text in ("one", "two", "three"):
        history = (await agent.run(text, message_history=history)).all_messages()
    roles = [message["role"] for message in simulator.calls[-1].json["messages"]]
    assert roles == ["user", "assistant", "user", "assistant", "user"]
