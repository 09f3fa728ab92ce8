"""What changed is on the answer: in a header, in a root field, and for `changes_of` on all of them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

import pytest

from tess_openai import Change, changes_of
from tess_openai.testing import Profile, TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

FIELDS: Any = {"seed": 1, "temperature": 0.7}


def names(changes: tuple[Change, ...]) -> list[tuple[str, str]]:
    """Return action and parameter of each change."""
    return [(change.action, change.param) for change in changes]


CHANGED = [("rewritten", "temperature"), ("stripped", "seed")]


def test_a_completion_carries_its_ledger(driver: Driver) -> None:
    """It is the root field `tess_openai`, and the fields that the SDK knows are not changed."""
    answer = driver.ask(driver.client(unsupported="ignore"), **FIELDS)
    assert sorted(names(changes_of(answer))) == CHANGED
    assert sorted(names(changes_of(answer.model_dump()))) == CHANGED
    (change,) = [change for change in changes_of(answer) if change.param == "temperature"]
    assert (change.given, change.sent) == ("0.7", "0.75")


def test_the_last_chunk_of_a_stream_carries_its_ledger(driver: Driver) -> None:
    """No other chunk has it."""
    chunks = driver.items(driver.ask(driver.client(unsupported="ignore"), stream=True, **FIELDS))
    assert sorted(names(changes_of(chunks[-1]))) == CHANGED
    assert [changes_of(chunk) for chunk in chunks[:-1]] == [()] * (len(chunks) - 1)


@pytest.mark.parametrize("chunks", ["minimal", "full"])
@pytest.mark.parametrize("stream_usage", ["absent", "last chunk", "own chunk"])
def test_the_last_chunk_carries_it_in_every_shape_of_stream(
    driver: Driver,
    chunks: Literal["full", "minimal"],
    stream_usage: Literal["absent", "last chunk", "own chunk"],
) -> None:
    """The usage may be Tess's or an estimate, and Tess's chunks may be incomplete."""
    profile = Profile(chunks=chunks, stream_usage=stream_usage)
    with TessSimulator(profile=profile) as simulator, simulator.serve() as server:
        client = driver.client(base_url=server.base_url, unsupported="ignore")
        stream = driver.ask(client, stream=True, stream_options={"include_usage": True}, **FIELDS)
        items = driver.items(stream)
    assert sorted(names(changes_of(items[-1]))) == CHANGED
    assert items[-1].usage.total_tokens > 0


def test_a_raw_response_carries_it_in_a_header(driver: Driver, *, stream: bool) -> None:
    """`x-tess-openai` is a JSON list in ASCII."""
    create = driver.client(unsupported="ignore").chat.completions.with_raw_response.create
    raw = driver.run(create(**driver.hello, **FIELDS, stream=stream))
    assert sorted(names(changes_of(raw))) == CHANGED
    listed = json.loads(raw.headers["x-tess-openai"])
    assert sorted((each["action"], each["param"]) for each in listed) == CHANGED
    if stream:
        driver.items(driver.run(raw.parse()))


def test_an_error_carries_it(driver: Driver, *, stream: bool) -> None:
    """What was changed may be why it failed."""
    client = driver.client(unsupported="ignore")
    error = driver.fails(client, faults.too_large(), stream=stream, **FIELDS)
    assert sorted(names(changes_of(error))) == CHANGED


def test_the_gathered_completion_of_a_stream_helper_carries_it(driver: Driver) -> None:
    """`.stream()` keeps the chunks' extra fields, or the events do."""
    manager = driver.chat(driver.client(unsupported="ignore"), "stream")(**driver.hello, **FIELDS)
    with driver.entered(manager) as events:
        last = [event.chunk for event in driver.items(events) if event.type == "chunk"][-1]
    assert sorted(names(changes_of(last))) == CHANGED


def test_an_answer_that_needed_nothing_carries_nothing(driver: Driver, *, stream: bool) -> None:
    """It has neither the header nor the field."""
    create = driver.client(usage="none").chat.completions.with_raw_response.create
    raw = driver.run(create(**driver.hello, stream=stream))
    parsed = driver.run(raw.parse())
    items = driver.items(parsed) if stream else [parsed]
    assert "x-tess-openai" not in raw.headers
    assert not [item for item in items if "tess_openai" in item.model_dump()]
    assert changes_of(raw) == changes_of(items[-1]) == ()


def test_a_long_ledger_still_fits_a_header(driver: Driver) -> None:
    """It is cut to names; the body has it whole."""
    messages = [
        {"role": "user", "content": "hello", "name": "n", **{f"key_{number}": 1 for number in range(300)}}
    ]
    create = driver.client(unsupported="ignore").chat.completions.with_raw_response.create
    raw = driver.run(create(model="tess-6", messages=messages))
    assert len(raw.headers["x-tess-openai"]) < 17_000
    assert isinstance(json.loads(raw.headers["x-tess-openai"]), list)
    assert changes_of(driver.run(raw.parse()))


def test_an_answer_that_was_converted_states_it(driver: Driver, *, stream: bool) -> None:
    """JSON where a stream was asked for, and the other way round."""
    driver.simulator.fault(faults.json_for_stream() if stream else faults.stream_for_json())
    answer = driver.ask(driver.client(), stream=stream)
    last = driver.items(answer)[-1] if stream else answer
    assert names(changes_of(last)) == [("mapped", "stream")]
