"""Each field of an answer with values of every wrong type: the caller gets OpenAI's types, or its error."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import warnings
from collections.abc import Iterator
from typing import Any, Final, TypeAlias

import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tess_openai import TessWarning, create_client

FAMILY: Any = importlib.import_module("httpx2" if importlib.util.find_spec("httpx2") else "httpx")
Path: TypeAlias = tuple[str | int, ...]

CALL: Final = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}
LOGPROB: Final = {"token": "Hi", "logprob": -0.5, "bytes": [72, 105], "top_logprobs": []}
CITATION: Final = {"start_index": 0, "end_index": 1, "title": "t", "url": "https://a.example"}
USAGE: Final = {
    "prompt_tokens": 10,
    "completion_tokens": 3,
    "total_tokens": 13,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 1},
}
ROOT: Final = {"id": "chatcmpl-1", "created": 1, "model": "tess-6", "system_fingerprint": "fp"}
WHOLE: Final[dict[str, Any]] = {
    **ROOT,
    "object": "chat.completion",
    "service_tier": "default",
    "error": None,
    "choices": [
        {
            "index": 0,
            "message": {
                "role": "assistant",
                "content": "Hi",
                "refusal": None,
                "tool_calls": [CALL],
                "function_call": {"name": "f", "arguments": "{}"},
                "annotations": [{"type": "url_citation", "url_citation": CITATION}],
                "audio": None,
            },
            "finish_reason": "stop",
            "logprobs": {"content": [LOGPROB], "refusal": None},
        }
    ],
    "usage": USAGE,
}
CHUNK: Final[dict[str, Any]] = {
    **ROOT,
    "object": "chat.completion.chunk",
    "service_tier": "default",
    "error": None,
    "choices": [
        {
            "index": 0,
            "delta": {
                "role": "assistant",
                "content": "Hi",
                "refusal": None,
                "tool_calls": [{"index": 0, **CALL}],
                "function_call": {"name": "f", "arguments": "{}"},
            },
            "finish_reason": None,
            "logprobs": {"content": [LOGPROB], "refusal": None},
        }
    ],
    "usage": USAGE,
}
LAST: Final = {
    **ROOT,
    "object": CHUNK["object"],
    "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
}
VALUES: Final[tuple[Any, ...]] = (
    None,
    True,
    0,
    2.0,
    2.5,
    float("inf"),
    "",
    "7",
    "text",
    "\ud83d",
    [],
    [None],
    ["a"],
    [{}],
    [{"type": "text", "text": "a"}],
    {},
    {"a": 1},
    {"0": "a"},
    {"text": "a"},
)


def paths(value: object, path: Path = ()) -> Iterator[Path]:
    """Yield the place of each member of a JSON value."""
    members: Any = value.items() if isinstance(value, dict) else ()
    for key, inner in [*members, *enumerate(value if isinstance(value, list) else ())]:
        yield (*path, key)
        yield from paths(inner, (*path, key))


def changed(given: dict[str, Any], path: Path, value: object) -> dict[str, Any]:
    """Return an answer with another value in one place."""
    fields = copy.deepcopy(given)
    *above, last = path
    holder: Any = fields
    for key in above:
        holder = holder[key]
    holder[last] = value
    return fields


def events(*chunks: object) -> bytes:
    """Encode chunks as an event stream."""
    return b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks) + b"data: [DONE]\n\n"


class Fixed(FAMILY.BaseTransport):  # type: ignore[misc] # its base is loaded by name
    """Answers every request with the same bytes."""

    body = b""

    def handle_request(self, request: Any) -> Any:
        """Answer; what the body is called does not matter."""
        kind = "text/event-stream" if self.body.startswith(b"data:") else "application/json"
        return FAMILY.Response(200, headers={"content-type": kind}, content=self.body, request=request)


@pytest.fixture
def fixed() -> Fixed:
    """Return a transport whose answer a test sets."""
    return Fixed()


@pytest.fixture(params=[False, True], ids=["plain", "emulated"])
def client(request: pytest.FixtureRequest, fixed: Fixed) -> Iterator[openai.OpenAI]:
    """Return a client over it."""
    with FAMILY.Client(transport=fixed) as http_client:
        yield create_client(
            42,
            api_key="1|abc",
            workspace_id=7,
            http_client=http_client,
            emulate=request.param,
            unsupported="ignore",
            max_retries=0,
        )


def check(client: openai.OpenAI, *, stream: bool) -> None:
    """Ask, and validate all that the caller gets with the SDK's own models."""
    more: dict[str, Any] = (
        {"stop": "never", "stream_options": {"include_usage": True}} if stream else {"stop": "x"}
    )
    try:
        raw = client.chat.completions.with_raw_response.create(
            model="tess-6", messages=[{"role": "user", "content": "hello"}], stream=stream, **more
        )
    except openai.APIError:
        return
    if not stream:
        ChatCompletion.model_validate_json(raw.http_response.content, strict=True)
        return
    *chunks, end = raw.http_response.read().decode().rstrip("\n").split("\n\n")
    assert end == "data: [DONE]" or "error" in json.loads(end.removeprefix("data: "))
    for each in chunks:
        ChatCompletionChunk.model_validate_json(each.removeprefix("data: "), strict=True)


PLACES: Final = [(form, path) for form in (WHOLE, CHUNK) for path in paths(form)]
CASES: Final = len(PLACES) * len(VALUES)


def test_the_table_is_large() -> None:
    """The table has at least as many cases as the pages promise."""
    assert CASES >= 400


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(("form", "path"), PLACES, ids=lambda each: ".".join(map(str, each)) if each else "")
def test_no_wrong_type_reaches_the_program(
    client: openai.OpenAI, fixed: Fixed, form: dict[str, Any], path: Path, *, stream: bool
) -> None:
    """This holds whether Tess streams or not, and whether the caller asked for a stream or not."""
    for value in VALUES:
        fields = changed(form, path, value)
        fixed.body = json.dumps(fields).encode() if form is WHOLE else events(fields, LAST)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TessWarning)
            try:
                check(client, stream=stream)
            except Exception as error:  # which of the values it was
                raise AssertionError(f"{path} = {value!r}: {error}") from error


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
def test_what_is_of_openais_types_is_unchanged(client: openai.OpenAI, fixed: Fixed, *, stream: bool) -> None:
    """The table begins with an answer that nothing is wrong with."""
    for body in (json.dumps(WHOLE).encode(), events(CHUNK, LAST)):
        fixed.body = body
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", TessWarning)
            check(client, stream=stream)
