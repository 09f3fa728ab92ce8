"""Files over the wire: OpenAI's calls on Tess's routes."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai.edge.families import family_of, load_family
from tess_openai.testing import Fault, Profile, TessSimulator, faults
from tess_openai.testing.wire import text_response

if TYPE_CHECKING:
    from tests.wire.conftest import Driver


def upload(driver: Driver, client: Any, data: bytes = b"hello", **fields: Any) -> Any:
    """Upload a file."""
    file = ("notes.txt", io.BytesIO(data))
    return driver.run(client.files.create(file=file, purpose="assistants", **fields))


def answers_bytes(status: int, body: str) -> Fault:
    """Answer with this status and this body, as it is."""
    return Fault(name="answers_bytes", instead=text_response(status, body, "application/json"))


def test_a_file_lives_through_the_sdk(driver: Driver) -> None:
    """It is created, retrieved, listed and deleted in OpenAI's shape, with Tess's own object in it."""
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


def test_processing_can_be_asked_for_later(driver: Driver) -> None:
    """A route of Tess's own, which the SDK has no name for."""
    client = driver.client()
    created = upload(driver, client)
    answer = driver.run(client.post(f"/files/{created.id}/process", cast_to=object))
    assert (answer["id"], answer["tess"]["status"]) == ("901", "processing")


def test_a_list_continues_after_a_file_that_was_deleted(driver: Driver) -> None:
    """A program that deletes files while paging gets each of the others once."""
    client = driver.client()
    for text in (b"one", b"two", b"three", b"four", b"five"):
        upload(driver, client, text)
    for order, cursor, rest in (
        ("asc", "902", ["903", "904", "905"]),
        ("desc", "904", ["903", "901"]),
        ("asc", "999", []),
    ):
        if cursor != "999":
            driver.run(client.files.delete(cursor))
        page = driver.run(client.files.list(order=order, after=cursor))
        assert [file.id for file in page.data] == rest


def test_a_list_is_cut_as_openai_cuts_it(driver: Driver) -> None:
    """The newest files come first, and `limit` and `after` select a page."""
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

    def note(request: Any) -> None:
        seen.append((hasattr(request, "_content"), file.tell()))

    inner = driver.new_http_client(library.name)
    transport = inner._transport
    name = "handle_async_request" if driver.is_async else "handle_request"
    given = getattr(transport, name)

    def watch(request: Any) -> Any:
        note(request)
        return given(request)

    setattr(transport, name, watch)
    client = driver.client(http_client=inner)
    created = driver.run(client.files.create(file=("big", file), purpose="assistants"))
    assert created.bytes == size
    assert seen == [(False, 0)]


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("file-abc", "must be its number in Tess"),
        ("901/content", "does not return the content"),
        ("901/parts", "no GET for this part"),
        ("file-abc/content", "must be its number in Tess"),
    ],
    ids=["another service's id", "its content", "a part of it", "content of another service's"],
)
def test_what_tess_does_not_have_is_not_asked_for(driver: Driver, number: str, words: str) -> None:
    """404 that says so, and no network."""
    with pytest.raises(openai.NotFoundError, match=words):
        driver.run(driver.client().get(f"/files/{number}", cast_to=object))
    assert driver.simulator.requests == []


def test_errors_are_openais(driver: Driver) -> None:
    """The cases are a missing file, one that is too large, and a web page instead of a file."""
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


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"message": "Unauthenticated."}, "error_in_200"),
        ({}, "not_an_answer"),
        ({"success": False}, "not_an_answer"),
        ({"id": None, "filename": "notes.txt"}, "not_an_answer"),
        ({"id": None, "error": "The disk is full"}, "error_in_200"),
        ({"data": None}, "not_an_answer"),
    ],
    ids=["a message", "nothing", "a flag", "no id", "an error", "no data"],
)
def test_what_is_no_file_is_an_error(driver: Driver, answer: object, code: str) -> None:
    """It is not returned as a file without an id, or as an empty list."""
    client = driver.client()
    upload(driver, client)
    driver.simulator.fault(faults.answers(200, answer), times=3, on="any")
    for call in (
        lambda: driver.run(client.files.retrieve("901")),
        lambda: upload(driver, client),
        lambda: driver.items(client.files.list()),
    ):
        with pytest.raises(openai.InternalServerError) as caught:
            call()
        assert caught.value.code == code


def test_a_list_of_files_is_no_file(driver: Driver) -> None:
    """An answer with a list is an error, even if the list has a single item."""
    client = driver.client()
    upload(driver, client)
    driver.simulator.fault(faults.answers(200, {"data": [{"id": 901}]}), on="any")
    with pytest.raises(openai.InternalServerError, match="not a file"):
        driver.run(client.files.retrieve("901"))


def test_a_file_that_failed_can_be_looked_at(driver: Driver) -> None:
    """Its error is the file's, not the answer's."""
    client = driver.client()
    upload(driver, client)
    failed = {"id": 901, "status": "failed", "error": "The page is empty"}
    driver.simulator.fault(faults.answers(200, failed), on="any")
    file = driver.run(client.files.retrieve("901"))
    assert (file.id, file.status, file.tess["error"]) == ("901", "error", "The page is empty")


@pytest.mark.parametrize(
    ("status", "body"),
    [(204, ""), (200, ""), (200, "[]"), (200, '{"message": "File deleted."}'), (202, '{"success": true}')],
    ids=["no content", "nothing", "an empty list", "a message", "a flag"],
)
def test_a_deletion_may_be_answered_with_little(driver: Driver, status: int, body: str) -> None:
    """It was done, and must not look as if it was not."""
    client = driver.client()
    upload(driver, client)
    driver.simulator.fault(answers_bytes(status, body), on="any")
    deleted = driver.run(client.files.delete("901"))
    assert (deleted.id, deleted.deleted) == ("901", True)


@pytest.mark.parametrize(
    "body",
    ['{"error": "in use"}', '{"success": false, "message": "in use"}', '{"deleted": false}', "<html>Login"],
    ids=["an error", "a flag", "its own word", "a page"],
)
def test_a_deletion_that_was_not_done_is_an_error(driver: Driver, body: str) -> None:
    """The body decides, whatever the status is."""
    client = driver.client()
    upload(driver, client)
    driver.simulator.fault(answers_bytes(200, body), on="any")
    with pytest.raises(openai.InternalServerError):
        driver.run(client.files.delete("901"))


def test_a_missing_file_is_no_missing_agent(driver: Driver) -> None:
    """Its code and its words are about files; so are those of a route that is not there."""
    client = driver.client()
    for call in (client.files.retrieve, client.files.delete):
        with pytest.raises(openai.NotFoundError) as missing:
            driver.run(call("7"))
        assert missing.value.code == "file_not_found"
        assert "agent" not in str(missing.value)
    driver.simulator.fault(faults.answers(404, {"message": "Not found."}), on="any")
    with pytest.raises(openai.NotFoundError, match="base_url=") as caught:
        driver.items(client.files.list())
    assert caught.value.code == "http_404"
    assert "agent" not in str(caught.value)


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
