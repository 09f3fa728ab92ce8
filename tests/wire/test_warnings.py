"""A warning points at the caller's own line, is shown once, and obeys the caller's filters."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import gc
import inspect
import linecache
import logging
import sys
import warnings
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import anyio
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

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

HELLO: Any = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}], "seed": 1}


def create(client: Any) -> None:
    """Make a plain call."""
    client.chat.completions.create(**HELLO)  # caller


def create_stream(client: Any) -> None:
    """Make a streamed call."""
    list(client.chat.completions.create(**HELLO, stream=True))  # caller


def call_stream_helper(client: Any) -> None:
    """Use `.stream()`."""
    stream = getattr(client.chat.completions, "stream", None) or client.beta.chat.completions.stream
    with stream(**HELLO):  # caller
        pass


def call_parse(client: Any) -> None:
    """Use `.parse()`."""
    parse = getattr(client.chat.completions, "parse", None) or client.beta.chat.completions.parse
    parse(**HELLO)  # caller


def call_raw(client: Any) -> None:
    """Ask for the raw response."""
    client.chat.completions.with_raw_response.create(**HELLO)  # caller


def call_streaming_response(client: Any) -> None:
    """Ask for a response to be read bit by bit."""
    with client.chat.completions.with_streaming_response.create(**HELLO):  # caller
        pass


def call_with_options(client: Any) -> None:
    """Change the client first."""
    client.with_options(timeout=9).chat.completions.create(**HELLO)  # caller


async def create_async(client: Any) -> None:
    """Async counterpart of `create`."""
    await client.chat.completions.create(**HELLO)  # caller


async def create_stream_async(client: Any) -> None:
    """Async counterpart of `create_stream`."""
    async for _ in await client.chat.completions.create(**HELLO, stream=True):  # caller
        pass


async def call_stream_helper_async(client: Any) -> None:
    """Async counterpart of `call_stream_helper`."""
    stream = getattr(client.chat.completions, "stream", None) or client.beta.chat.completions.stream
    async with stream(**HELLO):  # caller
        pass


async def call_parse_async(client: Any) -> None:
    """Async counterpart of `call_parse`."""
    parse = getattr(client.chat.completions, "parse", None) or client.beta.chat.completions.parse
    await parse(**HELLO)  # caller


async def call_raw_async(client: Any) -> None:
    """Async counterpart of `call_raw`."""
    await client.chat.completions.with_raw_response.create(**HELLO)  # caller


async def call_streaming_response_async(client: Any) -> None:
    """Async counterpart of `call_streaming_response`."""
    async with client.chat.completions.with_streaming_response.create(**HELLO):  # caller
        pass


async def gather(client: Any) -> None:
    """Run coroutines of one's own at once."""
    await asyncio.gather(create_async(client), create_async(client))


SITES: dict[str, tuple[Callable[[Any], None], Callable[[Any], Any]]] = {
    "create": (create, create_async),
    "a stream": (create_stream, create_stream_async),
    ".stream()": (call_stream_helper, call_stream_helper_async),
    ".parse()": (call_parse, call_parse_async),
    "raw response": (call_raw, call_raw_async),
    "streaming response": (call_streaming_response, call_streaming_response_async),
    "with_options or gather": (call_with_options, gather),
}


@pytest.mark.parametrize("site", SITES.values(), ids=SITES)
def test_a_warning_points_at_the_callers_line(driver: Driver, site: Any) -> None:
    """Through the SDK, the http client and the event loop."""
    client = driver.client()
    with pytest.warns(TessRequestWarning, match="seed") as caught:
        driver.run(site[driver.is_async](client))
    for warning in tess_warnings(caught):
        assert warning.filename == __file__
        assert linecache.getline(warning.filename, warning.lineno).rstrip().endswith("# caller")


def tess_warnings(caught: Iterable[warnings.WarningMessage]) -> list[warnings.WarningMessage]:
    """Leave out what Python itself warns of at any line, such as a socket that was never closed."""
    return [warning for warning in caught if isinstance(warning.message, TessWarning)]


def ask(client: Any) -> Any:
    """Return the SDK's own coroutine: in a task of its own, no line of this file is on the stack."""
    return client.chat.completions.create(**HELLO)


async def await_a_task(client: Any) -> None:
    """Wait for it and nothing else."""
    await asyncio.create_task(ask(client))  # caller


async def await_with_a_limit(client: Any) -> None:
    """Before Python 3.12 this makes a task."""
    await asyncio.wait_for(ask(client), 60)  # caller


async def await_several(client: Any) -> None:
    """Wait for some at once."""
    await asyncio.gather(ask(client), ask(client))  # caller


async def await_a_shield(client: Any) -> None:
    """Wait for what would go on without."""
    await asyncio.shield(ask(client))  # caller


async def await_the_first(client: Any) -> None:
    """Wait for a set of tasks."""
    await asyncio.wait([asyncio.create_task(ask(client))])  # caller


async def await_as_they_come(client: Any) -> None:
    """Wait for whichever is next."""
    for answer in asyncio.as_completed([ask(client)]):
        await answer  # caller


async def await_tasks_of_tasks(client: Any) -> None:
    """Wait for what waits for it, none of which is of this file."""
    await asyncio.gather(asyncio.shield(asyncio.wait_for(asyncio.shield(ask(client)), 60)))  # caller


async def await_a_group(client: Any) -> None:
    """Wait at the end of a group of anyio's, whose tasks are started by it."""
    async with anyio.create_task_group() as group:  # caller
        group.start_soon(functools.partial(client.chat.completions.create, **HELLO))


async def await_a_queue(client: Any) -> None:
    """Wait for what a task brings when it is done."""
    queue: asyncio.Queue[Any] = asyncio.Queue()
    task = asyncio.create_task(ask(client))
    task.add_done_callback(queue.put_nowait)
    await queue.get()  # caller


async def await_an_event(client: Any) -> None:
    """Wait for what a task sets, of which nothing leads here."""
    event = asyncio.Event()
    task = asyncio.create_task(ask(client))
    task.add_done_callback(lambda _: event.set())
    await event.wait()  # caller


TASKS: dict[str, Callable[[Any], Any]] = {
    "a task": await_a_task,
    "wait_for": await_with_a_limit,
    "gather": await_several,
    "shield": await_a_shield,
    "wait": await_the_first,
    "as_completed": await_as_they_come,
    "tasks of tasks": await_tasks_of_tasks,
    "a queue": await_a_queue,
    "a group of anyio's": await_a_group,
}
if sys.version_info >= (3, 11):

    async def await_a_group_of_asyncios(client: Any) -> None:
        """Wait at the end of a group of asyncio's."""
        async with asyncio.TaskGroup() as group:  # caller
            group.create_task(ask(client))

    TASKS["a group of asyncio's"] = await_a_group_of_asyncios


async def beside_another(waiting: Any) -> None:
    """Run it while another task of this program waits elsewhere."""
    other = asyncio.create_task(asyncio.Event().wait())
    bystander = asyncio.create_task(wait_for_nothing(other))
    await waiting
    other.cancel()
    await bystander


async def wait_for_nothing(other: Any) -> None:
    """Have a line of one's own that is not the caller."""
    with contextlib.suppress(asyncio.CancelledError):
        await other


@pytest.mark.parametrize("driver", ["async"], indirect=True)
@pytest.mark.parametrize("site", TASKS.values(), ids=TASKS)
def test_a_warning_points_at_the_line_that_waits_for_a_task(driver: Driver, site: Any) -> None:
    """A library that makes a task of the call has no line of the program's on the stack."""
    client = driver.client()
    with pytest.warns(TessRequestWarning, match="seed") as caught:
        driver.run(beside_another(site(client)))
    for warning in tess_warnings(caught):
        assert warning.filename == __file__
        assert linecache.getline(warning.filename, warning.lineno).rstrip().endswith("# caller")


@pytest.mark.parametrize("driver", ["async"], indirect=True)
def test_where_nobody_waits_for_a_task_it_is_the_one_line_of_the_program(driver: Driver) -> None:
    """A library may hand its answers over unseen; with two such lines, it is whatever runs them all."""
    gc.collect()  # a client of an earlier test that is collected later closes itself in a task of this loop
    lines: list[str] = []
    for site in (await_an_event(driver.client()), beside_another(await_an_event(driver.client()))):
        with pytest.warns(TessRequestWarning, match="seed") as caught:
            driver.run(site)
        first = tess_warnings(caught)[0]
        lines.append(linecache.getline(first.filename, first.lineno).strip())
    assert lines[0].endswith("# caller")
    assert lines[1].startswith("return self.loop.run_until_complete")


@pytest.mark.parametrize("driver", ["async"], indirect=True)
def test_two_lines_that_wait_for_tasks_are_two_places(driver: Driver) -> None:
    """Although the event loop is all that is on the stack of either."""
    client = driver.client()

    async def loop_over_both() -> None:
        for _ in range(3):
            await asyncio.create_task(ask(client))
            await asyncio.create_task(ask(client))

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        driver.run(loop_over_both())
    lines = [warning.lineno for warning in tess_warnings(caught)]
    assert len(lines) == len(set(lines)) == 2


@pytest.mark.parametrize("driver", ["async"], indirect=True)
def test_a_warning_survives_what_cannot_be_read(driver: Driver) -> None:
    """A callback of another library may refuse to be read: the warning is still shown."""

    class Unreadable:
        """A callback that tells nothing of itself."""

        @property
        def __self__(self) -> Any:
            raise RuntimeError("not here")

        def __call__(self, _: Any) -> None:
            """Take what is done."""

    async def await_beside_it(client: Any) -> None:
        task = asyncio.create_task(ask(client))
        task.add_done_callback(Unreadable())
        await task

    with pytest.warns(TessRequestWarning, match="seed"):
        driver.run(await_beside_it(driver.client()))


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
    """At the line that waits for it."""
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
    """With the line that makes the client."""
    with pytest.warns(TessWarning) as caught:
        driver.client(api_key="'1|" + "a" * 48 + "'", workspace_id=None)
    assert [type(warning.message) for warning in tess_warnings(caught)] == [
        TessConfigurationWarning,
        TessConfigurationWarning,
    ]
    assert {warning.filename for warning in tess_warnings(caught)} == {inspect.getfile(type(driver))}


def test_by_default_a_line_warns_once(driver: Driver) -> None:
    """Python's own filter shows each place once: two places, two warnings, however often they are run."""
    client = driver.client()
    both = SITES["create"][driver.is_async], SITES["raw response"][driver.is_async]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for _ in range(3):
            for site in both:
                driver.run(site(client))
    lines = [warning.lineno for warning in tess_warnings(caught)]
    assert len(lines) == len(set(lines)) == 2


def test_a_loop_over_values_warns_once_for_each_parameter(driver: Driver) -> None:
    """The first warning shows its value; one for each value would flood a batch."""
    client = driver.client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("default")
        for number in range(4):
            driver.ask(client, seed=number, user="u" * (number + 1), temperature=0.1 * (number + 1))
    assert len(tess_warnings(caught)) == 1


def test_a_line_warns_of_a_further_parameter(driver: Driver) -> None:
    """And does not repeat those that it was warned of before."""
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
    """Whether a warning is shown may depend on the values in its text."""
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
    """By the public name, as any warning."""
    client = driver.client()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        warnings.simplefilter("ignore", TessRequestWarning)
        driver.ask(client, temperature=0.7)
    assert caught == []


def test_a_warning_that_is_an_error_refuses_the_call(driver: Driver, *, stream: bool) -> None:
    """Under `-W error`: a BadRequestError with the warning's text, one attempt, no network."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = driver.fails(driver.client(max_retries=2), stream=stream, seed=1, temperature=0.7)
    assert type(error) is openai.BadRequestError
    assert error.code == "warning_is_error"
    assert "seed" in str(error)
    assert driver.simulator.requests == []


def test_a_warning_of_the_answer_that_is_an_error_fails_the_call(driver: Driver, *, stream: bool) -> None:
    """Once, with its reason: the answer was paid for and is not asked for again."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        error = driver.fails(driver.client(max_retries=2), faults.empty_content(), stream=stream)
    assert error.code == "warning_is_error"
    assert "no text" in str(error)
    assert len(driver.simulator.calls) == 1


def test_each_change_is_reported_to_on_change(driver: Driver) -> None:
    """Also what is not warned of, before the request is sent."""
    reported: list[tuple[str, str, int]] = []

    def note(change: Change) -> None:
        reported.append((change.action, change.param, len(driver.simulator.calls)))

    client = driver.client(on_change=note, unsupported="ignore")
    driver.ask(client, seed=1, messages=[{"role": "developer", "content": "a"}, *HELLO["messages"]])
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
