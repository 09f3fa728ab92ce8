"""`client.completions`, the endpoint before chat: each prompt is a chat of one message."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import TessAnswerWarning, TessRequestWarning, changes_of
from tess_openai.testing import faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver


def texts(driver: Driver, client: Any, *, stream: bool, **fields: Any) -> list[str]:
    """Complete prompts; the text of each choice, in order, and each has ended."""
    answer = driver.run(client.completions.create(model="tess-6", stream=stream, **fields))
    chunks = driver.items(answer) if stream else [answer]
    found: dict[int, str] = {}
    reasons: dict[int, str] = {}
    for choice in (choice for chunk in chunks for choice in chunk.choices):
        assert choice.index not in reasons, "nothing follows the finish reason"
        found[choice.index] = found.get(choice.index, "") + choice.text
        if choice.finish_reason is not None:
            reasons[choice.index] = choice.finish_reason
    assert list(reasons.values()) == ["stop"] * len(found)
    return [found[index] for index in sorted(found)]


def test_a_prompt_is_completed(driver: Driver, *, stream: bool) -> None:
    """It is sent as a chat with one message."""
    assert texts(driver, driver.client(), prompt="hello", stream=stream) == [driver.answer]
    body: Any = driver.simulator.calls[0].json
    assert body["messages"] == [{"role": "user", "content": "hello"}]


def test_each_prompt_of_a_list_has_its_choice(driver: Driver, *, stream: bool) -> None:
    """The choices are in order, each from a call of its own; `echo` puts the prompt before its answer."""
    answers = texts(driver, driver.client(), prompt=["one", "two"], echo=True, stream=stream)
    assert [answer.startswith(prompt) for answer, prompt in zip(answers, ["one", "two"], strict=True)]
    assert [answer.endswith(f": {prompt}") for answer, prompt in zip(answers, ["one", "two"], strict=True)]
    assert len(driver.simulator.calls) == 2


def test_n_and_stop_are_emulated(driver: Driver, *, stream: bool) -> None:
    """They work as in chat, for each prompt."""
    client = driver.client(emulate=True)
    answers = texts(driver, client, prompt=["one", "two"], n=2, stop=[" received"], stream=stream)
    assert answers == [driver.answer.partition(" received")[0]] * 4


def test_the_best_of_as_many_as_are_asked_for_are_all(driver: Driver) -> None:
    """Nothing is chosen, so nothing is lost."""
    client = driver.client(emulate=True, unsupported="error")
    assert len(texts(driver, client, prompt="hello", n=2, best_of=2, stream=False)) == 2
    with pytest.raises(openai.BadRequestError, match="best_of"):
        texts(driver, client, prompt="hello", n=2, best_of=3, stream=False)


def test_what_is_lost_is_reported_once(driver: Driver) -> None:
    """There is one warning for any number of prompts, and the ledger is on the answer."""
    client = driver.client()
    with pytest.warns(TessRequestWarning) as caught:
        answer = driver.run(
            client.completions.create(
                model="tess-6", prompt=["one", "two"], suffix="x", best_of=2, logprobs=1, seed=1
            )
        )
    names = ["suffix", "best_of", "logprobs", "seed"]
    assert sorted(change.param for change in changes_of(answer)) == sorted(names)
    (warning,) = caught
    assert all(name in str(warning.message) for name in names)


def test_a_usage_is_summed(driver: Driver) -> None:
    """It is in a last chunk of its own when it is requested."""
    given = {"model": "tess-6", "prompt": ["one", "two"]}
    whole = driver.run(driver.client().completions.create(**given))
    streamed = driver.client().completions.create(
        **given, stream=True, stream_options={"include_usage": True}
    )
    last = driver.items(driver.run(streamed))[-1]
    assert last.choices == []
    assert last.usage.total_tokens == whole.usage.total_tokens > 0


@pytest.mark.parametrize(
    "prompt",
    [[1, 2], [[1], [2]], [], ["x"] * 65, "", ["x", ""]],
    ids=["tokens", "lists", "none", "many", "empty", "one empty"],
)
def test_what_is_no_text_is_refused(driver: Driver, prompt: list[object]) -> None:
    """400 that names the parameter; nothing is sent."""
    with pytest.raises(openai.BadRequestError) as caught:
        texts(driver, driver.client(), prompt=prompt, stream=False)
    assert caught.value.param == "prompt"
    assert driver.simulator.requests == []


@pytest.mark.parametrize(
    ("prompt", "code", "reason"),
    [
        (None, "missing_required_parameter", "Missing required parameter: 'prompt'"),
        ({"text": "x"}, "invalid_type", "must be a string or a list of strings"),
        ([1, 2], "invalid_type", "no lists of tokens"),
    ],
    ids=["missing", "an object", "tokens"],
)
def test_the_error_of_a_prompt_names_its_fault(driver: Driver, prompt: Any, code: str, reason: str) -> None:
    """A prompt that is missing is not called one too few."""
    with pytest.raises(openai.BadRequestError, match=reason) as caught:
        texts(driver, driver.client(), prompt=prompt, stream=False)
    assert caught.value.code == code


def test_an_echo_of_another_type_is_refused(driver: Driver) -> None:
    """As OpenAI refuses it, instead of an answer without the prompt."""
    with pytest.raises(openai.BadRequestError) as caught:
        texts(driver, driver.client(), prompt="x", stream=False, extra_body={"echo": "yes"})
    assert caught.value.param == "echo"
    assert driver.simulator.requests == []


def test_log_probabilities_of_the_chosen_tokens_are_asked_for_by_zero(driver: Driver) -> None:
    """`logprobs=0` is not `false`: OpenAI returns those of the chosen tokens."""
    client = driver.client()
    with pytest.warns(TessRequestWarning, match="logprobs=0 was not sent"):
        driver.run(client.completions.create(model="tess-6", prompt="x", logprobs=0))


def test_an_error_after_the_first_prompt_is_not_tried_again(driver: Driver, *, stream: bool) -> None:
    """What was answered is paid for; a stream ends in the error."""
    driver.simulator.fault(faults.NO_FAULT, faults.rate_limited(retry_after_seconds=0))
    with pytest.raises(openai.APIError, match="Rate limit"):
        texts(driver, driver.client(max_retries=2), prompt=["one", "two", "three"], stream=stream)
    assert len(driver.simulator.requests) == 2


CALL: dict[str, Any] = {"name": "look", "arguments": "{}"}


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": CALL}]},
        {"function_call": CALL},
    ],
    ids=["tool_calls", "function_call"],
)
def test_a_call_in_an_answer_is_reported(driver: Driver, message: dict[str, Any], *, stream: bool) -> None:
    """A legacy completion has no place for it; the program is warned, and the finish reason is OpenAI's."""
    (reason,) = message
    message = {"role": "assistant", "content": None, **message}
    answer = {"id": "1", "object": "chat.completion", "created": 1, "model": "tess-6"}
    choice = {"index": 0, "message": message, "finish_reason": reason}
    driver.simulator.fault(faults.answers(200, {**answer, "choices": [choice]}))
    client = driver.client()

    def complete() -> list[Any]:
        found = driver.run(client.completions.create(model="tess-6", prompt="x", stream=stream))
        return driver.items(found) if stream else [found]

    with pytest.warns(TessAnswerWarning, match="Tess returned a function call"):
        chunks = complete()
    assert [(each.text, each.finish_reason) for chunk in chunks for each in chunk.choices] == [("", "stop")]
    assert "tool_calls" in [change.param for change in changes_of(chunks[-1])]
