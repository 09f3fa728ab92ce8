"""The routes below `/files`: upload, list, get, process and delete.

Source: routes, fields and states are documented; the limit, and that equal bytes get the same id, are
observed; statuses of success, the envelope of the list and the texts of the errors are assumed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Literal, TypeAlias

from tess_openai.core.jsons import JSONObject
from tess_openai.testing import error_responses
from tess_openai.testing.simulator_profile import Profile
from tess_openai.testing.simulator_routes import Route
from tess_openai.testing.wire import WireRequest, WireResponse, json_response

FileStatus: TypeAlias = Literal["waiting", "processing", "completed", "failed"]

EPOCH_OF_FILES = "2026-01-01T00:00:00.000000Z"


@dataclass(slots=True)
class StoredFile:
    """One uploaded file of a workspace."""

    id: int
    workspace_id: int
    filename: str
    data: bytes = field(repr=False)
    status: FileStatus

    def to_json(self) -> JSONObject:
        """Return the documented object."""
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.data),
            "created_at": EPOCH_OF_FILES,
            "filename": self.filename,
            "credits": 0,
            "status": self.status,
        }


@dataclass(slots=True)
class FileShelf:
    """The files of all workspaces, by id."""

    files: dict[int, StoredFile] = field(default_factory=dict[int, StoredFile])

    def answer(self, route: Route, request: WireRequest, workspace_id: int, profile: Profile) -> WireResponse:
        """Answer one of the routes below `/files`."""
        if route.name == "upload file":
            return self._upload(request, workspace_id, profile)
        if route.name == "list files":
            own = [each.to_json() for each in self.files.values() if each.workspace_id == workspace_id]
            return json_response(200, {"data": own})
        stored = self.files.get(route.number)
        if stored is None or stored.workspace_id != workspace_id:
            return error_responses.worded(404, "File not found.", profile)
        if route.name == "delete file":
            del self.files[stored.id]
            return json_response(200, {"id": stored.id, "object": "file", "deleted": True})
        if route.name == "process file":
            stored.status = "processing"
            return json_response(200, stored.to_json())
        answer = json_response(200, stored.to_json())
        if stored.status == "processing":
            stored.status = "completed"  # the next request finds it completed
        return answer

    def _upload(self, request: WireRequest, workspace_id: int, profile: Profile) -> WireResponse:
        parts = read_form(request)
        if "file" not in parts:
            return error_responses.invalid([("file", "The file field is required.")], profile)
        filename, data = parts["file"]
        limit = profile.upload_limit_bytes
        if limit is not None and len(data) > limit:
            return error_responses.worded(413, "The file is too large.", profile)
        same = [
            each for each in self.files.values() if each.workspace_id == workspace_id and each.data == data
        ]
        if same:
            return json_response(200, same[0].to_json())
        is_processed = parts.get("process", ("", b""))[1] in {b"true", b"1"}
        file_id = max(self.files, default=900) + 1
        status: FileStatus = "processing" if is_processed else "waiting"
        stored = StoredFile(file_id, workspace_id, filename, data, status)
        self.files[stored.id] = stored
        return json_response(201, stored.to_json())


def read_form(request: WireRequest) -> dict[str, tuple[str, bytes]]:
    """Return the filename and the bytes of each part of a multipart form, by name; `{}` for another body."""
    content_type = request.headers.get("content-type", "")
    if not content_type.startswith("multipart/form-data"):
        return {}
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1")
    form = BytesParser(policy=HTTP).parsebytes(head + request.body)
    if not form.is_multipart():
        return {}
    parts: dict[str, tuple[str, bytes]] = {}
    for part in form.iter_parts():
        name = part.get_param("name", header="content-disposition")
        data = part.get_payload(decode=True)
        if isinstance(name, str) and isinstance(data, bytes):
            parts[name] = (part.get_filename() or "", data)
    return parts
