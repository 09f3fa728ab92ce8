"""The uploads of a chat one by one: which files are uploaded before the request, and which are not."""

from __future__ import annotations

import base64
import json
from typing import Any, Final

import pytest

from tess_openai.core.agents import Agent, Question
from tess_openai.core.calls import (
    Answer,
    Incoming,
    Outgoing,
    ReadAll,
    ReportChanges,
    Sleep,
    Upload,
    UploadedFile,
)
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.uploads import upload_file
from tests.unit.taken_steps import Driven, error_of

CHAT: Final = "/chat/completions"
AGENT: Final = Agent(id=42, questions=(Question(name="model", options=("tess-7",)),))
IMAGE: Final = {
    "type": "image_url",
    "image_url": {"url": f"data:image/png;base64,{base64.b64encode(b'image').decode()}"},
}
WITH_IMAGE: Final = [{"role": "user", "content": [{"type": "text", "text": "a"}, IMAGE]}]


@pytest.mark.parametrize("own", [False, True])
def test_a_file_is_uploaded_before_the_request(*, own: bool) -> None:
    """The client or the call asks for it; the request has its number."""
    options = Options(workspace_id="7001", attachments=None if own else "upload")
    fields = {"tess_openai": {"attachments": "upload"}} if own else {}
    driven = Driven(CHAT, options=options, messages=WITH_IMAGE, **fields)
    step = driven.next()
    assert isinstance(step, Upload)
    assert (step.data, step.media_type, step.headers) == (b"image", "image/png", {"x-workspace-id": "7001"})
    report = driven.next(UploadedFile(7))
    assert isinstance(report, ReportChanges)
    assert ("messages.content", "file 7") in [(change.param, change.sent) for change in report.changes]
    sent = driven.next()
    assert isinstance(sent, Outgoing)
    assert json.loads(sent.body or b"")["file_ids"] == [7]


def test_a_file_is_uploaded_for_a_request_that_is_emulated() -> None:
    """The emulation is tried before the upload is paid for."""
    options = Options(attachments="upload", policy=Policy("emulate"))
    driven = Driven(CHAT, options=options, messages=WITH_IMAGE, response_format={"type": "json_object"})
    assert isinstance(driven.next(), Upload)
    assert json.loads(driven.request(UploadedFile(7)).body or b"")["file_ids"] == [7]


def test_an_upload_that_fails_is_the_answer() -> None:
    """The request is not sent."""
    driven = Driven(CHAT, options=Options(attachments="upload"), messages=WITH_IMAGE)
    driven.next()
    assert driven.answer(Answer(413, {}, b"{}")) == Answer(413, {}, b"{}")
    with pytest.raises(StopIteration):
        driven.next()


@pytest.mark.parametrize(
    ("options", "fields", "param"),
    [
        (Options(attachments="upload", policy=Policy("error")), {"seed": 7}, "seed"),
        (Options(attachments="upload", agents={42: AGENT}), {}, "model"),
    ],
)
def test_nothing_is_uploaded_for_a_request_that_is_refused(options: Options, fields: Any, param: str) -> None:
    """An upload is paid for."""
    answer = Driven(CHAT, options=options, messages=WITH_IMAGE, **fields).answer()
    assert answer.status in (400, 404)
    assert error_of(answer)["param"] == param


@pytest.mark.parametrize(
    ("options", "messages"),
    [
        (Options(attachments="upload"), [{"role": "user", "content": "a"}]),
        (Options(attachments="upload", policy=Policy("warn", {"messages.content": "forward"})), WITH_IMAGE),
        (Options(), WITH_IMAGE),
    ],
    ids=["no file", "forwarded", "not asked for"],
)
def test_a_request_without_files_to_upload_is_sent_at_once(options: Options, messages: Any) -> None:
    """No step comes before it but the report."""
    driven = Driven(CHAT, options=options, messages=messages, metadata={"a": "b"})
    assert json.loads(driven.request().body or b"")["messages"][0]["role"] == "user"


def test_a_file_that_still_waits_after_it_was_to_be_processed_is_waited_for() -> None:
    """Tess is asked to process it once, and then for its state, with a wait before each request."""
    flow = upload_file(Upload("a" * 64, "a.txt", "text/plain", b"x", {}, 60.0))
    requests, waits = list[str](), 0
    step = next(flow)
    while not isinstance(step, Answer):
        event: Any = None
        if isinstance(step, Outgoing):
            requests.append(f"{step.method} {step.path}")
            event = Incoming(200, {"content-type": "application/json"})
        elif isinstance(step, ReadAll):
            event = b'{"id": 7, "object": "file", "status": "waiting"}'
        elif isinstance(step, Sleep):
            waits += 1
        step = flow.send(event)
    assert error_of(step)["code"] == "file_not_ready"
    assert requests[:3] == ["POST /files", "POST /files/7/process", "GET /files/7"]
    assert len(requests) - 2 == waits
    assert len(set(requests)) == 3
