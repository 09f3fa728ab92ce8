"""Emulation where Tess answers in another form than it was asked for, badly, or not at all."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import changes_of
from tess_openai.testing import Fault, Profile, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
    from tests.wire.emulate.conftest import Model

LISBON = {"city": "Lisbon"}


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(faults.json_for_stream(), id="whole for a stream"),
        pytest.param(faults.stream_for_json(), id="a stream for a whole"),
        pytest.param(faults.in_bytes(), id="byte by byte"),
        pytest.param(faults.crlf(), id="with CR LF"),
        pytest.param(faults.keep_alives(), id="with comments"),
        pytest.param(faults.compressed(), id="compressed"),
        pytest.param(faults.without_done(), id="without [DONE]"),
    ],
)
def test_a_call_is_found_in_any_form_of_answer(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool, fault: Fault
) -> None:
    """What the answer looks like on the wire is not the caller's business."""
    model.simulator.fault(fault)
    model.simulator.script(model.call("get_weather", LISBON, before="Look: "))
    (reply,) = model.asked(driver, client, stream=stream, tools=tools)
    assert (reply.calls, reply.reason) == ([("get_weather", LISBON)], "tool_calls")


@pytest.mark.parametrize(
    "fault", [faults.ends_early(), faults.breaks_off(), faults.error_event()], ids=["cut", "broken", "error"]
)
def test_a_stream_that_fails_is_an_error_and_never_a_call(
    driver: Driver, client: Any, model: Model, tools: list[Any], fault: Fault
) -> None:
    """Its beginning may look like a call, and the caller may have received no text yet."""
    model.simulator.script(model.call("get_weather", LISBON, after=" and more" * 20))
    model.simulator.fault(fault)
    with pytest.raises(openai.APIError):
        model.asked(driver, client, stream=True, tools=tools)
    assert len(model.received) == 1


@pytest.mark.parametrize("reason", ["length", "content_filter", "max_tokens"])
@pytest.mark.parametrize("half", ['{"city": "Lisb', '{"city": "Lisbon"', '{"city": "Lisbon"}'])
def test_an_answer_that_was_cut_makes_no_half_call(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool, reason: str, half: str
) -> None:
    """What is missing is not invented, so it is asked for again."""
    model.simulator.fault(faults.finish_reason(value=reason))
    model.simulator.script(
        model.write(f'{{open}}\n{{"name": "get_weather", "arguments": {half}'),
        model.call("get_weather", LISBON),
    )
    (reply,) = model.asked(driver, client, stream=stream, tools=tools)
    assert reply.calls == [("get_weather", LISBON)]
    assert len(model.received) == 2


@pytest.mark.parametrize(
    ("reason", "reported"),
    [("length", "length"), ("content_filter", "content_filter"), ("max_output_tokens", "length")],
)
def test_why_tess_ended_is_passed_on(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool, reason: str, reported: str
) -> None:
    """It is no business of emulation's, in whose words ever."""
    model.simulator.fault(faults.finish_reason(value=reason))
    model.simulator.script("It is")
    (reply,) = model.asked(driver, client, stream=stream, tools=tools)
    assert (reply.content, reply.reason) == ("It is", reported)


def test_an_unknown_reason_is_noticed(driver: Driver, client: Any, model: Model, *, stream: bool) -> None:
    """The ledger records it as it does without emulation."""
    model.simulator.fault(faults.finish_reason(value="odd"))
    chunks = _chunks(driver, client, stream=stream, stop=["zzz"])
    assert ("noticed", "finish_reason") in [(each.action, each.param) for each in changes_of(chunks[-1])]


@pytest.mark.filterwarnings("ignore::tess_openai.TessAnswerWarning")
def test_an_error_beside_the_text_keeps_the_text(
    driver: Driver, client: Any, model: Model, *, stream: bool
) -> None:
    """It was paid for; the error is reported, and is next to it."""
    message = {"role": "assistant", "content": "It is warm."}
    payload = {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "error": "quota"}
    model.simulator.fault(faults.answers(200, payload))
    chunks = _chunks(driver, client, stream=stream, stop=["zzz"])
    text = "".join((each.delta if stream else each.message).content or "" for each in _choices(chunks))
    assert text == "It is warm."
    assert "noticed" in [each.action for each in changes_of(chunks[-1])]
    assert chunks[-1].tess == {"error": "quota"}


@pytest.mark.parametrize("fault", [faults.error_in_200(), faults.login_page(), faults.empty_answer()])
def test_what_is_no_answer_is_an_error(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool, fault: Fault
) -> None:
    """The error gives the reason and is not retried, since the answer may have been paid for."""
    model.simulator.fault(fault)
    with pytest.raises(openai.InternalServerError) as caught:
        model.asked(driver, client, stream=stream, tools=tools)
    assert caught.value.response.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("usage", ["estimate", "none"])
@pytest.mark.parametrize("given", [True, False], ids=["Tess counts", "Tess does not"])
def test_token_counts(driver: Driver, model: Model, *, usage: Any, given: bool, stream: bool) -> None:
    """Tess's own where it gives them, summed; else an estimate, marked, or nothing where none is wanted."""
    model.simulator.profile = replace(
        Profile.strict(), completion_usage=given, stream_usage="last chunk" if given else "absent"
    )
    client = driver.client(emulate=True, usage=usage)
    fields: dict[str, Any] = (
        {"stream_options": {"include_usage": True}} if stream and usage == "estimate" else {}
    )
    answer = driver.ask(client, n=2, stream=stream, **fields)
    counts = (driver.items(answer)[-1] if stream else answer).usage
    if usage == "none" and (stream or not given):
        assert counts is None
        return
    assert counts.total_tokens == counts.prompt_tokens + counts.completion_tokens
    assert getattr(counts, "estimated", False) is not given


def test_an_empty_answer_is_noticed(
    driver: Driver, client: Any, model: Model, tools: list[Any], *, stream: bool
) -> None:
    """The caller is warned as without emulation."""
    model.simulator.script("")
    with pytest.warns(match="no text"):
        chunks = _chunks(driver, client, stream=stream, tools=tools)
    assert changes_of(chunks[-1])[-1].action == "noticed"


def _chunks(driver: Driver, client: Any, *, stream: bool, **fields: Any) -> list[Any]:
    answer = driver.ask(client, stream=stream, **fields)
    return driver.items(answer) if stream else [answer]


def _choices(chunks: list[Any]) -> list[Any]:
    return [choice for chunk in chunks for choice in chunk.choices]
