"""Files in messages: uploaded once, waited for, named by their numbers."""

from __future__ import annotations

import asyncio
import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import openai
import pytest
from fault_server import Connection, Fault, serving
from raw_faults import closes, hangs

from tess_openai import changes_of
from tess_openai.core.jsons import to_list, to_object
from tess_openai.core.probe_profile import TessProfile
from tess_openai.testing import Profile, faults
from tess_openai.testing.simulated_files import read_form
from tess_openai.testing.wire import WireRequest

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

PIXEL = b"\x89PNG\r\n\x1a\n" + bytes(range(40))
IMAGE = f"data:image/png;base64,{base64.b64encode(PIXEL).decode()}"
TEXT = {"type": "text", "text": "What is this?"}
DATA = base64.b64encode(b"%PDF-1.4 hello").decode()
PARTS: dict[str, tuple[Any, bytes, str]] = {
    "image_url": ({"type": "image_url", "image_url": {"url": IMAGE, "detail": "low"}}, PIXEL, "image/png"),
    "bare image_url": ({"type": "image_url", "image_url": IMAGE}, PIXEL, "image/png"),
    "input_image": ({"type": "input_image", "image_url": IMAGE}, PIXEL, "image/png"),
    "input_audio": (
        {"type": "input_audio", "input_audio": {"data": DATA, "format": "mp3"}},
        b"%PDF-1.4 hello",
        "audio/mpeg",
    ),
    "file": (
        {
            "type": "file",
            "file": {"filename": 'a "b"\r\n.pdf', "file_data": f"data:application/pdf;base64,{DATA}"},
        },
        b"%PDF-1.4 hello",
        "application/pdf",
    ),
    "bare base64": (
        {"type": "file", "file": {"filename": "é.bin", "file_data": DATA}},
        b"%PDF-1.4 hello",
        "application/octet-stream",
    ),
    "without padding": (
        {"type": "file", "file": {"filename": "a.bin", "file_data": "data:;base64,/-9%20_QQ"}},
        b"\xff\xef\x7f\x41",
        "text/plain",
    ),
    "percent": (
        {"type": "file", "file": {"file_data": "data:text/plain,a%20b"}},
        b"a b",
        "text/plain",
    ),
}


def user(*parts: Any) -> list[Any]:
    """Return a message of the user with these parts."""
    return [{"role": "user", "content": list(parts)}]


def targets(driver: Driver) -> list[str]:
    """Return what was asked of Tess."""
    return [f"{each.method} {each.path}" for each in driver.simulator.requests]


def sent(driver: Driver, call: int = -1) -> dict[str, Any]:
    """Return the body of a chat."""
    return to_object(driver.simulator.calls[call].json) or {}


CHAT = "POST /agents/42/openai/chat/completions"


@pytest.mark.parametrize(("part", "data", "media_type"), PARTS.values(), ids=PARTS)
def test_a_file_is_uploaded_and_named(driver: Driver, part: Any, data: bytes, media_type: str) -> None:
    """Its bytes and type arrive, the chat is sent when it is processed, and the ledger names it."""
    answer = driver.ask(driver.client(attachments="upload"), messages=user(TEXT, part))
    posted = driver.simulator.requests[0]
    form = read_form(WireRequest(posted.method, posted.target, posted.headers, posted.body))
    assert form["file"][1] == data
    assert form["process"][1] == b"true"
    assert f"Content-Type: {media_type}\r\n".encode() in posted.body
    assert targets(driver) == ["POST /files", "GET /files/901", "GET /files/901", CHAT]
    assert sent(driver)["file_ids"] == [901]
    assert sent(driver)["messages"] == [{"role": "user", "content": "What is this?"}]
    assert "file 901" in [change.sent for change in changes_of(answer)]


def test_off_by_default_and_for_one_call(driver: Driver) -> None:
    """Without the option, a note is sent with a warning; a single call may set the option."""
    client = driver.client()
    with pytest.warns(UserWarning, match=r'attachments="upload"'):
        driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
    assert targets(driver) == [CHAT]
    options = {"tess_openai": {"attachments": "upload"}}
    driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]), extra_body=options)
    assert sent(driver)["file_ids"] == [901]


def test_equal_bytes_are_uploaded_once_for_the_life_of_the_client(driver: Driver, *, stream: bool) -> None:
    """This holds within a call, in the next call, and in a copy of the client."""
    client = driver.client(attachments="upload")
    image = PARTS["image_url"][0]
    driver.text(client, stream=stream, messages=user(image, TEXT, image))
    driver.text(client.with_options(timeout=30), stream=stream, messages=user(image))
    assert targets(driver).count("POST /files") == 1
    assert [sent(driver, call)["file_ids"] for call in (0, 1)] == [[901], [901]]
    assert sent(driver)["messages"] == [{"role": "user", "content": "See the attached files."}]


def test_calls_at_the_same_time_share_one_upload(driver: Driver) -> None:
    """The first call uploads the file, and the others wait for it."""
    client = driver.client(attachments="upload")
    fields: dict[str, Any] = {"model": "tess-6", "messages": user(TEXT, PARTS["image_url"][0])}

    async def gather() -> None:
        await asyncio.gather(*(client.chat.completions.create(**fields) for _ in range(6)))

    if driver.is_async:
        driver.run(gather())
    else:
        with ThreadPoolExecutor(6) as pool:
            list(pool.map(lambda _: client.chat.completions.create(**fields), range(6)))
    assert targets(driver).count("POST /files") == 1
    assert len(driver.simulator.calls) == 6


def test_a_file_that_waits_unprocessed_is_processed(driver: Driver) -> None:
    """Someone uploaded the same bytes and did not ask for it."""
    client = driver.client(attachments="upload")
    driver.run(client.files.create(file=("a.png", PIXEL), purpose="assistants"))
    driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
    assert "POST /files/901/process" in targets(driver)
    assert sent(driver)["file_ids"] == [901]


def test_a_refused_upload_is_an_error_before_the_chat(driver: Driver) -> None:
    """The error is Tess's own, no chat is paid for, and the next call tries again."""
    driver.simulator.profile = Profile(upload_limit_bytes=10)
    client = driver.client(attachments="upload")
    with pytest.raises(openai.APIStatusError, match="too large") as caught:
        driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
    assert caught.value.status_code == 413
    assert driver.simulator.calls == []
    driver.simulator.profile = Profile()
    driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
    assert len(driver.simulator.calls) == 1


def test_a_file_that_cannot_be_processed_is_an_error_before_the_chat(driver: Driver) -> None:
    """`failed` is final."""
    failed = {"id": 901, "object": "file", "status": "failed"}
    driver.simulator.fault(faults.answers(200, failed), on="any")
    with pytest.raises(openai.BadRequestError, match="could not process") as caught:
        driver.ask(driver.client(attachments="upload"), messages=user(TEXT, PARTS["image_url"][0]))
    assert (caught.value.param, caught.value.code) == ("messages.content", "file_failed")
    assert driver.simulator.calls == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"messages": user({"type": "input_audio", "input_audio": {"data": "-!"}})}, "invalid_attachment"),
        ({"messages": user(PARTS["image_url"][0]), "n": 2}, "unsupported_parameter"),
    ],
    ids=["no base64", "refused by the policy"],
)
def test_what_cannot_be_sent_is_not_uploaded(driver: Driver, fields: Any, code: str) -> None:
    """Processing may cost, so refusals come first."""
    error = driver.fails(driver.client(attachments="upload", unsupported={"n": "error"}), **fields)
    assert error.code == code
    assert driver.simulator.requests == []


def test_a_profile_that_refuses_file_ids_refuses_the_call(driver: Driver) -> None:
    """Nothing is uploaded."""
    profile = TessProfile(agent_id=42, made="2026-11-26", answers={"file_ids": "refused"})
    client = driver.client(attachments="upload", profile=profile)
    error = driver.fails(client, messages=user(TEXT, PARTS["image_url"][0]))
    assert (error.param, error.code) == ("file_ids", "proven_refused")
    assert driver.simulator.requests == []


def test_a_url_of_another_server_is_not_fetched(driver: Driver) -> None:
    """The caller gets the warning, as without the option."""
    image = {"type": "image_url", "image_url": {"url": "https://other.example/a.png"}}
    with pytest.warns(UserWarning, match="other URLs are not fetched"):
        driver.ask(driver.client(attachments="upload"), messages=user(TEXT, image))
    assert targets(driver) == [CHAT]


def test_emulation_takes_files_too(driver: Driver) -> None:
    """Each of its requests names them."""
    function = {"name": "f", "parameters": {"type": "object", "properties": {}}}
    client = driver.client(attachments="upload", emulate=True)
    tools = [{"type": "function", "function": function}]
    driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]), tools=tools)
    assert sent(driver)["file_ids"] == [901]


@pytest.mark.parametrize(
    "part",
    [
        {"type": "input_image", "image_url": IMAGE, "detail": "auto"},
        {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{DATA}"},
    ],
    ids=["image", "file"],
)
def test_the_responses_api_takes_files(driver: Driver, part: Any) -> None:
    """The compliance test of Open Responses sends an image as a data URL."""
    client = driver.client(attachments="upload")
    content = [{"type": "input_text", "text": "What do you see in this image?"}, part]
    message = {"type": "message", "role": "user", "content": content}
    made = driver.run(client.responses.create(model="tess-6", input=[message]))
    assert made.status == "completed"
    assert "What do you see" in made.output_text
    assert sent(driver)["file_ids"] == [901]


def test_nothing_of_the_callers_is_changed(driver: Driver) -> None:
    """Messages that are sent again hold the data as before."""
    messages = user(TEXT, PARTS["image_url"][0])
    before = repr(messages)
    driver.ask(driver.client(attachments="upload"), messages=messages)
    assert repr(messages) == before
    assert to_list(messages[0]["content"]) == [TEXT, PARTS["image_url"][0]]


def test_a_deleted_file_is_uploaded_again(driver: Driver) -> None:
    """The next chat names a file that is there, and not the number of the deleted one."""
    client = driver.client(attachments="upload")
    messages = user(TEXT, PARTS["image_url"][0])
    for _ in range(2):
        driver.text(client, messages=messages)
        sent = [to_object(each.json) or {} for each in driver.simulator.calls][-1]
        (number,) = to_list(sent["file_ids"]) or []
        assert driver.run(client.files.delete(str(number))).deleted
    uploads = [each for each in driver.simulator.requests if (each.method, each.path) == ("POST", "/files")]
    assert len(uploads) == 2


def answers(status: int, /, **fields: Any) -> Fault:
    """Answer with JSON."""

    def fault(connection: Connection) -> None:
        connection.answer(status, json.dumps(fields).encode(), "connection: close")
        connection.close()

    return fault


LOST: dict[str, Fault] = {
    "closes": closes,
    "never answers": hangs,
    "502": answers(502, message="Bad gateway."),
    "is no file": answers(200, hello="there"),
}


@pytest.mark.parametrize("fault", LOST.values(), ids=LOST)
def test_an_upload_whose_answer_is_lost_is_sent_once(driver: Driver, fault: Fault) -> None:
    """It may have been processed, which costs credits."""
    with serving(fault) as server:
        client = driver.client(attachments="upload", base_url=server.url, timeout=0.5, max_retries=2)
        with pytest.raises(openai.APIError):
            driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
        assert server.posts == 1


@pytest.mark.parametrize("status", [0, 429, 500, 502], ids=["closes", "429", "500", "502"])
def test_a_look_at_an_uploaded_file_is_repeated(driver: Driver, status: int) -> None:
    """The file is there; only the answer to what became of it is missing."""
    seen: list[str] = []

    def look(connection: Connection) -> None:
        seen.append("look")
        if len(seen) > 2:
            answers(200, id=5, status="completed")(connection)
        elif status:
            answers(status, message="Busy.")(connection)
        else:
            connection.close()

    with serving(answers(200, id=5, status="processing"), Connection.good, other=look) as server:
        client = driver.client(attachments="upload", base_url=server.url)
        driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
        assert (server.posts, len(seen)) == (2, 3)


def test_looks_that_fail_again_and_again_end_the_call(driver: Driver) -> None:
    """The caller gets the last error before the chat is paid for, and the file is not uploaded again."""
    busy = answers(503, message="Busy.")
    with serving(answers(200, id=5, status="processing"), other=busy) as server:
        client = driver.client(attachments="upload", base_url=server.url, max_retries=2)
        with pytest.raises(openai.InternalServerError, match="Busy"):
            driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
        assert server.posts == 1


def test_a_chat_that_was_refused_is_repeated_without_its_upload(driver: Driver) -> None:
    """The call was not executed, and the number of the file is known."""
    faults_in_turn = answers(200, id=5, status="completed"), answers(503, message="Busy."), Connection.good
    with serving(*faults_in_turn) as server:
        client = driver.client(attachments="upload", base_url=server.url, max_retries=2)
        driver.ask(client, messages=user(TEXT, PARTS["image_url"][0]))
        assert server.posts == 3
