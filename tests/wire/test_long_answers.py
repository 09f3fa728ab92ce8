"""Answers that take long: whole calls read as streams, and streams that are cut."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import TessAnswerWarning, changes_of
from tess_openai.core.jsons import to_list, to_object
from tess_openai.testing import Fault, Profile, TessSimulator, faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.wire.conftest import Driver

STORY = "Once upon a time there was a fox who lived in a wood, and every day it walked to the river."
BEFORE_CUT = "Once upon a time there was a fox who lived in"
continued = pytest.mark.filterwarnings("ignore:answer .* led to a further paid request")


def actions(answer: Any) -> list[tuple[str, str]]:
    """Return what the ledger of an answer records."""
    return [(change.action, change.param) for change in changes_of(answer)]


def cut(driver: Driver) -> Fault:
    """Return the fault that cuts a stream after its role and eleven words.

    The connection breaks in the next event; for aiohttp, which discards the data before a break, it ends.
    """
    if driver.is_async and driver.http_client_kind == "aiohttp":
        return faults.ends_early(after_events=12)
    return faults.breaks_off(after_events=12)


def streams(driver: Driver) -> list[object]:
    """Return what each call says of streaming."""
    return [(to_object(each.json) or {}).get("stream") for each in driver.simulator.calls]


def messages_of(simulator: TessSimulator, call: int) -> list[Any]:
    """Return the messages of one call."""
    body = to_object(simulator.calls[call].json) or {}
    return to_list(body["messages"]) or []


def test_a_whole_answer_comes_over_a_stream(driver: Driver) -> None:
    """Text, usage and finish reason are the same; the ledger records the stream, without a warning."""
    plain = driver.ask(driver.client())
    streamed = driver.ask(driver.client(long_answers="stream"))
    assert streams(driver) == [None, True]
    same = {"id", "created", "tess_openai"}
    assert streamed.model_dump(exclude=same) | {"usage": None} == plain.model_dump(exclude=same) | {
        "usage": None
    }
    assert streamed.choices[0].message.content == driver.answer
    assert streamed.usage.total_tokens > 0
    assert actions(streamed) == [("mapped", "stream")]


def test_one_call_may_ask_for_it(driver: Driver) -> None:
    """A call may turn it on or off; a wrong value is refused by its name."""
    client = driver.client()
    driver.ask(client, extra_body={"tess_openai": {"long_answers": "stream"}})
    driver.ask(driver.client(long_answers="stream"), extra_body={"tess_openai": {"long_answers": None}})
    assert streams(driver) == [True, None]
    error = driver.fails(client, extra_body={"tess_openai": {"on_cut": "guess"}})
    assert (error.param, error.code) == ("tess_openai.on_cut", "invalid_option")


def test_a_streams_usage_is_the_answers(driver: Driver) -> None:
    """What Tess counts is given, in either form."""
    driver.simulator.profile = Profile(stream_usage="own chunk")
    answer = driver.ask(driver.client(long_answers="stream"))
    assert "estimated" not in (answer.usage.model_extra or {})
    assert answer.usage.completion_tokens == len(driver.answer.split())


@pytest.mark.parametrize(
    "fault",
    [
        faults.rate_limited(),
        faults.gateway_timeout(),
        faults.error_event(after_events=0),
        faults.login_page(),
        faults.empty_answer(),
        faults.no_credits(),
    ],
    ids=lambda fault: fault.name,
)
def test_errors_are_those_of_a_whole_call(driver: Driver, fault: Any) -> None:
    """The same exception with the same code, whether or not the answer was to be a stream."""
    streamed = driver.fails(driver.client(long_answers="stream"), fault)
    if fault.name == "error_event":
        assert (type(streamed), streamed.code) == (openai.InternalServerError, "stream_error")
        return
    plain = driver.fails(driver.client(), fault)
    assert (type(streamed), streamed.code) == (type(plain), plain.code)
    assert isinstance(streamed, openai.APIStatusError)
    assert isinstance(plain, openai.APIStatusError)
    assert streamed.status_code == plain.status_code


def test_an_error_carries_the_text_so_far(driver: Driver) -> None:
    """It was paid for. The call is not repeated."""
    driver.simulator.script(STORY)
    error = driver.fails(driver.client(long_answers="stream", max_retries=2), cut(driver))
    assert isinstance(error, openai.InternalServerError)
    assert error.code == "stream_truncated"
    assert "before the answer was complete" in str(error)
    assert (error.body or {})["partial"] == BEFORE_CUT  # type: ignore[index] # pyright: ignore[reportIndexIssue]
    assert len(driver.simulator.calls) == 1


def test_an_error_within_a_stream_carries_it_too(driver: Driver) -> None:
    """Tess's own error keeps its words."""
    driver.simulator.script(STORY)
    error: Any = driver.fails(
        driver.client(long_answers="stream"), faults.error_event(after_events=4, message="Out of luck")
    )
    assert error.body["partial"] == "Once upon a"
    assert error.body["message"] == "Out of luck"
    assert error.body["tess"] == {"error": "Out of luck"}


def test_without_text_it_is_the_sdks_own_error(driver: Driver) -> None:
    """Any call whose connection broke before its text ends in it."""
    error = driver.fails(driver.client(long_answers="stream"), faults.breaks_off(after_events=0))
    assert type(error) is openai.APIConnectionError


def test_a_cut_answer_is_given_with_its_reason(driver: Driver, *, stream: bool) -> None:
    """With `on_cut="return"`, the text so far has `finish_reason="length"` and a warning."""
    driver.simulator.script(STORY)
    driver.simulator.fault(cut(driver))
    client = driver.client(long_answers="stream", on_cut="return")
    with pytest.warns(TessAnswerWarning, match=r'the stream broke.*on_cut="continue"'):
        got = driver.items(driver.ask(client, stream=True)) if stream else [driver.ask(client)]
    choices = [choice for each in got for choice in each.choices]
    texts = [(choice.delta if stream else choice.message).content or "" for choice in choices]
    assert "".join(texts) == BEFORE_CUT
    assert choices[-1].finish_reason == "length"
    assert ("noticed", "answer") in actions(got[-1])


CONTINUATIONS = {
    "as asked": "there was a fox who lived in a wood, and every day it walked to the river.",
    "nothing repeated": "in a wood, and every day it walked to the river.",
    "begun again": STORY,
    "an overlap": "was a fox who lived in a wood, and every day it walked to the river.",
}


@continued
@pytest.mark.parametrize("continuation", CONTINUATIONS.values(), ids=CONTINUATIONS)
def test_a_cut_answer_is_continued_without_a_seam(driver: Driver, *, stream: bool, continuation: str) -> None:
    """Whatever the further call repeats, the caller gets one text, one finish reason and one usage."""
    driver.simulator.script(STORY, continuation)
    driver.simulator.fault(cut(driver))
    client = driver.client(long_answers="stream", on_cut="continue")
    if stream:
        chunks = driver.items(driver.ask(client, stream=True, stream_options={"include_usage": True}))
        assert "".join(each.choices[0].delta.content or "" for each in chunks if each.choices) == STORY
        reasons = [each.choices[0].finish_reason for each in chunks if each.choices]
        assert [reason for reason in reasons if reason] == ["stop"]
        assert len({each.id for each in chunks}) == 1
        usage = chunks[-1].usage
    else:
        answer = driver.ask(client)
        assert answer.choices[0].message.content == STORY
        assert answer.choices[0].finish_reason == "stop"
        assert ("asked again", "answer") in actions(answer)
        usage = answer.usage
    assert len(driver.simulator.calls) == 2
    *_, partial, note = messages_of(driver.simulator, 1)
    assert partial == {"role": "assistant", "content": "Once upon a time there was a fox who lived"}
    assert "a time there was a fox who lived" in note["content"]
    assert usage.completion_tokens >= len(STORY) // 4
    assert usage.prompt_tokens > len(STORY) // 8  # of both calls


@continued
def test_an_answer_cut_by_its_length_is_continued(driver: Driver, *, stream: bool) -> None:
    """It is continued as often as Tess cuts it, but not beyond a limit that the caller set."""
    driver.simulator.script(
        "One two three four", "One two three four five six", "two three four five six seven."
    )
    driver.simulator.fault(faults.finish_reason(value="length"), times=2)
    driver.simulator.profile = Profile(openai_parameters="ignored")
    client = driver.client(on_cut="continue", unsupported={"max_tokens": "forward"})
    assert driver.text(client, stream=stream) == "One two three four five six seven."
    driver.simulator.script("One two three four")
    driver.simulator.fault(faults.finish_reason(value="length"))
    assert driver.text(client, stream=stream, max_tokens=4) == "One two three four"
    assert len(driver.simulator.calls) == 4


@continued
@pytest.mark.filterwarnings("ignore:.*Tess stopped at its length limit")
def test_continuations_are_bounded(driver: Driver) -> None:
    """After five, or after one that adds nothing, the text so far is returned."""
    parts = [f"part {number} of a long text, and another one" for number in range(6)]
    driver.simulator.script(*parts)
    driver.simulator.fault(faults.finish_reason(value="length"), times=8)
    answer = driver.ask(driver.client(on_cut="continue"))
    assert answer.choices[0].finish_reason == "length"
    assert len(driver.simulator.calls) == 6
    assert answer.choices[0].message.content.count("part") == 6
    driver.simulator.script(*[STORY] * 2)
    answer = driver.ask(driver.client(on_cut="continue"))
    assert answer.choices[0].message.content == STORY
    assert len(driver.simulator.calls) == 8


@continued
def test_a_continuation_that_fails_is_an_error_with_the_text(driver: Driver) -> None:
    """Its own error, and what was paid for; the SDK does not repeat the call."""
    driver.simulator.script(STORY)
    driver.simulator.fault(cut(driver), faults.no_credits())
    error: Any = driver.fails(driver.client(long_answers="stream", on_cut="continue", max_retries=2))
    assert error.body["partial"].startswith("Once upon a time there was a fox who lived")
    assert error.code == "insufficient_quota"
    assert len(driver.simulator.calls) == 2


@continued
@pytest.mark.parametrize("form", ["responses", "completions", "functions"])
def test_other_apis_and_emulation_are_continued_too(driver: Driver, form: str) -> None:
    """They run the same chat flow."""
    driver.simulator.script(STORY, CONTINUATIONS["as asked"])
    driver.simulator.fault(cut(driver))
    client = driver.client(long_answers="stream", on_cut="continue", emulate=True)
    if form == "responses":
        text = driver.run(client.responses.create(model="tess-6", input="hello")).output_text
    elif form == "completions":
        text = driver.run(client.completions.create(model="tess-6", prompt="hello")).choices[0].text
    else:
        function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
        text = driver.text(client, tools=[{"type": "function", "function": function}])
    assert text == STORY
    assert len(driver.simulator.calls) == 2


@pytest.mark.parametrize("form", ["responses", "completions", "functions"])
def test_other_apis_and_emulation_give_the_text_so_far(driver: Driver, form: str) -> None:
    """It is in `error.body["partial"]`, as in a chat."""
    driver.simulator.script(STORY)
    driver.simulator.fault(cut(driver))
    client = driver.client(long_answers="stream", emulate=True)
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    calls: dict[str, Callable[[], Any]] = {
        "responses": lambda: client.responses.create(model="tess-6", input="hello"),
        "completions": lambda: client.completions.create(model="tess-6", prompt="hello"),
        "functions": lambda: client.chat.completions.create(
            **driver.hello, tools=[{"type": "function", "function": function}]
        ),
    }
    with pytest.raises(openai.InternalServerError) as caught:
        driver.run(calls[form]())
    body: Any = caught.value.body
    assert body["partial"] == BEFORE_CUT
    assert len(driver.simulator.calls) == 1


def test_the_timeout_bounds_each_silence(driver: Driver) -> None:
    """A whole call may last far longer than its timeout, as long as something comes."""
    driver.simulator.fault(faults.slow(delay_seconds=0.1))
    began = time.monotonic()
    client = driver.client(long_answers="stream", timeout=0.6)
    assert driver.text(client) == driver.answer
    assert time.monotonic() - began > 1
    driver.simulator.script(STORY)
    error: Any = driver.fails(client, faults.stalls(after_events=4))
    assert error.body["partial"] == "Once upon a"


@pytest.mark.parametrize(
    "fault", [faults.stalls(after_events=4), faults.slow(delay_seconds=0.2)], ids=["silent", "slow"]
)
def test_max_answer_seconds_bounds_the_whole(driver: Driver, fault: Any) -> None:
    """The limit holds whether text arrives slowly or not at all."""
    driver.simulator.script(STORY)
    began = time.monotonic()
    error: Any = driver.fails(driver.client(long_answers="stream", max_answer_seconds=1), fault)
    assert 0.8 < time.monotonic() - began < 4
    assert "max_answer_seconds is over" in str(error)
    assert error.body["partial"].startswith("Once upon a")


def test_max_answer_seconds_bounds_the_wait_for_the_first_byte(driver: Driver) -> None:
    """The error is a timeout, since nothing arrived."""
    driver.simulator.fault(faults.hang())
    began = time.monotonic()
    error = driver.fails(driver.client(long_answers="stream", max_answer_seconds=0.5))
    assert isinstance(error, openai.APITimeoutError)
    assert time.monotonic() - began < 4


def test_redirects_are_counted_as_ever(driver: Driver) -> None:
    """A limit of time makes new requests, which are still those of one call."""
    counts: list[int] = []
    forms: list[dict[str, Any]] = [{}, {"long_answers": "stream", "max_answer_seconds": 60}]
    for options in forms:
        path = "/agents/42/openai/chat/completions"
        driver.simulator.fault(faults.redirect(location=path, status=307), times=6)
        before = len(driver.simulator.calls)
        error = driver.fails(driver.client(**options))
        assert error.code == "redirected"
        counts.append(len(driver.simulator.calls) - before)
    assert counts == [6, 6]


@pytest.fixture
def answers_json(driver: Driver) -> Driver:
    """Let Tess answer whole although it was asked for a stream."""
    driver.simulator.fault(faults.json_for_stream())
    return driver


def test_an_answer_that_is_not_a_stream_is_accepted_too(answers_json: Driver) -> None:
    """Tess may answer at once."""
    assert answers_json.text(answers_json.client(long_answers="stream")) == answers_json.answer
