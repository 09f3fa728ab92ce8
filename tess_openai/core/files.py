"""OpenAI's `/files` on Tess's: uploads pass as they are, objects come back in OpenAI's shape.

Source: Tess docs, link-files: `POST /files` (multipart `file` and `process`), `GET /files`, `GET` and `DELETE
/files/{id}`, and the object `{"id", "object": "file", "bytes", "created_at", "filename", "credits",
"status"}` with `waiting`, `processing`, `completed`, `failed` (documented). That a part `purpose` beside the
file is ignored is assumed.
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Final
from urllib.parse import parse_qs

from tess_openai.core.calls import Answer, Call, Flow, Outgoing
from tess_openai.core.errors import TessError
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject, dump_json, to_object
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, json_headers
from tess_openai.core.replies import get, read_object, read_pages

FILES: Final = "/files"
_STATUSES: Final = {"completed": "processed", "failed": "error"}
"""All others are OpenAI's `uploaded`: not ready yet."""
_PURPOSE: Final = "assistants"
"""Tess has no purposes; of OpenAI's, the one that says a file is for an agent."""
_LIMIT: Final = 10_000


def files(call: Call, options: Options) -> Flow:
    """Answer `POST`, `GET` and `DELETE` below `/files`. The body of an upload is never read here."""
    number = call.path.removeprefix(FILES).strip("/")
    if call.method == "GET" and not number:
        yield from _list(call, options)
    elif call.method == "POST" and not number:
        headers = request_headers(call, options)
        yield from _one(Outgoing(headers=headers, path=FILES), options)
    elif call.method in ("GET", "DELETE") and number.isascii() and number.isdigit():
        yield from _one(_bare(call, f"{FILES}/{number}", options), options)
    else:
        yield _absent(call, number).to_answer()


def to_file(fields: JSONObject) -> JSONObject:
    """Return Tess's object in OpenAI's shape, with Tess's own beneath as `tess`."""
    size, name = fields.get("bytes"), fields.get("filename")
    status = fields.get("status")
    return {
        "id": str(fields.get("id", "")),
        "object": "file",
        "bytes": size if isinstance(size, int) else 0,
        "created_at": to_epoch(fields.get("created_at")),
        "filename": name if isinstance(name, str) else "",
        "purpose": _PURPOSE,
        "status": _STATUSES.get(status, "uploaded") if isinstance(status, str) else "uploaded",
        "tess": fields,
    }


def to_epoch(given: object) -> int:
    """Return a moment as seconds since the epoch; 0 when it is unknown. Without a zone it is UTC."""
    if isinstance(given, int) and not isinstance(given, bool):
        return given
    if not isinstance(given, str):
        return 0
    try:
        moment = datetime.fromisoformat(given.strip().replace("Z", "+00:00"))
    except ValueError:
        return 0
    return int((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).timestamp())


def _bare(call: Call, path: str, options: Options) -> Outgoing:
    plain = get(path, request_headers(call, options))
    return Outgoing(plain.body, plain.headers, call.method, path, "")


def _one(outgoing: Outgoing, options: Options) -> Flow:
    fields = yield from read_object(outgoing, options.max_retry_wait_seconds, asked="a file")
    if isinstance(fields, TessError):
        yield fields.to_answer()
        return
    if outgoing.method == "DELETE":
        number = (outgoing.path or "").rpartition("/")[2]
        answer: JSONObject = {"id": number, "object": "file", "deleted": True}
    else:
        inner = to_object(fields.get("data"))
        answer = to_file(fields if inner is None else inner)
    yield Answer(200, json_headers({}), dump_json(answer), base="none")


def _list(call: Call, options: Options) -> Flow:
    headers = request_headers(call, options)
    items = yield from read_pages(FILES, headers, options.max_retry_wait_seconds, asked="a list of files")
    if isinstance(items, TessError):
        yield items.to_answer()
        return
    query = {name: values[-1] for name, values in parse_qs(call.query).items()}
    found = sorted(map(to_file, items), key=_moment, reverse=query.get("order") != "asc")
    names = [item["id"] for item in found]
    after = query.get("after", "")
    start = names.index(after) + 1 if after in names else 0
    limit = query.get("limit", "")
    end = start + (int(limit) if limit.isdigit() else _LIMIT)
    page = found[start:end]
    answer = {
        "object": "list",
        "data": page,
        "first_id": page[0]["id"] if page else None,
        "last_id": page[-1]["id"] if page else None,
        "has_more": end < len(found),
    }
    yield Answer(200, json_headers({}), dump_json(answer), base="none")


def _moment(item: JSONObject) -> tuple[int, int]:
    number = item["id"]
    return item["created_at"], int(number) if number.isdigit() else 0


def _absent(call: Call, number: str) -> Refused:
    name = number.partition("/")[0]
    if "/" in number:
        why = "Tess does not give the content of a file back"
    elif name.isdigit():
        why = f"Tess has no {call.method} for a file"
    else:
        why = "files of Tess's have numbers, such as '389571', and this is none"
    return Refused(f"{why}. The request was not sent.", param=None, code="file_not_found", status=404)
