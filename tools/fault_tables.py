"""Make the tables of `docs/errors.md` about lost answers and statuses by causing each of them.

The faults come from the raw-socket server of the tests, which counts the requests that it receives.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, cast

import openai

from tess_openai import create_client
from tess_openai.core.paid_once import NOT_EXECUTED
from tess_openai.testing import SIMULATOR_API_KEY, SIMULATOR_WORKSPACE_ID

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "guard"))

import raw_faults
from fault_server import Fault, serving

LOST_ANSWERS_HEAD: Final = ("the server", "`create()`", "`stream=True`", "emulated `stop`", "emulated `n=3`")
STATUSES_HEAD: Final = ("status", "it says", "requests", "with `repeat_paid=True`")
RETRIES: Final = 2
TIMEOUT_SECONDS: Final = 0.3
STATUSES: Final = (408, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 525, 526, 527, 529, 530, 599)
CALLS: Final[tuple[dict[str, Any], ...]] = ({}, {"stream": True}, {"stop": "END"}, {"n": 3})
"""A whole answer, a stream, an emulated parameter, and a call that needs three requests without a fault."""


def lost_answers() -> Iterator[tuple[str, ...]]:
    """Yield a row for each fault of the connection: the outcome and the number of requests of each call."""
    for fault in (*raw_faults.BEFORE_ANSWER, *raw_faults.IN_ANSWER, *raw_faults.BEHIND_ANSWER):
        ends = (_describe(*cause(fault, call)) for call in CALLS)
        yield (_third_person(fault.__doc__ or ""), *ends)
    for fault in raw_faults.KEEP_ALIVE_RACES:
        ends = (_describe(*cause(fault, call, after_another=True)) for call in CALLS)
        yield (f"keeps a connection open, then {_third_person(fault.__doc__ or '')}", *ends)


def statuses() -> Iterator[tuple[str, ...]]:
    """Yield a row for each status: the number of requests, by default and with `repeat_paid=True`."""
    for status in STATUSES:
        fault = raw_faults.status(status)
        counts = (str(cause(fault, {}, repeat_paid=repeat)[1]) for repeat in (False, True))
        yield (str(status), _meaning(status), *counts)


def cause(
    fault: Fault, call: dict[str, Any], *, repeat_paid: bool = False, after_another: bool = False
) -> tuple[str, int]:
    """Make a call that meets a fault.

    Args:
        fault: The fault of the server.
        call: Further parameters of the call.
        repeat_paid: The option of the client.
        after_another: Whether an earlier call has left a connection for this one.

    Returns:
        The class of its error, `""` for none, and the number of requests received.
    """
    with (
        serving(fault) as server,
        create_client(
            42,
            api_key=SIMULATOR_API_KEY,
            workspace_id=SIMULATOR_WORKSPACE_ID,
            base_url=server.url,
            emulate=True,
            max_retries=RETRIES,
            timeout=TIMEOUT_SECONDS,
            repeat_paid=repeat_paid,
        ) as client,
    ):
        create = cast("Callable[..., Any]", client.chat.completions.create)
        messages = [{"role": "user", "content": "hello"}]
        if after_another:
            create(model="tess-6", messages=messages)
        earlier = server.posts
        try:
            answer = create(model="tess-6", messages=messages, **call)
            if call.get("stream"):
                list(answer)
        except openai.APIError as error:
            return type(error).__name__, server.posts - earlier
        return "", server.posts - earlier


def _third_person(docstring: str) -> str:
    """Return a docstring in the third person: "Close early." becomes "closes early"."""
    verb, _, rest = docstring.rstrip(".").partition(" ")
    ending = "es" if verb.endswith(("s", "x", "ch", "sh")) else "s"
    shown = "never answers" if verb == "Never" else f"{verb.lower()}{ending} {rest}"
    return shown.replace(", and send ", ", and sends ")


def _describe(error: str, posts: int) -> str:
    outcome = f"`{error}`" if error else "the answer"
    return f"{outcome}, {posts} request{'' if posts == 1 else 's'}"


def _meaning(status: int) -> str:
    if status == 429:
        return "too many requests; this one was not executed"
    return NOT_EXECUTED.get(status, "the request may have been executed; only its answer is missing")
