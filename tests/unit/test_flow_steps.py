"""The steps of a flow: what it yields for each, what it accepts as the event, and a flow inside another."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import pytest

from tess_openai.core.agents import Agent
from tess_openai.core.calls import (
    READ,
    READ_REST,
    AgentNotFound,
    Answer,
    Event,
    Flow,
    Incoming,
    Lookup,
    Outgoing,
    ReadAll,
    Sleep,
    Step,
    StoreAccess,
    StoreResult,
    Upload,
    UploadedFile,
)
from tess_openai.core.flow_steps import (
    drive,
    exchange,
    look_up,
    read_all,
    read_piece,
    read_rest,
    to_head,
    upload,
    use_store,
)

LOOKUP = Lookup(42, {}, 1.0)
UPLOAD = Upload("digest", "a.png", "image/png", b"a", {}, 1.0)
ACCESS = StoreAccess("load", "key")
STEPS: dict[str, tuple[Any, object, list[Event]]] = {
    "Outgoing": (lambda: exchange(Outgoing(b"a")), Outgoing(b"a"), [Incoming(200, {})]),
    "READ": (read_piece, READ, [b"a", b""]),
    "ReadAll": (lambda: read_all(7, allow_truncation=True), ReadAll(7, allow_truncation=True), [b"a", b""]),
    "ReadAll of all": (read_all, ReadAll(None, allow_truncation=False), [b"a"]),
    "Lookup": (lambda: look_up(LOOKUP), LOOKUP, [Agent(id=42), AgentNotFound(Answer(404), "why")]),
    "Upload": (lambda: upload(UPLOAD), UPLOAD, [UploadedFile(7), Answer(413)]),
    "StoreAccess": (lambda: use_store(ACCESS), ACCESS, [StoreResult(b"a")]),
}


@pytest.mark.parametrize(("start", "step", "events"), STEPS.values(), ids=STEPS)
def test_a_step_returns_the_event_that_answers_it(start: Any, step: object, events: list[Event]) -> None:
    """The flow yields nothing else."""
    for event in events:
        running = start()
        assert next(running) == step
        with pytest.raises(StopIteration) as ended:
            running.send(event)
        assert ended.value.value is event


@pytest.mark.parametrize(("start", "step"), [(start, step) for start, step, _ in STEPS.values()], ids=STEPS)
def test_a_driver_that_answers_with_something_else_is_reported(start: Any, step: object) -> None:
    """A mistake at the edge is seen where it is made."""
    running = start()
    name = "READ" if step is READ else type(step).__name__
    next(running)
    with pytest.raises(TypeError, match=rf"^a driver sends .* for {name}, not str$"):
        running.send("nonsense")


def test_the_head_of_an_answer_is_nothing_else() -> None:
    """A mistake at the edge is seen where it is made."""
    with pytest.raises(TypeError, match=r"^a driver sends Incoming for Outgoing, not bytes$"):
        to_head(b"a")


def test_the_rest_of_an_answer_has_no_result() -> None:
    """It is read for its connection only."""
    assert list(read_rest()) == [READ_REST]


def pauses(seen: list[Event | Exception], *, closed: list[bool]) -> Flow:
    """Wait again and again, and keep the event or the error of each wait."""
    try:
        yield from pause(1.0, seen)
        yield from pause(2.0, seen)
        yield from pause(3.0, seen)
    finally:
        closed.append(True)


def pause(seconds: float, seen: list[Event | Exception]) -> Flow:
    """Wait once, and keep the event or the error."""
    try:
        seen.append((yield Sleep(seconds)))
    except ConnectionError as error:
        seen.append(error)


def test_a_flow_inside_another_gets_the_events_and_the_errors_of_its_steps() -> None:
    """It decides what an error means, and continues if it can."""
    seen, closed, broken = list[Event | Exception](), list[bool](), ConnectionError("broken")

    def carry_out(step: Step) -> Generator[Step, Event, Event]:
        if step == Sleep(2.0):
            raise broken
        return (yield step)

    outer = drive(pauses(seen, closed=closed), carry_out)
    assert next(outer) == Sleep(1.0)
    assert outer.send(b"first") == Sleep(3.0)
    with pytest.raises(StopIteration):
        outer.send(b"last")
    assert seen == [b"first", broken, b"last"]
    assert closed == [True]


def test_an_error_of_the_driver_reaches_the_flow_inside_another() -> None:
    """It is thrown at the step that failed."""
    seen, broken = list[Event | Exception](), ConnectionError("broken")

    def carry_out(step: Step) -> Generator[Step, Event, Event]:
        return (yield step)

    outer = drive(pauses(seen, closed=[]), carry_out)
    next(outer)
    assert outer.throw(broken) == Sleep(2.0)
    assert seen == [broken]


def test_an_error_that_the_flow_inside_another_does_not_expect_ends_both() -> None:
    """It reaches the driver."""

    def carry_out(step: Step) -> Generator[Step, Event, Event]:
        if step == Sleep(2.0):
            raise ValueError("a mistake")
        return (yield step)

    closed = list[bool]()
    outer = drive(pauses([], closed=closed), carry_out)
    next(outer)
    with pytest.raises(ValueError, match="a mistake"):
        outer.send(None)
    assert closed == [True]


def test_a_flow_inside_another_is_closed_with_it() -> None:
    """Its own clean-up runs when the driver ends the call early."""
    closed = list[bool]()

    def carry_out(step: Step) -> Generator[Step, Event, Event]:
        return (yield step)

    outer = drive(pauses([], closed=closed), carry_out)
    next(outer)
    assert closed == []
    outer.close()
    assert closed == [True]
