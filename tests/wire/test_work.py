"""How many functions of the package run for a call: as many on a busy machine as on an idle one.

What that costs in time is measured by `benchmarks/overhead.py`. A bound here is a little above what was
counted when it was written, so a change that makes each call dearer is seen where it is made.
"""

from __future__ import annotations

import asyncio
import gc
import importlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import openai
import pytest

import tess_openai
from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import parse_emulation
from tess_openai.core.prompts import Prompts
from tess_openai.core.schemas.schema_checker import SchemaCache

KEY = "1|" + "a1" * 24
CHAT: dict[str, Any] = {"model": "tess-6", "messages": [{"role": "user", "content": "Hello"}]}
HEAD = {"id": "chatcmpl-1", "created": 1, "model": "tess-6"}
WHOLE = {
    **HEAD,
    "object": "chat.completion",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
PIECES, IN_PIECE = 50, 10
NONCE = "tokibanuve"


def chunk(delta: dict[str, Any], reason: str | None = None) -> bytes:
    """Return one event of a stream."""
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return (
        b"data: %b\n\n"
        % json.dumps({**HEAD, "object": "chat.completion.chunk", "choices": [choice]}).encode()
    )


class Pieces:
    """The body of a stream, as a network delivers it: ten events a piece."""

    def __iter__(self) -> Any:
        yield chunk({"role": "assistant", "content": ""}) + chunk({"content": "a "})
        for number in range(PIECES):
            yield b"".join(chunk({"content": f"word{number} "}) for _ in range(IN_PIECE))
        yield chunk({}, "stop") + b"data: [DONE]\n\n"


def inner_transport() -> Any:
    """Return a transport of the SDK's http library that answers at once."""
    library = importlib.import_module(openai.DefaultHttpxClient.__mro__[1].__module__.partition(".")[0])

    def answer(request: Any) -> Any:
        if json.loads(request.content).get("stream"):
            return library.Response(200, headers={"content-type": "text/event-stream"}, content=Pieces())
        return library.Response(200, json=WHOLE)

    return library.MockTransport(answer)


def functions_run(work: Callable[[], object]) -> int:
    """Return how many functions of the package a second run of `work` enters, or generators it resumes.

    Clients of earlier tests that are garbage are finalized before, so that their functions are not counted.
    """
    work()
    own = str(Path(tess_openai.__file__).parent)
    count = 0

    def see(frame: FrameType, event: str, _: object) -> None:
        nonlocal count
        count += event == "call" and frame.f_code.co_filename.startswith(own)

    before = sys.getprofile()
    gc.collect()
    gc.disable()
    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


def client() -> openai.OpenAI:
    """Return a client whose answers come at once."""
    http_client = openai.DefaultHttpxClient(transport=inner_transport())
    return tess_openai.create_client(42, api_key=KEY, workspace_id=7, http_client=http_client)


def test_a_call_that_needs_no_change_runs_few_functions() -> None:
    """A call that needs changes runs more than three times as many."""
    with client() as made:
        assert functions_run(lambda: made.chat.completions.create(**CHAT)) <= 45


def test_an_awaited_call_runs_few_functions() -> None:
    """The limit for sync calls holds for async calls too."""
    http_client = openai.DefaultAsyncHttpxClient(transport=inner_transport())
    made = tess_openai.create_async_client(42, api_key=KEY, workspace_id=7, http_client=http_client)
    loop = asyncio.new_event_loop()
    try:
        run = loop.run_until_complete
        assert functions_run(lambda: run(made.chat.completions.create(**CHAT))) <= 46
        run(made.close())
    finally:
        loop.close()


@pytest.mark.parametrize(("api", "bound"), [("chat", 3.2), ("responses", 7.0)])
def test_a_chunk_of_a_stream_runs_few_functions(api: str, bound: float) -> None:
    """Chunks of a chat are passed on as bytes, and events of a response are written around the same text."""
    with client() as made:
        calls: dict[str, Callable[[], Any]] = {
            "chat": lambda: made.chat.completions.create(**CHAT, stream=True),
            "responses": lambda: made.responses.create(model="tess-6", input="Hello", stream=True),
        }
        if api == "responses" and not hasattr(made, "responses"):
            pytest.skip("this SDK has no responses")
        count = functions_run(lambda: list(calls[api]()))
    assert count / (PIECES * IN_PIECE) <= bound


def test_an_emulated_call_runs_few_functions() -> None:
    """Fifty calls are made in one answer, which is read as a whole."""
    tool = {"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]}
    emulation = parse_emulation(
        {"tools": [{"type": "function", "function": {"name": "note", "parameters": tool}}]},
        ("tools",),
        agent_tools=(),
        prompts=Prompts(),
        schemas=SchemaCache(),
        new_id=lambda: "581850f6",  # it makes that nonce
    )
    assert emulation is not None
    call = f'<call:{NONCE}>\n{{"name": "note", "arguments": {{"text": "x"}}}}\n</call:{NONCE}>\n'

    def read() -> object:
        reader = AnswerReader(emulation)
        reader.feed(call * 50)
        return reader.finish()

    assert functions_run(read) / 50 <= 60
