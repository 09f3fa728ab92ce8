"""Run a chat as an execution of Tess's own API, `/execute`, and poll its state: `long_answers="poll"`.

No connection waits for the answer, so an execution may take any time. The flow that answers the caller,
with or without emulation, reads a stream that is made from the output of the execution so far.

Source: Tess docs, execute-agent and agent-response (documented). Other clients poll every two seconds, or
from three seconds on in growing intervals; these requests count towards the rate limit (observed).
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import replace
from typing import Final

from tess_openai.core.calls import Event, Flow, Incoming, Outgoing, Sleep, Step
from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_types import ChangeRecorder, coerce_message, to_int
from tess_openai.core.chat.stream_faults import StreamFault, broken_connection_fault
from tess_openai.core.errors import FAILED_STATES
from tess_openai.core.fetching import get, read_error
from tess_openai.core.flow_steps import exchange, read_all
from tess_openai.core.headers import request_headers
from tess_openai.core.jsons import JSONObject, dump_json, parse_object, to_list, to_object
from tess_openai.core.long_answers.answer_layer import AnswerLayer
from tess_openai.core.long_answers.native_messages import to_native_messages
from tess_openai.core.lookups import AGENTS_PATH
from tess_openai.core.refusals import error_envelope
from tess_openai.core.sse import DONE_EVENT, encode_event

AGENT_RESPONSES_PATH: Final = "/agent-responses"
POLLED: Final = Change(
    action="mapped",
    param="messages",
    given="a chat completion",
    sent="an execution",
    why='long_answers="poll" starts it on /execute, where the role system is called developer, and polls it',
)
_SUCCEEDED: Final = ("succeeded", "completed")
_FIRST_WAIT_SECONDS: Final = 1.0
_LONGEST_WAIT_SECONDS: Final = 15.0
_MAX_FAILURES: Final = 5
"""How many requests for the state may fail one after another; the execution continues meanwhile."""
_NOT_FOUND: Final = error_envelope(
    "Tess does not know this execution any more; it may be complete, and be paid for",
    type_="server_error",
    param=None,
    code="execution_not_found",
)
_NO_STATE: Final = error_envelope(
    "Tess returned no state of the execution; it may be complete, and be paid for",
    type_="server_error",
    param=None,
    code="not_an_answer",
)


class PolledAnswers(AnswerLayer["_Execution"]):
    """Fetches answers as the output of executions."""

    def _exchange(self, outgoing: Outgoing) -> Generator[Step, Event, Incoming]:
        """Start an execution; return the head of the answer for the flow."""
        chat = self._chat
        body = chat.translated.body if outgoing.body is None else parse_object(outgoing.body) or {}
        agent_path = (outgoing.path or f"{AGENTS_PATH}/{chat.call.agent}/openai").partition("/openai")[0]
        native = replace(outgoing, body=dump_json(_to_native(body)), path=f"{agent_path}/execute", query="")
        incoming = yield from exchange(native)
        if incoming.status < 300:
            started = yield from read_all()
            self._answer = _Execution(started, chat.ledger.add_once, is_stream=chat.translated.stream)
        return incoming

    def _read(self, answer: _Execution) -> Generator[Step, Event, bytes]:
        """Return the next events of the execution; `b""` at the end."""
        while not answer.out and not answer.is_over and answer.fault is None:
            try:
                yield Sleep(answer.wait_seconds)
            except ConnectionError as broken:  # the time limit of the answer has passed
                self._end_wait(answer, broken)
                break
            yield from self._poll(answer)
        out, answer.out = answer.out, b""
        return out

    @staticmethod
    def _end_wait(execution: _Execution, broken: ConnectionError) -> None:
        """End the wait for an execution; the flow reports a stream without an end, with the text so far.

        Raises:
            ConnectionError: There is no text.
        """
        if not execution.whole_text:
            raise broken
        execution.fault = broken_connection_fault(str(broken))

    def _poll(self, execution: _Execution) -> Flow:
        """Request the state of the execution; temporary failures are only counted, up to `_MAX_FAILURES`."""
        execution.wait_seconds = min(_LONGEST_WAIT_SECONDS, execution.wait_seconds * 1.3)
        headers = request_headers(self._chat.call, self._chat.translated.options)
        try:
            incoming = yield from exchange(get(f"{AGENT_RESPONSES_PATH}/{execution.number}", headers))
            if incoming.status < 300:
                fields = parse_object((yield from read_all())) or {}
                if isinstance(fields.get("status"), str):
                    execution.take(fields)
                else:
                    execution.note_failure(_NO_STATE, is_temporary=True)
                return
            error = yield from read_error(
                incoming, self._chat.translated.options.max_retry_wait_seconds, method="GET"
            )
        except ConnectionError as broken:
            execution.failures += 1
            if execution.failures > _MAX_FAILURES:
                self._end_wait(execution, broken)
            return
        is_temporary = incoming.status in (404, 408, 429) or incoming.status >= 500
        execution.note_failure(
            _NOT_FOUND if incoming.status == 404 else error.to_json(), is_temporary=is_temporary
        )


class _Execution:
    """Converts the states of one execution to the events of a stream in OpenAI's format.

    Attributes:
        number: Its id in `/agent-responses/{id}`, where its state is requested.
        whole_text: Its whole output so far.
        out: The events that are ready to be read.
        is_over: Whether the last event is ready.
        fault: The fault that ended the wait for its next state; None without one.
        wait_seconds: How long to wait before its state is requested again.
        failures: How many requests for its state have failed in a row.
    """

    def __init__(self, body: bytes, record_change: ChangeRecorder, *, is_stream: bool) -> None:
        """Begin with the answer to the request that started it; one without an id is passed on unchanged."""
        first = to_object((to_list((parse_object(body) or {}).get("responses")) or [None])[0])
        self.number = to_int((first or {}).get("id")) or 0
        self._record_change = record_change
        self.whole_text = ""
        self.out = b""
        self.is_over = False
        self.fault: StreamFault | None = None
        self.wait_seconds = _FIRST_WAIT_SECONDS
        self.failures = 0
        self._is_stream = is_stream
        self._sent_text = ""
        if first is None or not self.number:
            self.out, self.is_over = body, True
        else:
            self.take(first)

    def take(self, fields: JSONObject) -> None:
        """Process a state of the execution."""
        self.failures = 0
        status, output = fields.get("status"), fields.get("output")
        if status in FAILED_STATES:
            self._write(fields)
            self.is_over = True
            return
        if output is not None and not isinstance(output, str):  # parts, or JSON
            coerced: JSONObject = {"content": output}
            coerce_message(coerced, self._record_change)
            output = coerced["content"]
        if isinstance(output, str) and output:
            self.whole_text = output
        is_over = status in _SUCCEEDED
        if not self.whole_text.startswith(self._sent_text):
            if is_over:  # before that, a later output may begin with the text that was sent
                message = "Tess changed the text of the execution while it was streamed"
                self.fail(error_envelope(message, type_="server_error", param=None, code="stream_error"))
            return
        new_text = self.whole_text[len(self._sent_text) :]
        if is_over:
            tess_fields = {
                name: fields[name] for name in ("id", "root_id", "credits") if fields.get(name) is not None
            }
            self._write({**_chunk(new_text, "stop"), "tess": tess_fields})
            self.out += DONE_EVENT
            self.is_over = True
        elif self._is_stream and new_text:
            self._write(_chunk(new_text, None))
            self._sent_text = self.whole_text

    def note_failure(self, envelope: JSONObject, *, is_temporary: bool) -> None:
        """Count a failed request for the state; its error ends the stream if permanent or one too many."""
        self.failures += 1
        if not is_temporary or self.failures > _MAX_FAILURES:
            self.fail(envelope)

    def fail(self, envelope: JSONObject) -> None:
        """End the stream with an error."""
        self._write(envelope)
        self.is_over = True

    def _write(self, fields: JSONObject) -> None:
        self.out += encode_event(dump_json(fields))


def _chunk(text: str, reason: str | None) -> JSONObject:
    return {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": reason}]}


def _to_native(body: JSONObject) -> JSONObject:
    """Return the body for `/execute`."""
    native = {name: value for name, value in body.items() if name not in ("stream", "stream_options")}
    temperature = native.get("temperature")
    if isinstance(temperature, int | float) and not isinstance(temperature, bool):
        native["temperature"] = f"{temperature:g}"
    return {**native, "messages": to_native_messages(native.get("messages")), "waitExecution": False}
