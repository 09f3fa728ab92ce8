"""One call gives one warning, which a line shows once, and which obeys the caller's filters."""

from __future__ import annotations

import inspect
import logging
import warnings
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import (
    Change,
    TessAnswerWarning,
    TessConfigurationWarning,
    TessRequestWarning,
    TessWarning,
)
from tess_openai.testing import SIMULATOR_API_KEY, faults
from tests.wire.caught_warnings import tess_warnings

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

CHANGED: dict[str, dict[str, Any]] = {
    "a parameter": {"top_p": 0.5},
    "a temperature": {"temperature": 0.7},
    "functions": {"tools": [{"type": "function", "function": {"name": "f"}}]},
    "part of a message": {
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "look"},
                    {"type": "image_url", "image_url": {"url": "https://pictures.invalid/1"}},
                ],
            }
        ]
    },
}


@pytest.mark.parametrize("fields", CHANGED.values(), ids=CHANGED)
def test_every_change_of_a_request_has_one_category(
    driver: Driver, fields: dict[str, Any], *, stream: bool
) -> None:
    """Single parameters are decided by `unsupported=`; the category is for all of them."""
    with pytest.warns(TessWarning) as caught:
        driver.text(driver.client(), stream=stream, **fields)
    (warning,) = caught
    assert type(warning.message) is TessRequestWarning
    assert "\n" not in str(warning.message)


def test_one_call_gives_one_warning(driver: Driver, *, stream: bool) -> None:
    """It lists all changes on one line, shows words of OpenAI, and says how to accept all of them."""
    fields: dict[str, Any] = {"seed": 1, "user": "ada", "tools": CHANGED["functions"]["tools"]}
    with pytest.warns(TessRequestWarning) as caught:
        driver.text(driver.client(), stream=stream, temperature=0.7, tool_choice="required", **fields)
    (warning,) = caught
    text = str(warning.message)
    assert text.startswith("5 changes: (1) ")
    for shown in (
        "seed=1 was not",
        "user (a string of 3 characters)",
        'tool_choice="required" was',
        "=0.7 was",
    ):
        assert shown in text
    assert text.endswith('accept this: create_client(unsupported={"seed": "ignore", "user": "ignore"}).')
    assert "\n" not in text


def test_an_answer_without_text_is_warned_of(driver: Driver, *, stream: bool) -> None:
    """The warning says that the answer has no text."""
    driver.simulator.fault(faults.empty_content())
    with pytest.warns(TessAnswerWarning, match="no text"):
        driver.text(driver.client(), stream=stream)


def test_an_answer_without_text_is_warned_of_after_a_retry(driver: Driver, *, stream: bool) -> None:
    """The request was reported at the first attempt, this answer was not."""
    driver.simulator.fault(faults.server_error(), faults.empty_content())
    with pytest.warns(TessWarning) as caught:
        driver.text(driver.client(max_retries=1), stream=stream, seed=1)
    assert [type(warning.message) for warning in tess_warnings(caught)] == [
        TessRequestWarning,
        TessAnswerWarning,
    ]


def test_mistakes_at_the_factory_are_warned_of_there(driver: Driver) -> None:
    """The warnings point at the line that makes the client."""
    with pytest.warns(TessWarning) as caught:
        driver.client(api_key="'1|" + "a" * 48 + "'", workspace_id=None)
    assert [type(warning.message) for warning in tess_warnings(caught)] == [
        TessConfigurationWarning,
        TessConfigurationWarning,
    ]
    assert {warning.filename for warning in tess_warnings(caught)} == {inspect.getfile(type(driver))}


def test_a_loop_over_values_warns_once_for_each_parameter(driver: Driver) -> None:
    """The first warning shows its value; one for each value would flood a batch."""
    client = driver.client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for number in range(4):
            driver.ask(client, seed=number, user="u" * (number + 1), temperature=0.1 * (number + 1))
    assert len(tess_warnings(caught)) == 1


def test_a_line_warns_of_a_further_parameter(driver: Driver) -> None:
    """The second warning does not repeat the parameters of the first."""
    client = driver.client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for fields in ({"seed": 1}, {"seed": 2, "user": "ada"}, {"user": "ben"}):
            driver.ask(client, **fields)
    assert [str(warning.message).partition(" was")[0] for warning in tess_warnings(caught)] == [
        "seed=1",
        "user (a string of 3 characters)",
    ]


@pytest.mark.parametrize("by_value", [False, True], ids=["no filter reads texts", "one reads a value"])
def test_a_filter_on_a_value_is_obeyed_in_a_loop(driver: Driver, *, by_value: bool) -> None:
    """A filter may depend on the values in the text of a warning."""
    client = driver.client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        if by_value:
            warnings.filterwarnings("always", message="seed=7 ")
        for seed in (1, 1, 2, 7, 7):
            driver.ask(client, seed=seed)
    shown = [str(warning.message).partition(" ")[0] for warning in tess_warnings(caught)]
    assert shown == ["seed=1", *(["seed=7", "seed=7"] if by_value else [])]


def test_a_line_that_was_warned_of_obeys_filters_that_move(driver: Driver) -> None:
    """A warning is not repeated until a filter changes, as in Python itself, or a filter wants all."""
    client = driver.client()
    counts: list[int] = []
    for action in ("default", "default", "always", "always", "default", "ignore", "always"):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter(action)
            for _ in range(3):
                driver.ask(client, seed=1, top_p=0.5)
        counts.append(len(caught))
    assert counts == [1, 1, 3, 3, 1, 0, 3]


def test_a_retry_does_not_warn_again(driver: Driver) -> None:
    """The SDK sends the same call again."""
    reported: list[Change] = []
    driver.simulator.fault(faults.server_error())
    with pytest.warns(TessRequestWarning) as caught:
        driver.ask(driver.client(max_retries=1, on_change=reported.append), seed=1)
    assert len(driver.simulator.calls) == 2
    assert len(caught) == len(reported) == 1


def test_a_category_can_be_silenced(driver: Driver) -> None:
    """A filter for the public category silences it, as for any warning."""
    client = driver.client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", TessRequestWarning)
        driver.ask(client, temperature=0.7)
    assert caught == []


def test_a_warning_that_is_an_error_refuses_the_call(driver: Driver, *, stream: bool) -> None:
    """Under `-W error` the call raises a BadRequestError with the warning's text, and nothing is sent."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = driver.fails(driver.client(max_retries=2), stream=stream, seed=1, temperature=0.7)
    assert type(error) is openai.BadRequestError
    assert error.code == "warning_is_error"
    assert "seed" in str(error)
    assert driver.simulator.requests == []


def test_a_warning_of_the_answer_that_is_an_error_fails_the_call(driver: Driver, *, stream: bool) -> None:
    """It fails with the reason and is not repeated, because the answer was paid for."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = driver.fails(driver.client(max_retries=2), faults.empty_content(), stream=stream)
    assert error.code == "warning_is_error"
    assert "no text" in str(error)
    assert len(driver.simulator.calls) == 1


def test_each_change_is_reported_to_on_change(driver: Driver) -> None:
    """Changes without a warning are reported too, before the request is sent."""
    reported: list[tuple[str, str, int]] = []

    def note(change: Change) -> None:
        reported.append((change.action, change.param, len(driver.simulator.calls)))

    client = driver.client(on_change=note, unsupported="ignore")
    messages = [{"role": "developer", "content": "a"}, {"role": "user", "content": "hello"}]
    driver.ask(client, seed=1, messages=messages)
    assert ("stripped", "seed", 0) in reported
    assert ("mapped", "messages.role", 0) in reported


def test_a_callback_that_fails_does_not_fail_the_call(
    driver: Driver, caplog: pytest.LogCaptureFixture
) -> None:
    """The exception is logged; the other changes are still reported."""

    def fail(change: Change) -> None:
        raise RuntimeError(change.param)

    with caplog.at_level(logging.ERROR, "tess_openai"), pytest.warns(TessRequestWarning) as caught:
        driver.ask(driver.client(on_change=fail), seed=1, top_p=0.5)
    assert len(tess_warnings(caught)) == 1
    logged = [record.getMessage() for record in caplog.records]
    assert logged == ["on_change raised an exception; the call continues"] * 2
    assert SIMULATOR_API_KEY not in caplog.text
