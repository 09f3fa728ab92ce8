"""The flow of an emulated chat, driven by hand: what it yields where an exchange does not go as it should."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import (
    READ_REST,
    Answer,
    Call,
    Event,
    Incoming,
    LimitAnswer,
    Outgoing,
    PauseKey,
    Read,
    ReadAll,
    ReportChanges,
)
from tess_openai.core.changes import Change
from tess_openai.core.chat_call import chat_completion
from tess_openai.core.jsons import parse_object
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy

JSON: TypeAlias = dict[str, Any]
Exchange: TypeAlias = tuple[Incoming, Sequence[bytes | Exception]]

TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {"required": ["at"]}}}]
CHAT: JSON = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}], "tools": TOOLS}
NONCE = "tokibanuve"
GOOD = f'<call:{NONCE}>{{"name": "look", "arguments": {{"at": 1}}}}</call:{NONCE}>'
BAD = f'<call:{NONCE}>{{"name": "look", "arguments": {{}}}}</call:{NONCE}>'
OPTIONS = Options(policy=Policy("emulate"), workspace_id="7001")
DONE = b"data: [DONE]\n\n"


def event(text: str, reason: str | None = None) -> bytes:
    """Encode a chunk as Tess might: with next to nothing in it."""
    choice = {"delta": {"content": text}, "index": 0, "finish_reason": reason}
    return b"data: " + json.dumps({"choices": [choice]}).encode() + b"\n\n"


def streamed(*pieces: bytes | Exception) -> Exchange:
    """Answer with a stream."""
    return Incoming(200, {"content-type": "text/event-stream"}), pieces


def saying(text: str) -> Exchange:
    """Answer with a whole stream that says a text."""
    return streamed(event(text, "stop"), DONE)


@dataclass
class Run:
    """One call, driven to its end.

    Attributes:
        steps: Of the flow, by their kind, without the reading.
        sent: Every request.
        answer: The caller's answer.
        body: The caller's body.
        unread: What was left of the last answer.
        changes: Those that were reported.
        left: How many pieces were left of each answer when the next request was sent.
    """

    steps: list[str] = field(default_factory=list[str])
    sent: list[Outgoing] = field(default_factory=list[Outgoing])
    answer: Answer = field(default_factory=lambda: Answer(0))
    body: bytes = b""
    unread: list[bytes | Exception] = field(default_factory=list[bytes | Exception])
    changes: list[Change] = field(default_factory=list[Change])
    left: list[int] = field(default_factory=list[int])

    def read(self, step: Read) -> tuple[bytes | None, Exception | None]:
        """Read the next piece, or all the rest."""
        if step is READ_REST:
            self.unread.clear()
            return None, None
        piece = self.unread.pop(0) if self.unread else b""
        return (None, piece) if isinstance(piece, Exception) else (piece, None)

    @property
    def events(self) -> list[JSON]:
        """The events in the caller's body; `[DONE]` is an empty one."""
        blocks = self.body.split(b"\n\n")[:-1]
        return [parse_object(block.removeprefix(b"data: ")) or {} for block in blocks]

    @property
    def text(self) -> str:
        """The text in them."""
        choices = [choice for event in self.events for choice in event.get("choices", ())]
        return "".join(choice["delta"].get("content") or "" for choice in choices)


def drive(
    body: JSON, *exchanges: Exchange | Exception, refusing: int | None = None, options: Options = OPTIONS
) -> Run:
    """Drive one call; the report number `refusing`, from 0, is answered with a refusal."""
    data = json.dumps(body).encode()
    call = Call("POST", "/chat/completions", {}, data, 0, lambda: 99, lambda: "581850f6")
    flow = chat_completion(call, options)
    coming, run, reports = list(exchanges), Run(), 0
    reply: Event = None
    error: Exception | None = None
    while True:
        try:
            step = flow.send(reply) if error is None else flow.throw(error)
        except StopIteration:
            return run
        reply = error = None
        if isinstance(step, Read):
            reply, error = run.read(step)
            continue
        run.steps.append(type(step).__name__)
        if isinstance(step, Outgoing):
            run.left += [len(run.unread)] if run.sent else []
            run.sent.append(step)
            next_one = coming.pop(0)
            if isinstance(next_one, Exception):
                error = next_one
                continue
            reply, pieces = next_one
            run.unread = list(pieces)
        elif isinstance(step, ReportChanges):
            run.changes += step.changes
            reply = "asked to raise" if reports == refusing else None
            reports += 1
        elif isinstance(step, ReadAll):
            reply = b"".join(piece for piece in run.unread if isinstance(piece, bytes))
        elif isinstance(step, Answer):
            run.answer, run.body = step, step.body or b""
        elif not isinstance(step, PauseKey | LimitAnswer):
            assert isinstance(step, bytes)
            run.body += step


def test_each_call_is_reported_before_it_is_sent() -> None:
    """A further call is reported before it is sent too, since it is paid for."""
    run = drive({**CHAT, "stream": True}, saying(BAD), saying(GOOD))
    assert run.steps[:4] == ["ReportChanges", "Outgoing", "ReportChanges", "Outgoing"]
    assert run.steps[4] == "Answer"


def test_a_further_call_goes_where_the_first_went() -> None:
    """It has the same headers and messages, and a note at the end instead of the bad answer."""
    run = drive(CHAT, saying(BAD), saying(GOOD))
    first, second = (parse_object(sent.body or b"") or {} for sent in run.sent)
    assert run.sent[0].headers == run.sent[1].headers == {"x-workspace-id": "7001"}
    *same, last = second["messages"]
    assert same == first["messages"][:-1]
    assert last["content"].startswith(first["messages"][-1]["content"] + "\n\n(An earlier answer")
    assert NONCE not in last["content"].replace(f"<call:{NONCE}>", "").replace(f"</call:{NONCE}>", "")
    assert {**first, "messages": None} == {**second, "messages": None}


@pytest.mark.parametrize("stream", [True, False])
def test_a_filter_that_makes_warnings_errors_stops_a_further_call(*, stream: bool) -> None:
    """The caller gets the error before the call is paid for."""
    run = drive({**CHAT, "stream": stream}, saying(BAD), saying(GOOD), refusing=1)
    assert len(run.sent) == 1
    assert (run.answer.status, json.loads(run.body)["error"]["code"]) == (400, "warning_is_error")


def test_a_filter_that_makes_warnings_errors_fails_a_stream_at_its_end() -> None:
    """The caller has its text already; what is missing is `[DONE]`."""
    run = drive({**CHAT, "stream": True}, streamed(event("", "stop"), DONE), refusing=1)
    assert (run.answer.status, json.loads(run.body)["error"]["code"]) == (400, "warning_is_error")
    run = drive({**CHAT, "n": 2, "stream": True}, saying("Hm"), (Incoming(500, {}), [b""]))
    assert run.text == "Hm"
    assert run.events[-1]["error"]["code"] == "server_error"


def test_a_connection_that_breaks_before_any_text_is_an_error() -> None:
    """The same as without emulation, unless an earlier answer has been paid for."""
    with pytest.raises(ConnectionError, match="reset"):
        drive({**CHAT, "stream": True}, streamed(event(GOOD), ConnectionError("reset")))
    run = drive({**CHAT, "stream": True}, saying(BAD), streamed(event(GOOD), ConnectionError("reset")))
    assert (run.answer.status, run.answer.headers["x-should-retry"]) == (502, "false")
    assert json.loads(run.body)["error"]["code"] == "stream_truncated"


@pytest.mark.parametrize("stream", [True, False])
def test_a_connection_that_does_not_come_about_is_tried_again_only_while_nothing_is_paid(
    *, stream: bool
) -> None:
    """The SDK retries its own exceptions, and with them all calls of the answer."""
    body = {**CHAT, "n": 2, "stream": stream, "tool_choice": "required"}
    with pytest.raises(OSError, match="no route"):
        drive(body, OSError("no route"))
    run = drive({**CHAT, "stream": stream, "tool_choice": "required"}, saying(BAD), OSError("no route"))
    assert (run.answer.status, run.answer.headers["x-should-retry"]) == (502, "false")
    assert b"no route" not in run.body


def test_a_connection_that_breaks_after_text_ends_the_stream_in_an_error() -> None:
    """The incomplete call in it is not returned."""
    run = drive({**CHAT, "stream": True}, streamed(event("Hm, "), event(GOOD), ConnectionError("reset")))
    assert run.text == "Hm,"
    assert run.events[-1]["error"]["code"] == "stream_truncated"
    assert b"tool_calls" not in run.body


def test_text_of_a_further_answer_is_separate() -> None:
    """A blank line divides it from the text before the call that could not be made."""
    run = drive({**CHAT, "stream": True}, saying(f"Let me look. {BAD}"), saying("I cannot look."))
    assert run.text == "Let me look.\n\nI cannot look."


def test_a_redirect_is_followed_by_the_client_while_nothing_is_given() -> None:
    """Once a part of the stream was sent, a redirect ends it in an error."""
    elsewhere = Incoming(307, {"location": "/agents/43/openai/chat/completions"}, redirects_within_api=True)
    run = drive({**CHAT, "stream": True}, (elsewhere, []))
    assert (run.answer.status, run.answer.base) == (307, "as is")
    run = drive({**CHAT, "stream": True}, saying(f"Let me look. {BAD}"), (elsewhere, []))
    assert run.events[-1]["error"]["code"] == "redirected"


def test_what_is_left_after_the_end_is_read() -> None:
    """The connection can then be used again; after a cut it is closed instead."""
    rest = [b": bye\n\n", b": bye\n\n"]
    run = drive({**CHAT, "stream": True}, streamed(event("Hm", "stop"), DONE, *rest))
    assert run.unread == []
    run = drive(
        {**CHAT, "stream": True, "stop": "X"}, streamed(event("Hm X"), event("Hm", "stop"), DONE, *rest)
    )
    assert run.text == "Hm "
    assert len(run.unread) == 4


def test_messages_that_are_none_are_for_tess_to_refuse() -> None:
    """They are sent as given, and Tess's own error reaches the caller."""
    run = drive({**CHAT, "messages": "hello"}, (Incoming(422, {}), [b'{"message": "No."}']))
    assert (parse_object(run.sent[0].body or b"") or {})["messages"] == "hello"
    assert run.answer.status == 422


def test_a_chat_that_only_contains_calls_is_rendered_in_the_same_form() -> None:
    """After a handoff, no function is offered, and the model must not call one."""
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": '{"at": 1}'}}
    messages = [
        *CHAT["messages"],
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "a cat"},
    ]
    for offer in ({}, {"tools": TOOLS, "tool_choice": "none"}):
        run = drive(
            {"messages": messages, "stream": True, **offer}, saying(f"It is a cat. {GOOD}"), saying("A cat.")
        )
        sent = (parse_object(run.sent[0].body or b"") or {})["messages"]
        assert f"<call:{NONCE}>" in sent[2]["content"]
        assert "No function can be called now" in sent[0]["content"]
        assert run.text == "It is a cat.\n\nA cat."
