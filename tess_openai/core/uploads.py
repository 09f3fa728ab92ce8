"""Upload the files in the messages of a chat: `attachments="upload"`.

Each data URL or base64 text is uploaded to Tess, once for equal bytes, and replaced by the number of the file
when Tess has processed it. URLs of other servers are not fetched.

Source: routes and states as in `core/files.py` (documented); two public integrations of Tess upload such
parts, cache them by SHA-256 and wait for `completed` (observed, for `/execute`).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote_to_bytes

from tess_openai.core.calls import Answer, Call, Event, Flow, Outgoing, Sleep, Step, Upload, UploadedFile
from tess_openai.core.changes import Change
from tess_openai.core.errors import TessError
from tess_openai.core.fetching import get, read_object
from tess_openai.core.files import FILES_PATH, file_in, id_of
from tess_openai.core.flow_steps import upload
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused

_EXTENSIONS: Final = {
    "application/json": "json",
    "application/pdf": "pdf",
    "audio/mpeg": "mp3",
    "audio/wav": "wav",
    "image/jpeg": "jpg",
    "image/svg+xml": "svg",
    "text/markdown": "md",
    "text/plain": "txt",
}
"""Media type -> the extension of a file's name; for all others, it is the second part of the media type."""
_KINDS: Final = {  # type of a content part -> the word for its file in messages
    "image_url": "image",
    "input_image": "image",
    "input_audio": "audio",
    "file": "file",
    "input_file": "file",
}
_DATA_URL: Final = re.compile(r"data:([^;,]*)((?:;[^;,]*)*),", re.IGNORECASE)
_URL_SAFE_TO_STANDARD: Final = bytes.maketrans(b"-_", b"+/")
_MAX_WAITS: Final = 200  # further requests for a file until it is processed, without failed ones
_MAX_FAILURES: Final = 5
"""How many requests for the state of a file may fail one after another."""
_FIRST_WAIT_SECONDS: Final = 0.25
_LONGEST_WAIT_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class _Attachment:
    """One part of a message that contains a file."""

    kind: str
    data: bytes = field(repr=False)
    media_type: str
    filename: str = field(repr=False)

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class UploadedRequest:
    """A chat request whose files are named by their numbers.

    Attributes:
        fields: The request; the caller's own object where it has no files.
        changes: One for each uploaded file.
    """

    fields: JSONObject = field(repr=False)
    changes: tuple[Change, ...] = ()


def with_placeholders(given: JSONObject) -> JSONObject:
    """Return the request as after an upload, to check it before one is paid for; `given` without files.

    Raises:
        Refused: A file cannot be read.
    """
    return _replace(given, {each.digest: 1 for each in _attachments(given)})


def upload_attachments(
    given: JSONObject, call: Call, options: Options
) -> Generator[Step, Event, UploadedRequest | Answer]:
    """Upload the files in the messages of a request.

    Returns:
        The request with their numbers; or the error answer for the caller, when an upload failed.
    """
    numbers: dict[str, int] = {}
    changes: list[Change] = []
    for each in _attachments(given):
        if each.digest in numbers:
            continue
        headers = request_headers(call, options)
        wait = options.max_retry_wait_seconds
        step = Upload(each.digest, each.filename, each.media_type, each.data, headers, wait)
        found = yield from upload(step)
        if not isinstance(found, UploadedFile):
            return found
        numbers[each.digest] = found.number
        size = f"{each.kind}, {len(each.data)} bytes"
        why = 'attachments="upload": Tess takes files by their numbers'
        changes.append(
            Change(
                action="mapped", param="messages.content", given=size, sent=f"file {found.number}", why=why
            )
        )
    return UploadedRequest(_replace(given, numbers), tuple(changes))


def upload_file(step: Upload) -> Flow:
    """Carry out one upload; yield an `UploadedFile`, or the answer that the caller gets instead.

    A request for the state that fails is repeated, since the file was received; its upload is not.
    """
    form, content_type = _to_form(step)
    outgoing = Outgoing(form, {**step.headers, "content-type": content_type}, "POST", FILES_PATH, "")
    waits = failures = 0
    is_processed = False
    while True:
        found = yield from _read_file(outgoing, step, may_fail=failures < _MAX_FAILURES)
        if isinstance(found, TessError):
            yield found.to_answer()
            return
        if found is None:
            yield Sleep(_wait_seconds(failures))
            failures += 1
            continue
        failures = 0
        file = file_in(found)
        number, status = _number_of(file), file.get("status")
        if number is not None and status == "completed":
            yield UploadedFile(number)
            return
        if status == "failed" or file.get("error"):
            yield _refused("Tess could not process the file", "file_failed").to_answer()
            return
        if waits == _MAX_WAITS:
            yield _refused("Tess is still processing the file", "file_not_ready").to_answer()
            return
        # An earlier upload of the same bytes may not have been processed; that is requested once.
        if status == "waiting" and not is_processed:
            is_processed = True
            outgoing = Outgoing(
                b"", {**step.headers, "content-type": None}, "POST", f"{FILES_PATH}/{number}/process", ""
            )
        else:
            yield Sleep(_wait_seconds(waits))
            outgoing = get(f"{FILES_PATH}/{number}", step.headers)
        waits += 1


def _read_file(
    outgoing: Outgoing, step: Upload, *, may_fail: bool
) -> Generator[Step, Event, JSONObject | TessError | None]:
    """Return Tess's description of the file; None when a request for it failed and may be repeated."""
    may_fail = may_fail and outgoing.method == "GET"
    try:
        found = yield from read_object(
            outgoing,
            step.max_retry_wait_seconds,
            expected="a file",
            is_expected=lambda fields: _number_of(file_in(fields)) is not None,
        )
    except ConnectionError:
        if may_fail:
            return None
        raise
    is_temporary = isinstance(found, TessError) and (found.status in (408, 429) or found.status >= 500)
    return None if is_temporary and may_fail else found


def _wait_seconds(waits: int) -> float:
    return min(_LONGEST_WAIT_SECONDS, _FIRST_WAIT_SECONDS * 1.5**waits)


def upload_failed() -> Answer:
    """Return the answer to a call whose upload ended without a result."""
    return _refused("the upload of a file ended without a result", "file_failed").to_answer()


def _refused(why: str, code: str) -> Refused:
    return Refused(f"{why}; the chat was not sent.", param="messages.content", code=code)


def _attachments(given: JSONObject) -> list[_Attachment]:
    return [
        found
        for message in to_list(given.get("messages")) or []
        for part in to_list((to_object(message) or {}).get("content")) or []
        if (found := _attachment_in(part)) is not None
    ]


def _replace(given: JSONObject, numbers: dict[str, int]) -> JSONObject:
    """Return the request with a number in the place of each file."""
    if not numbers:
        return given
    messages = [_replace_in_message(message, numbers) for message in to_list(given.get("messages")) or []]
    return {**given, "messages": messages}


def _replace_in_message(given: object, numbers: dict[str, int]) -> object:
    message = to_object(given)
    parts = None if message is None else to_list(message.get("content"))
    if message is None or parts is None:
        return given
    named: list[object] = []
    for part in parts:
        found = _attachment_in(part)
        number = None if found is None else numbers[found.digest]
        named.append(part if number is None else {"type": "file", "file": {"file_id": str(number)}})
    return {**message, "content": named}


def _attachment_in(given: object) -> _Attachment | None:
    """Return the file in a part of a message; None for a part without one, or with the URL of another server.

    Raises:
        Refused: Its data cannot be decoded.
    """
    part = to_object(given) or {}
    type_ = part.get("type")
    kind = _KINDS.get(type_) if isinstance(type_, str) else None
    if kind is None or not isinstance(type_, str):
        return None
    inner = to_object(part.get(type_)) or part
    if kind == "audio":
        data, format_ = inner.get("data"), inner.get("format")
        media_type = f"audio/{format_ if isinstance(format_, str) else 'wav'}"
        media_type = "audio/mpeg" if media_type == "audio/mp3" else media_type
        return _decode(kind, data, media_type, None)
    if kind == "image":
        url = inner.get("url", inner.get("image_url", part.get("image_url")))
        is_data = isinstance(url, str) and _DATA_URL.match(url) is not None
        return _decode(kind, url, "image/png", None) if is_data else None
    return _decode(kind, inner.get("file_data"), "application/octet-stream", inner.get("filename"))


def _decode(kind: str, given: object, media_type: str, filename: object) -> _Attachment | None:
    """Return the file in a data URL, or in base64 with the given media type; None when there is none."""
    if not isinstance(given, str) or not given:
        return None
    head = _DATA_URL.match(given)
    if head is not None:
        media_type = head[1].strip().lower() or "text/plain"
    is_base64 = head is None or ";base64" in head[2].lower()
    try:
        text = given.encode() if head is None else unquote_to_bytes(given[head.end() :])
        data = _from_base64(text) if is_base64 else text
    except (binascii.Error, ValueError):
        raise Refused(
            f"the data of the {kind} in messages is not base64, so it cannot be uploaded; nothing was sent.",
            param="messages.content",
            code="invalid_attachment",
        ) from None
    if re.fullmatch(r"[\w.+-]+/[\w.+-]+", media_type, re.ASCII) is None:
        media_type = "application/octet-stream"
    if not isinstance(filename, str) or not filename.strip():
        ending = _EXTENSIONS.get(media_type, media_type.partition("/")[2])
        filename = (
            f"{kind}-{hashlib.sha256(data).hexdigest()[:12]}.{'bin' if ending == 'octet-stream' else ending}"
        )
    return _Attachment(kind, data, media_type, filename)


def _from_base64(text: bytes) -> bytes:
    """Decode standard or URL-safe base64; as in browsers, white space and missing padding are accepted."""
    text = b"".join(text.split()).rstrip(b"=").translate(_URL_SAFE_TO_STANDARD)
    return base64.b64decode(text + b"=" * (-len(text) % 4), validate=True)


def _to_form(step: Upload) -> tuple[bytes, str]:
    """Return the body of a multipart form with the file, and its content type.

    Source: RFC 7578; the HTML standard for special characters in the name of the file.
    """
    boundary = f"tess-openai-{step.digest[:40]}"
    name = step.filename.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="process"\r\n\r\ntrue\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        f"Content-Type: {step.media_type}\r\n\r\n"
    )
    form = head.encode(errors="replace") + step.data + f"\r\n--{boundary}--\r\n".encode()
    return form, f"multipart/form-data; boundary={boundary}"


def _number_of(file: JSONObject) -> int | None:
    text = id_of(file)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 18 else None
