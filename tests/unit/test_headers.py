"""What no header may carry, and what the caller reads about it."""

from __future__ import annotations

import pytest

from tess_openai.core.headers import (
    WORKSPACE_HEADER,
    is_openai_key,
    is_sendable,
    key_of_another_service,
    unsendable_header,
)
from tess_openai.core.refusals import Refused, redirected_outside


@pytest.mark.parametrize("value", ["", "7001", "Bearer 123|abc", " ~"])
def test_a_printable_ascii_value_can_be_sent(value: str) -> None:
    """This is what a header of HTTP can carry."""
    assert is_sendable(value)


@pytest.mark.parametrize(
    "value", ["7001\n", "7001\r\nx: y", "a\tb", "\x00", "\x7f", "é", "\u2028", "123\xa0"]
)
def test_a_value_with_any_other_character_cannot_be_sent(value: str) -> None:
    """A line break would end the header, and the http client would log the key before it."""
    assert not is_sendable(value)


@pytest.mark.parametrize("value", ["Bearer sk-proj-1", "bearer SK-1"])
def test_an_openai_key_is_recognised(value: str) -> None:
    """It must never be sent to Tess; HTTP ignores the case of the scheme."""
    assert is_openai_key(value)


@pytest.mark.parametrize("value", ["", "Bearer 1|sk-x", "sk-x"])
def test_any_other_key_is_not_openais(value: str) -> None:
    """Whether it is a key of Tess is for the client's own rules and for Tess to say."""
    assert not is_openai_key(value)


@pytest.mark.parametrize(
    ("refused", "status", "error", "remedy"),
    [
        (
            unsendable_header(WORKSPACE_HEADER),
            400,
            ("invalid_request_error", WORKSPACE_HEADER, "workspace_invalid"),
            "a number, such as 1234",
        ),
        (
            unsendable_header("authorization"),
            401,
            ("authentication_error", None, "invalid_api_key"),
            "Copy the key again from Tess",
        ),
        (
            key_of_another_service(),
            401,
            ("authentication_error", None, "foreign_key"),
            "api_key= or TESS_API_KEY",
        ),
        (redirected_outside(), 502, ("server_error", None, "redirected"), "Check the base URL"),
    ],
    ids=["a workspace", "a key", "a foreign key", "a redirect"],
)
def test_a_refusal_says_what_to_do(
    refused: Refused, status: int, error: tuple[str, str | None, str], remedy: str
) -> None:
    """The SDK raises it as the exception of its status, with the type of OpenAI's own errors."""
    type_, param, code = error
    assert (refused.status, refused.code, refused.param) == (status, code, param)
    assert remedy in refused.message
    assert refused.to_json() == {
        "error": {"message": refused.message, "type": type_, "param": param, "code": code}
    }
