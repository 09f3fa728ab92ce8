"""Files over the wire: OpenAI's calls on Tess's routes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai.edge.families import family_of, load_family
from tess_openai.testing import Profile, TessSimulator, faults

if TYPE_CHECKING:
    from tests.wire.conftest import Driver


def upload(driver: Driver, client: Any, data: bytes = b"hello", **fields: Any) -> Any:  # noqa: ANN401
    """Upload a file."""
    file = ("notes.txt", io.BytesIO(data))
    return driver.run(client.files.create(file=file, purpose="assistants", **fields))


def test_a_file_lives_through_the_sdk(driver: Driver) -> None:
    """Created, looked at, listed, deleted, in OpenAI's shape, with Tess's own beneath."""
    client = driver.client()
    created = upload(driver, client)
    assert (created.id, created.object, created.bytes, created.filename) == ("901", "file", 5, "notes.txt")
    assert (created.status, created.purpose) == ("uploaded", "assistants")
    assert created.created_at == 1_767_225_600
    assert created.tess["status"] == "waiting"
    assert driver.run(client.files.retrieve("901")) == created
    assert driver.items(client.files.list()) == [created]
    deleted = driver.run(client.files.delete("901"))
    assert (deleted.id, deleted.deleted) == ("901", True)
    assert driver.items(client.files.list()) == []
    assert [f"{each.method} {each.target}" for each in driver.simulator.requests] == [
        "POST /files",
        "GET /files/901",
        "GET /files?page=1&per_page=100",
        "DELETE /files/901",
        "GET /files?page=1&per_page=100",
    ]


def test_a_processed_file_is_waited_for(driver: Driver) -> None:
    """`process` is a field of Tess's; the SDK's own waiting understands the states."""
    client = driver.client()
    created = upload(driver, client, extra_body={"process": "true"})
    assert created.tess["status"] == "processing"
    driver.run(client.files.retrieve(created.id))
    done = driver.run(client.files.wait_for_processing(created.id, poll_interval=0.01))
    assert done.status == "processed"


def test_a_list_is_cut_as_openai_cuts_it(driver: Driver) -> None:
    """Newest first, by `limit` and `after`."""
    client = driver.client()
    for text in (b"one", b"two", b"three"):
        upload(driver, client, text)
    first = driver.run(client.files.list(limit=2, order="asc"))
    assert [file.id for file in first.data] == ["901", "902"]
    assert first.has_more
    rest = driver.run(client.files.list(limit=2, order="asc", after="902"))
    assert [file.id for file in rest.data] == ["903"]
    assert not rest.has_more
    assert [file.id for file in driver.items(client.files.list(limit=1))] == ["903", "902", "901"]


def test_an_upload_is_passed_on_piece_by_piece(driver: Driver) -> None:
    """A file larger than memory must pass."""
    size = 4 * 1024 * 1024
    file = io.BytesIO(b"x" * size)
    kind = driver.client()._client
    library = load_family(family_of(kind) or "httpx")
    seen: list[tuple[bool, int]] = []

    def note(request: Any) -> None:  # noqa: ANN401
        seen.append((hasattr(request, "_content"), file.tell()))

    inner = driver.new_http_client(library.name)
    transport = inner._transport
    name = "handle_async_request" if driver.is_async else "handle_request"
    given = getattr(transport, name)

    def watch(request: Any) -> Any:  # noqa: ANN401
        note(request)
        return given(request)

    setattr(transport, name, watch)
    client = driver.client(http_client=inner)
    created = driver.run(client.files.create(file=("big", file), purpose="assistants"))
    assert created.bytes == size
    assert seen == [(False, 0)]


@pytest.mark.parametrize(
    ("number", "words"),
    [("file-abc", "have numbers"), ("901/content", "does not give the content")],
    ids=["another service's id", "its content"],
)
def test_what_tess_does_not_have_is_not_asked_for(driver: Driver, number: str, words: str) -> None:
    """404 that says so, and no network."""
    with pytest.raises(openai.NotFoundError, match=words):
        driver.run(driver.client().get(f"/files/{number}", cast_to=object))
    assert driver.simulator.requests == []


def test_errors_are_openais(driver: Driver) -> None:
    """Not found, too large, a page instead of a file."""
    client = driver.client()
    with pytest.raises(openai.NotFoundError):
        driver.run(client.files.retrieve("7"))
    with pytest.raises(openai.NotFoundError):
        driver.run(client.files.delete("7"))
    driver.simulator.fault(faults.login_page(), on="any")
    with pytest.raises(openai.InternalServerError, match="HTML"):
        driver.items(client.files.list())
    profile = Profile(upload_limit_bytes=3)
    with TessSimulator(profile=profile) as simulator, simulator.serve() as server:
        with pytest.raises(openai.APIStatusError) as caught:
            upload(driver, driver.client(base_url=server.base_url))
        assert caught.value.status_code == 413


def test_a_file_in_a_message_goes_beside_it(driver: Driver, *, stream: bool) -> None:
    """The part names it as OpenAI does, Tess gets its number."""
    parts = [{"type": "text", "text": "hello"}, {"type": "file", "file": {"file_id": "389571"}}]
    driver.text(driver.client(), stream=stream, messages=[{"role": "user", "content": parts}])
    body: Any = driver.simulator.calls[0].json
    assert body["file_ids"] == [389571]
    assert body["messages"] == [{"role": "user", "content": "hello"}]


def test_root_id_and_file_ids_pass_as_they_are(driver: Driver) -> None:
    """They are Tess's own fields."""
    driver.ask(driver.client(), extra_body={"root_id": 7, "file_ids": [1, 2]})
    body: Any = driver.simulator.calls[0].json
    assert (body["root_id"], body["file_ids"]) == (7, [1, 2])
