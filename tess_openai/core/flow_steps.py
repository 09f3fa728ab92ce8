"""Take the steps of a flow: yield each to the driver, and check the event that the driver sends back."""

from __future__ import annotations

from collections.abc import Callable, Generator

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
    LookupResult,
    Outgoing,
    ReadAll,
    Step,
    StoreAccess,
    StoreResult,
    Upload,
    UploadedFile,
    UploadResult,
)


def drive(flow: Flow, carry_out: Callable[[Step], Generator[Step, Event, Event]]) -> Flow:
    """Run a flow inside another one.

    Args:
        flow: The inner flow.
        carry_out: Carries out one step of the inner flow and returns the event for it. An exception that it
            raises is thrown into the inner flow.
    """
    event: Event = None
    error: Exception | None = None
    try:
        while True:
            try:
                step = flow.send(event) if error is None else flow.throw(error)
            except StopIteration:
                return
            event = error = None
            try:
                event = yield from carry_out(step)
            except Exception as broken:  # noqa: BLE001 - the inner flow decides about every error of its steps
                error = broken
    finally:
        flow.close()


def exchange(outgoing: Outgoing) -> Generator[Step, Event, Incoming]:
    """Send `outgoing` and wait for the head of its answer."""
    return to_head((yield outgoing))


def to_head(event: Event) -> Incoming:
    """Return the head of an answer, which a driver sends for `Outgoing`."""
    if not isinstance(event, Incoming):
        raise TypeError(f"a driver sends Incoming for Outgoing, not {type(event).__name__}")
    return event


def read_piece() -> Generator[Step, Event, bytes]:
    """Read the next piece of the current response; `b""` at its end."""
    event = yield READ
    if not isinstance(event, bytes):
        raise TypeError(f"a driver sends bytes for READ, not {type(event).__name__}")
    return event


def read_rest() -> Generator[Step, Event, None]:
    """Read what follows the end of an answer, for a tenth of a second, so that its connection can be reused.

    Errors of this reading are ignored.
    """
    yield READ_REST


def read_all(limit: int | None = None, *, allow_truncation: bool = False) -> Generator[Step, Event, bytes]:
    """Read the rest of the current response; the arguments are those of `ReadAll`."""
    event = yield ReadAll(limit, allow_truncation)
    if not isinstance(event, bytes):
        raise TypeError(f"a driver sends bytes for ReadAll, not {type(event).__name__}")
    return event


def look_up(lookup: Lookup) -> Generator[Step, Event, LookupResult]:
    """Ask what an agent offers."""
    event = yield lookup
    if not isinstance(event, Agent | AgentNotFound):
        raise TypeError(f"a driver sends Agent or AgentNotFound for Lookup, not {type(event).__name__}")
    return event


def upload(file: Upload) -> Generator[Step, Event, UploadResult]:
    """Upload a file, unless this client has uploaded it before."""
    event = yield file
    if not isinstance(event, UploadedFile | Answer):
        raise TypeError(f"a driver sends the result for Upload, not {type(event).__name__}")
    return event


def use_store(access: StoreAccess) -> Generator[Step, Event, StoreResult]:
    """Read or change the store of responses."""
    event = yield access
    if not isinstance(event, StoreResult):
        raise TypeError(f"a driver sends StoreResult for StoreAccess, not {type(event).__name__}")
    return event
