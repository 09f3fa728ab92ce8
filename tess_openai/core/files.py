"""Map OpenAI's `/files` to that of Tess: uploads are sent unchanged, answers get OpenAI's shape.

Source: Tess docs, link-files: `POST /files` (multipart `file` and `process`), `GET /files`, `GET` and `DELETE
/files/{id}`, `POST /files/{id}/process`, and the object `{"id", "object": "file", "bytes", "created_at",
"filename", "credits", "status"}` with `waiting`, `processing`, `completed`, `failed` (documented). That Tess
ignores the part `purpose` of an upload is assumed, and so is the shape of the answer to a `DELETE`.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Final
from urllib.parse import parse_qs

from tess_openai.core.calls import Answer, Call, Flow, Outgoing
from tess_openai.core.errors import TessError
from tess_openai.core.fetching import get, has_no_error, read_object, read_pages
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject, dump_json, to_object
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, json_headers

FILES_PATH: Final = "/files"
_STATUSES: Final = {"completed": "processed", "failed": "error"}
"""Tess's state of a file -> OpenAI's. All others become `error` if the file has one, or else `uploaded`."""
_PURPOSE: Final = "assistants"
"""OpenAI's purpose for files that an agent reads; Tess has no purposes."""
_MAX_DIGITS: Final = 18
_DEFAULT_LIMIT: Final = 10_000
_ROOT_HINT: Final = "Check that TESS_BASE_URL or base_url= is the API's root, https://api.tess.im."


def files(call: Call, options: Options) -> Flow:
    """Answer `POST`, `GET` and `DELETE` below `/files`. The body of an upload is never read here."""
    name = call.path.removeprefix(FILES_PATH).strip("/")
    number, _, part = name.partition("/")
    if not name and call.method == "GET":
        yield from _list_files(call, options)
    elif not name and call.method == "POST":
        upload = Outgoing(headers=request_headers(call, options), path=FILES_PATH)
        yield from _answer_with_file(upload, options, _ROOT_HINT)
    elif not _is_number(number):
        yield _not_found("The id of a file must be its number in Tess, such as '389571'").to_answer()
    elif (call.method, part) in (("GET", ""), ("POST", "process")):
        yield from _answer_with_file(_without_body(call, f"{FILES_PATH}/{name}", options), options)
    elif (call.method, part) == ("DELETE", ""):
        yield from _delete(_without_body(call, f"{FILES_PATH}/{number}", options), number, options)
    elif part == "content":
        yield _not_found("Tess does not return the content of a file").to_answer()
    else:
        yield _not_found(f"Tess has no {call.method} for {'this part of ' if part else ''}a file").to_answer()


def to_file(fields: JSONObject) -> JSONObject:
    """Return Tess's file object in OpenAI's shape, with the original as `tess`."""
    size, name = fields.get("bytes"), fields.get("filename")
    status = fields.get("status")
    default = "uploaded" if has_no_error(fields) else "error"
    return {
        "id": id_of(fields),
        "object": "file",
        "bytes": size if isinstance(size, int) else 0,
        "created_at": to_epoch(fields.get("created_at")),
        "filename": name if isinstance(name, str) else "",
        "purpose": _PURPOSE,
        "status": _STATUSES.get(status, default) if isinstance(status, str) else default,
        "tess": fields,
    }


def to_epoch(given: object) -> int:
    """Return a time as seconds since the epoch; 0 when it is unknown. A time without a zone is UTC."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if not isinstance(given, str):
        return 0
    try:
        moment = datetime.fromisoformat(given.strip().replace("Z", "+00:00"))
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())


def _without_body(call: Call, path: str, options: Options) -> Outgoing:
    """Return a request with the method of the caller's request, and with no body and no query."""
    plain = get(path, request_headers(call, options))
    return Outgoing(plain.body, plain.headers, call.method, path, "")


def _answer_with_file(outgoing: Outgoing, options: Options, hint: str = "") -> Flow:
    """Answer with one file. A file that Tess could not process contains an error, but is a file too."""
    fields = yield from read_object(
        outgoing,
        options.max_retry_wait_seconds,
        expected="a file",
        is_expected=lambda fields: bool(id_of(file_in(fields))),
    )
    if isinstance(fields, TessError):
        yield _with_file_code(fields, hint).to_answer()
    else:
        yield _ok(to_file(file_in(fields)))


def _delete(outgoing: Outgoing, number: str, options: Options) -> Flow:
    """Delete a file. The deletion succeeded unless Tess reports a failure; its answer may be empty."""
    fields = yield from read_object(
        outgoing, options.max_retry_wait_seconds, expected="a deletion", is_expected=_is_done, blank={}
    )
    if isinstance(fields, TessError):
        yield _with_file_code(fields).to_answer()
    else:
        yield _ok({"id": number, "object": "file", "deleted": True})


def _is_done(fields: JSONObject) -> bool:
    return has_no_error(fields) and fields.get("success") is not False and fields.get("deleted") is not False


def _with_file_code(error: TessError, hint: str = "") -> TessError:
    """Return an error of a file route; a 404 gets the code `file_not_found`, or the hint and `http_404`."""
    if error.code != "not_found":
        return error
    return replace(error, code="http_404" if hint else "file_not_found", hint=hint)


def _ok(answer: JSONObject) -> Answer:
    return Answer(200, json_headers({}), dump_json(answer), base="none")


def _list_files(call: Call, options: Options) -> Flow:
    headers = request_headers(call, options)
    items = yield from read_pages(
        FILES_PATH, headers, options.max_retry_wait_seconds, expected="a list of files"
    )
    if isinstance(items, TessError):
        yield _with_file_code(items, _ROOT_HINT).to_answer()
        return
    query = {name: values[-1] for name, values in parse_qs(call.query).items()}
    is_descending = query.get("order") != "asc"
    known = [file for item in items if (file := to_file(item))["id"]]
    found = sorted(known, key=_sort_key, reverse=is_descending)
    start = _page_start(found, query.get("after", ""), is_descending=is_descending)
    limit = query.get("limit", "")
    end = start + (int(limit) if _is_number(limit) else _DEFAULT_LIMIT)
    page = found[start:end]
    answer = {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": end < len(found),
    }
    yield _ok(answer)


def _page_start(found: list[JSONObject], after: str, *, is_descending: bool) -> int:
    """Return the index where the page after the file `after` begins; 0 if it is neither found nor a number.

    If that file was deleted in the meantime, its number shows its place, since numbers grow with time.
    """
    for index, item in enumerate(found):
        if item["id"] == after:
            return index + 1
    if not _is_number(after):
        return 0
    passed = [item for item in found if (_number_of(item) >= int(after)) is is_descending]
    return len(passed)


def _sort_key(item: JSONObject) -> tuple[int, int]:
    return item["created_at"], _number_of(item)


def _number_of(item: JSONObject) -> int:
    number: str = item["id"]
    return int(number) if _is_number(number) else 0


def _is_number(text: str) -> bool:
    """Whether a text is a number of a length that Python converts."""
    return text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS


def file_in(fields: JSONObject) -> JSONObject:
    """Return the file in an answer, which is the file itself or `{"data": {...}}`."""
    return fields if "id" in fields else to_object(fields.get("data")) or {}


def id_of(fields: JSONObject) -> str:
    """Return the id of a file, usually a number; `""` when there is none."""
    given = fields.get("id")
    if isinstance(given, int) and not isinstance(given, bool):
        return str(given)
    return given.strip() if isinstance(given, str) else ""


def _not_found(why: str) -> Refused:
    return Refused(f"{why}. The request was not sent.", param=None, code="file_not_found", status=404)
