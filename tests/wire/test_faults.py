"""The fault table: whatever goes wrong ends in the right exception, or in the right answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import openai
import pytest

from tess_openai import TessAnswerWarning
from tess_openai.testing import Fault, faults
from tess_openai.testing.wire import FOREVER, Piece, text_response

if TYPE_CHECKING:
    from tests.wire.conftest import Driver

TRIES: Final = 2
"""How often the SDK may try in these tests: once more than the first."""
TIMEOUT_SECONDS: Final = 1.0
REPLY: Final = "Olá, wie geht es dir?"
FOREIGN: Final = "http://127.0.0.1:9/agents/42/openai/chat/completions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fails:
    """Ends in an error.

    Attributes:
        error: Its class, exactly.
        code: Its `code`; None for an error without an answer.
        reason: Part of its text.
        requests: How many reach Tess when the fault strikes every one.
    """

    error: type[openai.APIError]
    code: str | None
    reason: str
    requests: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """Ends in an answer; `warns` when the caller should know of something."""

    text: str = REPLY
    finish_reason: str = "stop"
    warns: bool = False


Outcome: TypeAlias = Fails | Answers
FINE: Final = Answers()


def fails(code: str, reason: str, *, error: Any = openai.InternalServerError, requests: int = 1) -> Fails:
    """Expect an answer with a status, as the SDK shows it."""
    return Fails(error=error, code=code, reason=reason, requests=requests)


def in_stream(code: str, reason: str) -> Fails:
    """Expect an error in the middle of a stream: it has begun, so it is never tried again."""
    return Fails(error=openai.APIError, code=code, reason=reason)


def hangs_after(status: int, text: str) -> Fault:
    """Answer with a text that is never whole, on a connection that stays open."""
    never_whole = (Piece(text.encode()), Piece(b".", FOREVER))
    return Fault(name="hangs_after", instead=replace(text_response(status, text), pieces=never_whole))


def cannot_be_decoded(status: int) -> Fault:
    """Answer with a text that is called gzip."""
    answer = text_response(status, "no gzip at all").with_headers(content_encoding="gzip")
    return Fault(name="cannot_be_decoded", instead=answer)


ONCE: Final = fails("execution_timeout", "the execution continues and is paid for")
CUT: Final = in_stream("stream_truncated", "stream ended before the answer was complete")
STOPPED: Final = in_stream("stream_error", "The agent stopped")
NOT_JSON: Final = in_stream("stream_not_json", "not a JSON object: upstream is busy")
NO_ANSWER: Final = "Tess answered 200 with"
TIMED_OUT: Final = Fails(error=openai.APITimeoutError, code=None, reason="timed out")
NO_CONNECTION: Final = Fails(error=openai.APIConnectionError, code=None, reason="")
"""In the SDK's own words; its aiohttp transport calls a lost connection a timeout."""
STALLED: Final = Fails(error=openai.APITimeoutError, code=None, reason="")

TABLE: Final[dict[str, tuple[Fault, Outcome] | tuple[Fault, Outcome, Outcome]]] = {
    # a fault and what it comes to; a third entry is for streams
    "rate_limited": (
        faults.rate_limited(retry_after_seconds=0.05),
        fails("rate_limit_exceeded", "Rate limit exceeded", error=openai.RateLimitError, requests=TRIES),
    ),
    "rate_limited for too long": (
        faults.rate_limited(retry_after_seconds=61),
        fails("rate_limit_exceeded", "wait 61 seconds", error=openai.RateLimitError),
    ),
    "gateway_timeout": (
        faults.gateway_timeout(),
        fails("execution_timeout", "the execution continues and is paid for"),
    ),
    "gateway_timeout after a wait": (
        faults.gateway_timeout(wait_seconds=0.05),
        fails("execution_timeout", "stream=True or create_client(long_answers="),
    ),
    "gateway_timeout, broken off": (faults.together(faults.gateway_timeout(), faults.breaks_off()), ONCE),
    "gateway_timeout, hanging": (hangs_after(524, "error code: 524"), ONCE),
    "gateway_timeout, not to be decoded": (cannot_be_decoded(524), ONCE),
    "a refused key, broken off": (
        faults.together(faults.answers(401, {"message": "Unauthenticated."}), faults.breaks_off()),
        fails("invalid_api_key", "TESS_API_KEY", error=openai.AuthenticationError),
    ),
    "server_error": (
        faults.server_error(),
        fails("server_error", "Internal server error", requests=TRIES),
    ),
    "server_error, compressed": (
        faults.together(faults.server_error(), faults.compressed()),
        fails("server_error", "Internal server error", requests=TRIES),
    ),
    "bad_gateway": (
        faults.bad_gateway(),
        fails("bad_gateway", 'an HTML page, "502"'),
    ),
    "bad_gateway 504": (
        faults.bad_gateway(status=504),
        fails("gateway_timeout", 'an HTML page, "504"'),
    ),
    "no_credits": (
        faults.no_credits(),
        fails("insufficient_quota", "user has no credits", error=openai.APIStatusError),
    ),
    "no_credits as a 429": (
        faults.no_credits(status=429),
        fails("insufficient_quota", "Add credits", error=openai.RateLimitError),
    ),
    "too_large": (
        faults.too_large(),
        fails("request_too_large", "Payload too large", error=openai.APIStatusError),
    ),
    "login_page": (faults.login_page(), fails("not_an_answer", 'an HTML page, "Login"')),
    "empty_answer": (faults.empty_answer(), fails("empty_answer", "an empty body")),
    "error_in_200": (faults.error_in_200(), fails("error_in_200", "The agent could not run")),
    "answers JSON of another kind": (
        faults.answers(200, {"data": []}),
        fails("not_an_answer", NO_ANSWER),
    ),
    "answers a list": (faults.answers(200, []), fails("not_an_answer", NO_ANSWER)),
    "answers without choices": (
        faults.answers(200, {"choices": []}),
        fails("not_an_answer", NO_ANSWER),
    ),
    "answers with null for a choice": (
        faults.answers(200, {"choices": [None]}),
        fails("invalid_answer", "choices[0] is null"),
    ),
    "redirect": (faults.redirect(), fails("redirected", "nothing was sent there")),
    "redirect elsewhere": (
        faults.redirect(location=FOREIGN, status=308),
        fails("redirected", "another origin"),
    ),
    "hang": (faults.hang(), TIMED_OUT),
    "dropped_connection": (faults.dropped_connection(), NO_CONNECTION),
    "json_for_stream": (faults.json_for_stream(), FINE),
    "stream_for_json": (faults.stream_for_json(), FINE),
    "stream_for_json, cut": (
        faults.together(faults.ends_early(), faults.stream_for_json()),
        fails("stream_truncated", "ended before the answer was complete"),
    ),
    "stream_for_json, with an error": (
        faults.together(faults.error_event(), faults.stream_for_json()),
        fails("stream_error", "The agent stopped"),
    ),
    "empty_content": (faults.empty_content(), Answers(text="", warns=True)),
    "finish_reason": (faults.finish_reason(), FINE),
    "finish_reason null": (faults.finish_reason(value=None), FINE),
    "finish_reason length": (faults.finish_reason(value="length"), Answers(finish_reason="length")),
    "finish_reason unknown": (faults.finish_reason(value="completed"), FINE),
    "finish_reason max_tokens": (
        faults.finish_reason(value="max_tokens"),
        Answers(finish_reason="length"),
    ),
    "finish_reason error": (
        faults.finish_reason(value="error"),
        fails("error_in_200", "the execution failed without a reason"),
        in_stream("stream_error", "the execution failed without a reason"),
    ),
    "ends_early": (faults.ends_early(), CUT),
    "ends_early at once": (faults.ends_early(after_events=0), CUT),
    "without_done": (faults.without_done(), FINE),
    "breaks_off": (faults.breaks_off(), NO_CONNECTION),
    "stalls": (faults.stalls(), STALLED),
    "stalls at once": (faults.stalls(after_events=0), STALLED),
    "error_event": (faults.error_event(), STOPPED),
    "error_event as an object": (faults.error_event(shape="object"), STOPPED),
    "error_event of Tess's own": (faults.error_event(shape="native"), STOPPED),
    "error_event by name": (faults.error_event(shape="event"), STOPPED),
    "error_event at once": (faults.error_event(after_events=0), STOPPED),
    "keep_alives": (faults.keep_alives(), FINE),
    "non_json_line": (faults.non_json_line(), NOT_JSON),
    "crlf": (faults.crlf(), FINE),
    "single_newlines": (faults.single_newlines(), FINE),
    "byte_order_mark": (faults.byte_order_mark(), FINE),
    "in_bytes": (faults.in_bytes(), FINE),
    "in_bytes, compressed and CR LF": (
        faults.together(faults.crlf(), faults.compressed(), faults.in_bytes()),
        FINE,
    ),
    "slow": (faults.slow(delay_seconds=0.01, first_seconds=0.05), FINE),
    "compressed": (faults.compressed(), FINE),
}


def rows() -> list[Any]:
    """List each fault with what it comes to, for the answers it strikes."""
    listed: list[Any] = []
    for name, (fault, *outcomes) in TABLE.items():
        if fault.strikes in {"any answer", "completions"}:
            listed.append(pytest.param(fault, outcomes[0], False, id=f"{name}: completion"))
        if fault.strikes in {"any answer", "streams"}:
            listed.append(pytest.param(fault, outcomes[-1], True, id=f"{name}: stream"))
    return listed


def test_every_fault_has_a_row() -> None:
    """A new fault of the simulator needs a decision here."""
    assert set(faults.FAULTS) <= set(TABLE)


@pytest.mark.parametrize(("fault", "outcome", "asked_for_stream"), rows())
def test_no_fault_ends_in_silence(
    driver: Driver, fault: Fault, outcome: Outcome, *, asked_for_stream: bool
) -> None:
    """The right class, code, reason and number of attempts; or the right text."""
    driver.simulator.script(*[REPLY] * TRIES)
    driver.simulator.fault(fault, times=TRIES)
    client = driver.client(timeout=TIMEOUT_SECONDS, max_retries=TRIES - 1, max_retry_wait=1)
    if isinstance(outcome, Fails):
        error = driver.fails(client, stream=asked_for_stream)
        check_error(driver, error, outcome)
        assert len(driver.simulator.requests) == outcome.requests
    elif outcome.warns:
        with pytest.warns(TessAnswerWarning, match="no text"):
            check_answer(driver, client, outcome, stream=asked_for_stream)
    else:
        check_answer(driver, client, outcome, stream=asked_for_stream)


def check_error(driver: Driver, error: openai.APIError, outcome: Fails) -> None:
    """Hold an error against its row; openai's aiohttp transport calls each lost connection a timeout."""
    if issubclass(outcome.error, openai.APIConnectionError):
        assert isinstance(error, outcome.error)
    else:
        assert type(error) is outcome.error
    assert error.code == outcome.code
    assert outcome.reason in str(error)


def check_answer(driver: Driver, client: Any, outcome: Answers, *, stream: bool) -> None:
    """Hold an answer against its row."""
    answer = driver.ask(client, stream=stream)
    chunks = driver.items(answer) if stream else []
    if not stream:
        (choice,) = answer.choices
        assert (choice.message.content, choice.finish_reason) == (outcome.text, outcome.finish_reason)
        return
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == outcome.text
    assert [chunk.choices[0].finish_reason for chunk in chunks][-1] == outcome.finish_reason
    assert len({chunk.id for chunk in chunks}) == 1


def test_an_execution_that_continues_fails_the_next_call_with_its_reason(driver: Driver) -> None:
    """A 524's phantom makes the next request fail; both errors tell their reason, the 524 is not repeated."""
    client = driver.client(max_retries=2)
    assert driver.fails(client, faults.gateway_timeout(phantom=True)).code == "execution_timeout"
    assert driver.text(client) == driver.answer  # the SDK retries the 500 that the phantom causes
    assert [call.status for call in driver.simulator.calls] == [524, 500, 200]


def test_tesss_own_body_stays_readable(driver: Driver) -> None:
    """OpenAI's envelope has it as `body["tess"]`."""
    given = {"error": "Validation failed", "messages": {"temperature": ["Not one of the options."]}, "id": 7}
    error = driver.fails(driver.client(), faults.answers(400, given))
    assert isinstance(error, openai.BadRequestError)
    body: Any = error.body
    assert body["tess"] == given
    assert (error.param, error.code) == ("temperature", "validation_failed")
    assert "temperature: Not one of the options." in str(error)


def test_both_dialects_of_a_refused_key_are_an_authentication_error(driver: Driver) -> None:
    """Tess answers 401 with `message`, or 403 with `error`."""
    client = driver.client()
    for fault in (
        faults.answers(401, {"message": "Unauthenticated."}),
        faults.answers(403, {"error": "Invalid authentication"}),
    ):
        error = driver.fails(client, fault)
        assert type(error) is openai.AuthenticationError
        assert error.code == "invalid_api_key"
        assert "TESS_API_KEY" in str(error)
