"""The steps of a call beside its own requests: look-ups, uploads, and the store of responses."""

from __future__ import annotations

import threading
from typing import Any, Final

import pytest

from tess_openai import MemoryResponseStore
from tess_openai.core.agents import Agent
from tess_openai.core.calls import (
    AgentNotFound,
    Answer,
    Lookup,
    Outgoing,
    StoreAccess,
    StoreResult,
    Upload,
    UploadedFile,
)
from tess_openai.edge.families import Family
from tests.edge.call_drivers import DONE, Inner, answer_of, carrying_out, driver_of

UPLOAD: Final = Upload("digest", "a.txt", "text/plain", b"a", {}, 60.0)
OTHER_UPLOAD: Final = Upload("other", "b.txt", "text/plain", b"b", {}, 60.0)
COMPLETED: Final = b'{"id": 7, "status": "completed"}'


@pytest.mark.parametrize("is_hint", [True, False])
def test_an_agent_is_looked_up_over_the_same_transport(family: Family, *, is_hint: bool) -> None:
    """The response of the look-up is closed, and the next call finds the agent in the cache."""
    response, body = answer_of(family, b'{"id": 42, "title": "A"}')
    lookup = Lookup(42, {}, 60.0, is_hint=is_hint)
    driver, flow = carrying_out(family, Inner(response), lookup, lookup, DONE)
    driver.run()
    assert [type(found) for found in flow.received[:2]] == [Agent, Agent]
    assert body.is_closed


@pytest.mark.parametrize(
    ("error", "is_hint", "is_raised"),
    [(None, False, False), (MemoryError("a bug"), True, False), (KeyboardInterrupt(), False, True)],
    ids=["no connection", "any error of a hint", "an interrupt"],
)
def test_a_look_up_that_fails_does_not_end_its_call(
    family: Family, error: BaseException | None, *, is_hint: bool, is_raised: bool
) -> None:
    """The flow learns why; what interrupts the program ends both."""
    inner = Inner(family.ReadTimeout("no route") if error is None else error)
    driver, flow = carrying_out(family, inner, Lookup(42, {}, 60.0, is_hint=is_hint), DONE)
    if is_raised:
        with pytest.raises(KeyboardInterrupt):
            driver.run()
        return
    driver.run()
    (found,) = flow.received
    assert isinstance(found, AgentNotFound)
    name = "ReadTimeout" if error is None else "MemoryError"
    assert found.why == f"the look-up of agent 42 failed with {name}"


def test_each_agent_is_looked_up_for_itself(family: Family) -> None:
    """The cache of one agent gives nothing to a call of another."""
    for is_hint in (False, True):
        inner = Inner(*(answer_of(family, b'{"id": %d}' % number)[0] for number in (42, 43)))
        lookups = [Lookup(number, {}, 60.0, is_hint=is_hint) for number in (42, 43)]
        driver, flow = carrying_out(family, inner, *lookups, DONE)
        driver.run()
        found: list[Any] = flow.received
        assert [agent.id for agent in found] == [42, 43]


@pytest.mark.parametrize("is_hint", [True, False])
def test_a_look_up_is_waited_for_as_long_as_for_tess(family: Family, *, is_hint: bool) -> None:
    """Then the call continues and knows why it has no agent."""
    lookup, is_free = Lookup(42, {}, 60.0, is_hint=is_hint), threading.Event()
    driver = driver_of(family, extensions={"timeout": {"read": 0.05}})
    agent_cache, key = driver.adapter.agent_cache, driver.adapter.lookup_key(lookup, driver.request)

    def look_up_slowly() -> Agent:
        is_free.wait(10)
        return Agent(id=42)

    other = threading.Thread(target=agent_cache.find, args=(key, look_up_slowly))
    other.start()
    try:
        found = driver.look_up(lookup)
    finally:
        is_free.set()
        other.join()
    assert isinstance(found, AgentNotFound)
    assert found.why == "the look-up of agent 42 failed with timeout"
    assert driver.look_up(lookup) == Agent(id=42)


def test_a_file_is_uploaded_once_for_all_calls(family: Family) -> None:
    """The response of the upload is closed; a call whose upload succeeded may be repeated."""
    first, body = answer_of(family, COMPLETED)
    inner = Inner(first, answer_of(family, COMPLETED.replace(b"7", b"8"))[0])
    driver, flow = carrying_out(family, inner, UPLOAD, UPLOAD, OTHER_UPLOAD, DONE)
    driver.run()
    assert flow.received == [UploadedFile(7), UploadedFile(7), UploadedFile(8)]
    assert body.is_closed
    assert [str(request.url) for request in inner.requests] == ["https://tess.example/files"] * 2
    assert inner.requests[0].headers["authorization"] == driver.authorization
    assert not driver.may_have_run


def test_an_upload_that_tess_refuses_gives_its_answer(family: Family) -> None:
    """It is the answer to the call."""
    refused, body = answer_of(family, b'{"error": "no credits"}', status=402)
    driver, flow = carrying_out(family, Inner(refused), UPLOAD, DONE)
    driver.run()
    (answer,) = flow.received
    assert isinstance(answer, Answer)
    assert (answer.status, body.is_closed) == (402, True)


def test_a_call_whose_upload_broke_is_not_repeated(family: Family) -> None:
    """The file may be there, and the processing of a second one is paid for."""
    driver, flow = carrying_out(family, Inner(family.ReadTimeout("too slow")), UPLOAD, DONE)
    with pytest.raises(family.ReadTimeout, match="too slow"):
        driver.run()
    assert driver.may_have_run
    assert flow.is_closed


def test_the_store_of_the_client_is_used(family: Family) -> None:
    """Each step calls one of its methods, with the key and the value."""
    store = MemoryResponseStore()
    save, load = StoreAccess("save", "a", b"1"), StoreAccess("load", "a")
    driver, flow = carrying_out(family, Inner(), save, load, DONE, responses_store=store)
    driver.run()
    assert flow.received == [StoreResult(), StoreResult(b"1")]
    assert store.load("a") == b"1"


def test_the_head_of_an_answer_comes_alone_unless_more_is_asked_for(family: Family) -> None:
    """Its headers are those of Tess."""
    response, body = answer_of(family, b"a", x_id="7")
    driver, flow = carrying_out(family, Inner(response), Outgoing(b"{}"), DONE)
    driver.run()
    (head,) = flow.received
    assert (vars_of(head), body.unread) == ((200, {"x-id": "7"}, None), [b"a"])


def vars_of(head: Any) -> tuple[int, dict[str, str], bytes | None]:
    """Return what a head says."""
    return head.status, dict(head.headers), head.first_piece
