"""Endpoints that Tess lacks, answered by a client of the user's for another service."""

from __future__ import annotations

import importlib
import pickle
import threading
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import TessConfigurationError, connection, create_async_client, create_client
from tess_openai.core.jsons import parse_json
from tess_openai.edge.families import family_of
from tess_openai.testing import SIMULATOR_API_KEY

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.wire.conftest import Driver

OTHER_KEY = "other-service-key"
EMBEDDING = {
    "object": "list",
    "model": "small",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.25, 0.5]}],
    "usage": {"prompt_tokens": 1, "total_tokens": 1},
}


class OtherService:
    """Answers as the service of the other client, and keeps each request; no socket is involved."""

    def __init__(self, driver: Driver, family: str) -> None:
        self.driver = driver
        self.library: Any = importlib.import_module(family)
        self.requests: list[Any] = []
        self.answers: dict[str, Any] = {}

    def client(self, **options: Any) -> Any:
        """Make the other client, of the driver's kind."""
        transport = self.library.MockTransport(self.async_answer if self.driver.is_async else self.answer)
        classes = (self.library.AsyncClient, openai.AsyncOpenAI)
        http_class, sdk_class = classes if self.driver.is_async else (self.library.Client, openai.OpenAI)
        given = {"api_key": OTHER_KEY, "base_url": "https://other.example/v1", "max_retries": 5, **options}
        client = sdk_class(http_client=http_class(transport=transport), **given)
        self.driver.clients.append(client)
        return client

    def answer(self, request: Any) -> Any:
        """Answer a request that is read whole."""
        request.read()
        return self._answer(request)

    async def async_answer(self, request: Any) -> Any:
        """Async counterpart of `answer`."""
        await request.aread()
        return self._answer(request)

    def _answer(self, request: Any) -> Any:
        self.requests.append(request)
        given = self.answers.get(request.url.path.rpartition("/")[2], EMBEDDING)
        if isinstance(given, Exception):
            raise given
        if callable(given):
            return given()
        return self.library.Response(200, json=given)


@pytest.fixture
def other(driver: Driver) -> OtherService:
    """Serve another service with the HTTP family of the installed SDK."""
    family = family_of(openai.DefaultHttpxClient())
    assert family is not None
    return OtherService(driver, family)


def test_an_endpoint_is_answered_by_the_other_client(driver: Driver, other: OtherService) -> None:
    """It uses that client's URL and key; Tess gets no request, and the other service no Tess key."""
    client = driver.client(others={"embeddings": other.client()})
    made = driver.run(client.embeddings.create(model="small", input="hello", encoding_format="float"))
    assert made.data[0].embedding == [0.25, 0.5]
    (request,) = other.requests
    assert str(request.url) == "https://other.example/v1/embeddings"
    assert parse_json(request.content) == {"model": "small", "input": "hello", "encoding_format": "float"}
    assert request.headers["authorization"] == f"Bearer {OTHER_KEY}"
    assert "x-workspace-id" not in request.headers
    assert SIMULATOR_API_KEY not in str(request.headers.raw)
    assert driver.simulator.requests == []


@pytest.mark.parametrize("name", ["%252e%252e/chat", "a%3Fadmin=1", "a%23b", "a%2541"])
def test_a_path_reaches_the_other_service_as_it_was_written(
    driver: Driver, other: OtherService, name: str
) -> None:
    """What is escaped in it stays so: it names no other endpoint there, and adds no query."""
    client = driver.client(others={"vector_stores": other.client()})
    driver.run(client.get(f"/vector_stores/{name}", cast_to=object))
    (request,) = other.requests
    assert request.url.raw_path.decode().upper() == f"/v1/vector_stores/{name}".upper()


def test_a_path_that_leads_out_of_its_endpoint_is_not_passed(driver: Driver, other: OtherService) -> None:
    """The endpoint it leads to was not named."""
    client = driver.client(others={"vector_stores": other.client()})
    with pytest.raises(openai.NotFoundError):
        driver.run(client.get("/vector_stores/%2e%2e/chat/completions", cast_to=object))
    assert other.requests == []


def test_chats_still_go_to_tess(driver: Driver, other: OtherService) -> None:
    """Only the named endpoints use the other client, and an agent's own paths never do."""
    client = driver.client(others={"embeddings": other.client()})
    assert driver.text(client) == driver.answer
    assert other.requests == []


def test_what_is_not_named_is_refused_and_the_refusal_names_the_option(
    driver: Driver, other: OtherService
) -> None:
    """A program can copy the option from the error."""
    client = driver.client(others={"embeddings": other.client()})
    with pytest.raises(openai.NotFoundError) as caught:
        driver.run(client.moderations.create(input="x"))
    assert 'others={"moderations": openai.OpenAI(...)}' in str(caught.value)
    assert caught.value.code == "endpoint_not_supported"
    assert other.requests == []


def test_a_key_in_another_header_is_not_sent_either(driver: Driver, other: OtherService) -> None:
    """Headers of the call pass; those that hold Tess's key, its workspace or a cookie do not."""
    client = driver.client(
        others={"embeddings": other.client(default_headers={"x-other": "own"})},
        default_headers={"x-gateway": SIMULATOR_API_KEY, "cookie": "session=1", "api-key": "x"},
    )
    driver.run(client.embeddings.create(model="small", input="x", extra_headers={"x-trace": "7"}))
    headers = other.requests[0].headers
    assert (headers["x-trace"], headers["x-other"]) == ("7", "own")
    assert {"x-gateway", "cookie", "api-key", "x-workspace-id"}.isdisjoint(headers)


def test_a_multipart_body_passes(driver: Driver, other: OtherService) -> None:
    """Its file, its boundary and its fields are not changed."""
    other.answers["transcriptions"] = {"text": "hello there"}
    client = driver.client(others={"audio": other.client()})
    file = ("voice.wav", b"RIFF" + bytes(range(256)) * 300)
    made = driver.run(client.audio.transcriptions.create(file=file, model="whisper-1"))
    assert made.text == "hello there"
    (request,) = other.requests
    assert request.url.path == "/v1/audio/transcriptions"
    assert request.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert bytes(range(256)) * 300 in request.content
    assert b'name="model"' in request.content


def test_a_binary_answer_passes(driver: Driver, other: OtherService) -> None:
    """Speech is bytes, not JSON."""
    other.answers["speech"] = lambda: other.library.Response(200, content=b"\x00\xff" * 1000)
    client = driver.client(others={"audio": other.client()})
    made = driver.run(client.audio.speech.create(input="x", model="tts-1", voice="alloy"))
    assert made.content == b"\x00\xff" * 1000


def test_a_stream_passes_piece_by_piece(driver: Driver, other: OtherService) -> None:
    """Its first event is there before its last is made."""
    released = threading.Event()
    events = [b'data: {"text": "one"}\n\n', b'data: {"text": "two"}\n\n']

    def pieces() -> Iterator[bytes]:
        yield events[0]
        assert released.is_set()
        yield events[1]

    async def async_pieces() -> Any:
        for piece in pieces():
            yield piece

    headers = {"content-type": "text/event-stream"}
    other.answers["edits"] = lambda: other.library.Response(
        200, headers=headers, content=async_pieces() if driver.is_async else pieces()
    )
    client = driver.client(others={"images": other.client()})
    made = driver.run(
        client.post("/images/edits", cast_to=object, body={}, stream=True, stream_cls=_stream_class(driver))
    )
    assert driver.next(made) == {"text": "one"}
    released.set()
    assert driver.items(made) == [{"text": "two"}]


def _stream_class(driver: Driver) -> Any:
    kind: Any = openai.AsyncStream if driver.is_async else openai.Stream
    return kind[object]


def test_an_error_passes_as_it_is(driver: Driver, other: OtherService) -> None:
    """Status, body and code are the other service's; the SDK retries as this client's options say."""
    error = {"error": {"message": "Slow down", "type": "requests", "param": None, "code": "too_many"}}
    other.answers["embeddings"] = lambda: other.library.Response(
        429, json=error, headers={"retry-after-ms": "1", "x-request-id": "r1"}
    )
    client = driver.client(others={"embeddings": other.client()}, max_retries=1)
    with pytest.raises(openai.RateLimitError) as caught:
        driver.run(client.embeddings.create(model="small", input="x"))
    assert caught.value.body == error["error"]
    assert caught.value.request_id == "r1"
    assert len(other.requests) == 2


def test_a_broken_connection_is_the_sdks_error(driver: Driver, other: OtherService) -> None:
    """The SDK retries it as it does for any call."""
    other.answers["embeddings"] = other.library.ConnectTimeout("no answer")
    client = driver.client(others={"embeddings": other.client()}, max_retries=1)
    with pytest.raises(openai.APITimeoutError):
        driver.run(client.embeddings.create(model="small", input="x"))
    assert len(other.requests) == 2


@pytest.mark.needs("httpx", "httpx2")
def test_the_other_client_may_be_of_the_other_http_family(driver: Driver, family: str) -> None:
    """The body is passed from one to the other, and so are answers and errors."""
    own = "httpx" if family == "httpx2" else "httpx2"
    other = OtherService(driver, family)
    with driver.users_client(own) as http_client:
        client = driver.client(others={"embeddings": other.client()}, http_client=http_client)
        made = driver.run(client.embeddings.create(model="small", input="x", encoding_format="float"))
        assert made.data[0].embedding == [0.25, 0.5]
        other.answers["embeddings"] = other.library.ReadTimeout("silence")
        with pytest.raises(openai.APITimeoutError):
            driver.run(client.embeddings.create(model="small", input="x"))


def test_a_key_from_a_function_is_called(driver: Driver, other: OtherService) -> None:
    """Rotated keys of the other service work as in a client that is used alone."""
    if driver.sdk < (1, 106):
        pytest.skip("this SDK does not call a key")

    async def async_key() -> str:
        return "fresh"

    key: Any = async_key if driver.is_async else lambda: "fresh"
    client = driver.client(others={"embeddings": other.client(api_key=key)})
    driver.run(client.embeddings.create(model="small", input="x"))
    assert other.requests[0].headers["authorization"] == "Bearer fresh"


def test_azures_client_keeps_its_urls_and_its_key(driver: Driver, other: OtherService) -> None:
    """Its deployments are in the path, its version in the query, its key in a header of its own."""
    plain = other.client()
    make: Any = openai.AsyncAzureOpenAI if driver.is_async else openai.AzureOpenAI
    azure = make(
        api_key="azure-key",
        azure_endpoint="https://mine.example",
        api_version="2024-10-21",
        http_client=plain._client,
    )
    client = driver.client(others={"embeddings": azure})
    driver.run(client.embeddings.create(model="small", input="x", extra_query={"a": "1"}))
    (request,) = other.requests
    assert request.url.path == "/openai/deployments/small/embeddings"
    assert dict(request.url.params) == {"api-version": "2024-10-21", "a": "1"}
    assert request.headers["api-key"] == "azure-key"


def test_a_client_of_the_wrong_kind_is_refused_when_the_client_is_made() -> None:
    """A sync client cannot answer an awaited call, and an async client cannot answer a sync one."""
    given: Any = {"api_key": SIMULATOR_API_KEY, "workspace_id": 7001}
    with pytest.raises(TessConfigurationError, match=r"openai\.AsyncOpenAI\(\.\.\.\)"):
        create_async_client(42, others={"embeddings": openai.OpenAI(api_key="x")}, **given)
    with pytest.raises(TessConfigurationError, match=r"openai\.OpenAI\(\.\.\.\)"):
        create_client(42, others={"embeddings": openai.AsyncOpenAI(api_key="x")}, **given)


@pytest.mark.parametrize(
    ("others", "message"),
    [
        (openai.OpenAI, "it must be a mapping"),
        ({"embedings": openai.OpenAI(api_key="x")}, "did you mean 'embeddings'"),
        ({"chat": openai.OpenAI(api_key="x")}, "others has 'chat', which Tess answers itself"),
        ({"embeddings": "sk-secret-of-mine"}, "is of type str"),
    ],
    ids=["no mapping", "misspelt", "Tess has it", "a key"],
)
def test_a_wrong_value_is_refused_without_repeating_it(others: Any, message: str) -> None:
    """It may be a key that was given in the place of a client."""
    with pytest.raises(TessConfigurationError, match=message) as caught:
        create_client(42, others=others, api_key=SIMULATOR_API_KEY, workspace_id=7001)
    assert "sk-secret" not in str(caught.value)


def test_a_connection_with_other_clients_is_not_pickled() -> None:
    """The other clients contain their keys."""
    made = connection(
        42, api_key=SIMULATOR_API_KEY, workspace_id=7001, others={"audio": openai.OpenAI(api_key="x")}
    )
    with pytest.raises(TessConfigurationError, match="not pickled"):
        pickle.dumps(made["http_client"])
    made["http_client"].close()


def test_bytes_of_json_are_the_callers_own(driver: Driver, other: OtherService) -> None:
    """Nothing is parsed and written again on the way."""
    client = driver.client(others={"embeddings": other.client()})
    body = b'{"input":  "x",\n "model":"\\u00e9"}'
    url = f"{driver.simulator.base_url}/agents/42/openai/embeddings"
    headers = {"content-type": "application/json", "authorization": f"Bearer {SIMULATOR_API_KEY}"}
    answer = driver.run(client._client.post(url, content=body, headers=headers))
    assert parse_json(answer.content) == EMBEDDING
    assert other.requests[0].content == body
