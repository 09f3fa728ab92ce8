"""Everything below the agent that is no chat completion."""

from __future__ import annotations

import gzip
import importlib
import json
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai.testing import SIMULATOR_API_KEY

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

ANSWER = b'{"answer": "a text of more than one piece", "numbers": [1, 2, 3], "more": {"a": null}}'
ABSENT: dict[str, Callable[[Any], Any]] = {
    "embeddings": lambda client: client.embeddings.create(model="x", input="y"),
    "images": lambda client: client.images.generate(prompt="x"),
    "moderations": lambda client: client.moderations.create(input="x"),
    "speech": lambda client: client.audio.speech.create(input="x", model="y", voice="alloy"),
    "transcription": lambda client: client.audio.transcriptions.create(file=b"x", model="y"),
    "batches": lambda client: client.batches.retrieve("x"),
    "threads": lambda client: client.beta.assistants.retrieve("x"),
    "stored completions": lambda client: client.chat.completions.retrieve("x"),
}


@pytest.mark.parametrize("call", ABSENT.values(), ids=ABSENT)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_an_endpoint_that_tess_lacks_is_not_found(driver: Driver, call: Callable[[Any], Any]) -> None:
    """The error explains it after one attempt, and nothing is sent."""
    with pytest.raises(openai.NotFoundError, match="Tess does not have") as caught:
        driver.run(call(driver.client(max_retries=2)))
    assert caught.value.code == "endpoint_not_supported"
    assert driver.simulator.requests == []


def post(driver: Driver, client: Any, path: str, **options: Any) -> Any:
    """Post below the agent, as `client.post()` lets a program do."""
    return driver.run(client.post(path, cast_to=object, **options))


def test_an_unknown_path_passes(driver: Driver) -> None:
    """It is sent with the body as given, key and workspace; an error is translated for the SDK."""
    body = {"seed": 1, "temperature": 0.7, "tess_openai": {"a": 1}}
    with pytest.raises(openai.NotFoundError) as caught:
        post(driver, driver.client(), "/future/route", body=body)
    assert "Not found." in str(caught.value)
    assert caught.value.code is not None
    (request,) = driver.simulator.requests
    assert request.path == "/agents/42/openai/future/route"
    assert request.json == body
    assert request.headers["x-workspace-id"] == "7001"
    assert request.headers["authorization"] == f"Bearer {SIMULATOR_API_KEY}"


@pytest.mark.parametrize("path", ["/agent-responses/7", "/agents/42/execute", "/agents/42/openai", "/files"])
def test_what_is_not_below_an_agents_openai_root_passes_too(
    driver: Driver, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is sent with key and workspace, without OpenAI's headers; an error is translated for the SDK."""
    monkeypatch.setenv("OPENAI_ORG_ID", "org-secret")
    monkeypatch.setenv("OPENAI_PROJECT_ID", "project-secret")
    url = f"{driver.simulator.base_url}{path}"
    with pytest.raises(openai.APIStatusError) as caught:
        post(driver, driver.client(), url, body={"seed": 1})
    assert caught.value.code is not None
    (request,) = driver.simulator.requests
    assert (request.path, request.json) == (path, {"seed": 1})
    assert request.headers["x-workspace-id"] == "7001"
    assert not [name for name in request.headers if name.startswith("openai-")]


def test_a_multipart_body_passes_untouched(driver: Driver) -> None:
    """This includes a body that has to be streamed."""
    with pytest.raises(openai.NotFoundError):
        post(
            driver,
            driver.client(),
            "/future/upload",
            body={"purpose": "x"},
            files={"file": ("a.bin", b"\x00\xff" * 5000)},
            options={"headers": {"Content-Type": "multipart/form-data"}},
        )
    (request,) = driver.simulator.requests
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b"\x00\xff" * 5000 in request.body


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/responses"])
def test_a_body_that_is_no_object_is_refused(driver: Driver, path: str) -> None:
    """What cannot be read cannot be translated, and Tess would only say that a field is missing."""
    with pytest.raises(openai.BadRequestError, match=r"is not a JSON object\. It was not sent") as caught:
        post(driver, driver.client(), path, body=[1, 2])
    assert caught.value.code == "invalid_json"
    assert driver.simulator.requests == []


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_the_answer_of_an_unknown_path_passes_as_received(driver: Driver, family: str, encoding: str) -> None:
    """A route that Tess may add answers in a format that the adapter does not know, in one piece or many."""
    http = importlib.import_module(family)
    packed = gzip.compress(ANSWER) if encoding == "gzip" else ANSWER
    pieces = [packed[start : start + 20] for start in range(0, len(packed), 20)]
    headers = {"content-type": "application/json", "content-encoding": encoding}

    async def answer_async(_: Any) -> Any:
        return http.Response(200, headers=headers, content=_async_pieces(pieces))

    def answer(_: Any) -> Any:
        return http.Response(200, headers=headers, content=iter(pieces))

    transport = http.MockTransport(answer_async if driver.is_async else answer)
    with driver.users_client(family, transport=transport) as theirs:
        given = post(driver, driver.client(http_client=theirs), "/future/route", body={"seed": 1})
    assert given == json.loads(ANSWER)


async def _async_pieces(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


@pytest.mark.parametrize("path", ["/agents/42/openai/future/route", "/agent-responses/7", "/files/9/nothing"])
def test_an_error_on_another_path_is_not_about_an_agent(driver: Driver, path: str) -> None:
    """What is not there is the path; the agent that answers chats may well be."""
    with pytest.raises(openai.NotFoundError) as caught:
        post(driver, driver.client(), f"{driver.simulator.base_url}{path}", body={"a": 1})
    assert caught.value.code == "not_found"
    assert "Check the agent" not in str(caught.value)


@pytest.mark.parametrize("path", ["/chat/completions", "/completions", "/responses"])
@pytest.mark.parametrize("levels", [101, 900])
def test_a_body_that_is_nested_too_deep_is_refused(driver: Driver, path: str, levels: int) -> None:
    """If it were sent unchanged, it would reach Tess untranslated, without any warning."""
    metadata: Any = "deep"
    for _ in range(levels):
        metadata = {"a": metadata}
    body = {**driver.hello, "input": "hello", "prompt": "hello", "metadata": metadata}
    with pytest.raises(openai.BadRequestError, match="nested deeper than 100 levels") as caught:
        post(driver, driver.client(), path, body=body)
    assert caught.value.code == "nested_too_deep"
    assert driver.simulator.requests == []


def test_a_nested_body_within_the_limit_is_translated(driver: Driver) -> None:
    """Brackets in a text do not count."""
    metadata: Any = "[" * 500
    for _ in range(90):
        metadata = [metadata]
    answer = driver.ask(driver.client(unsupported="ignore"), extra_body={"metadata": metadata})
    assert answer.choices[0].message.content == driver.answer
