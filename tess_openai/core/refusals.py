"""Refusals: error answers in OpenAI's format that the adapter makes itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tess_openai.core.calls import Answer, Flow
from tess_openai.core.jsons import JSONObject, dump_json

NO_RETRY: Final = {"x-should-retry": "false"}
"""The header of an answer that the SDK must not retry."""


class Refused(Exception):  # noqa: N818 - control flow inside the core; users never see it
    """Raised inside the core, or returned to a flow, to end a call; the flow answers with `to_answer()`."""

    def __init__(self, message: str, *, param: str | None, code: str, status: int = 400) -> None:
        super().__init__(message)
        self.message = message
        self.param = param
        self.code = code
        self.status = status

    def to_json(self) -> JSONObject:
        """Return OpenAI's error body."""
        return error_envelope(self.message, type_=error_type(self.status), param=self.param, code=self.code)

    def to_answer(self) -> Answer:
        """Return the answer that the SDK raises as `BadRequestError`, `NotFoundError`, ..."""
        return Answer(self.status, json_headers(NO_RETRY), dump_json(self.to_json()), base="none")


def refuse(refused: Refused) -> Flow:
    """Yield a refusal as the answer."""
    yield refused.to_answer()


def redirected_outside() -> Refused:
    """Return the refusal of a request that follows a redirect to outside the API."""
    return Refused(
        "Tess answered with a redirect that leads outside its API; nothing was sent there. Check the base "
        "URL, and whether a proxy or a login page answers in Tess's place.",
        param=None,
        code="redirected",
        status=502,
    )


def error_type(status: int) -> str:
    """Return the type that OpenAI's errors of a status have."""
    if status == 401:
        return "authentication_error"
    if status == 429:
        return "rate_limit_error"
    return "server_error" if status >= 500 else "invalid_request_error"


def error_envelope(
    message: str, *, type_: str, param: str | None, code: str | None, tess: object = None
) -> JSONObject:
    """Return OpenAI's error body `{"error": {"message", "type", "param", "code"}}`.

    `tess`, Tess's own body if there is one, is added as `error.tess`; the SDK shows it as
    `exception.body["tess"]`.
    """
    error: JSONObject = {"message": message, "type": type_, "param": param, "code": code}
    if tess is not None:
        error["tess"] = tess
    return {"error": error}


def json_headers(more: Mapping[str, str | None]) -> dict[str, str | None]:
    """Return the headers of a JSON body with `more` added."""
    return {"content-type": "application/json", **more}
