"""Calls of legacy completions: each prompt becomes a chat, and the answers become one completion."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import pytest

from tess_openai.core.calls import Call, Outgoing, StoreAccess, StoreResult
from tess_openai.core.options import Options
from tests.flows import Carried, TessAnswer, carry_call

JSON: TypeAlias = dict[str, Any]
DONE = b"data: [DONE]\n\n"
ROOT = {"id": "cmpl-made-up", "object": "text_completion", "created": 1, "model": "tess-6"}


def usage(prompt: int, completion: int) -> dict[str, int]:
    """Return token counts."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}


def whole(*messages: JSON, reason: str = "stop", **root: object) -> bytes:
    """Return a whole answer with one choice for each message."""
    choices = [
        {"index": index, "message": {"role": "assistant", **message}, "finish_reason": reason}
        for index, message in enumerate(messages)
    ]
    fixed = {"id": "a", "object": "chat.completion", "created": 1, "model": "tess-6", "choices": choices}
    return json.dumps({"usage": usage(3, 2), **fixed, **root}).encode()


def event(content: str | None, reason: str | None = None, *, index: int = 0, **delta: object) -> bytes:
    """Return one event of a stream."""
    given = delta if content is None else {"content": content, **delta}
    choice = {"index": index, "delta": given, "finish_reason": reason}
    fixed = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    return b"data: " + json.dumps({**fixed, "choices": [choice]}).encode() + b"\n\n"


def counted(**counts: int) -> bytes:
    """Return the event with the token counts of a stream."""
    fixed = {"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "tess-6"}
    return b"data: " + json.dumps({**fixed, "choices": [], "usage": counts}).encode() + b"\n\n"


@dataclass
class Completed:
    """A call of completions, and the chats that it became.

    Attributes:
        chats: The JSON of each chat.
        paths: Where each chat was sent.
        carried: The result of the call.
    """

    chats: list[JSON] = field(default_factory=list[JSON])
    paths: list[str | None] = field(default_factory=list["str | None"])
    carried: Carried = field(default_factory=Carried)

    @property
    def answer(self) -> JSON:
        """The answer's JSON, when it is not a stream."""
        answer: JSON = json.loads(self.carried.body)
        return answer

    @property
    def events(self) -> list[JSON]:
        """The events of the answer before `[DONE]`."""
        *events, last = self.carried.body.split(b"\n\n")[:-1]
        assert last + b"\n\n" == DONE
        return [json.loads(each.removeprefix(b"data: ")) for each in events]


def complete(
    body: JSON,
    answers: Sequence[bytes | tuple[int, JSON]] = (),
    *,
    options: Options | None = None,
    attempt: int = 0,
) -> Completed:
    """Carry out a call; Tess answers its chats one after another, an error as its status and body."""
    given = {"model": "tess-6", **body}
    call = Call(
        "POST",
        "/completions",
        {},
        json.dumps(given).encode(),
        attempt,
        lambda: 9,
        lambda: "made-up",
        agent="42",
    )
    completed, left = Completed(), list(answers)

    def tess(step: Outgoing) -> TessAnswer:
        completed.chats.append(json.loads(step.body or b"null"))
        completed.paths.append(step.path)
        answer = left.pop(0)
        if isinstance(answer, tuple):
            return TessAnswer(
                answer[0], {"content-type": "application/json"}, [json.dumps(answer[1]).encode()]
            )
        kind = "text/event-stream" if given.get("stream") else "application/json"
        return TessAnswer(200, {"content-type": kind}, [answer])

    def no_store(_: StoreAccess) -> StoreResult:
        raise AssertionError("a completion uses no store")

    completed.carried = carry_call(
        call, Options(usage="none") if options is None else options, tess=tess, store=no_store
    )
    return completed


def choice(index: int, text: str, reason: str | None = "stop") -> JSON:
    """Return a choice of a completion."""
    return {"index": index, "text": text, "logprobs": None, "finish_reason": reason}


def test_a_prompt_becomes_a_chat_with_one_message() -> None:
    """Other parameters are those of chat, and the answer has the text and the counts."""
    done = complete({"prompt": "Hello", "echo": False, "temperature": 0.5}, [whole({"content": "Hi"})])
    assert done.chats == [
        {"model": "tess-6", "messages": [{"role": "user", "content": "Hello"}], "temperature": "0.5"}
    ]
    assert done.paths == ["/agents/42/openai/chat/completions"]
    assert done.carried.status == 200
    assert done.answer == {**ROOT, "choices": [choice(0, "Hi")], "usage": usage(3, 2)}
    assert done.carried.changes == []


def test_each_prompt_is_a_chat_of_its_own() -> None:
    """The choices are numbered through, and the counts are added, since each chat was paid for."""
    answers = [
        whole({"content": "One"}, {"content": "Two"}),
        whole(
            {"refusal": "No"}, reason="length", usage=usage(10, 20), system_fingerprint="f", model="tess-7"
        ),
    ]
    done = complete({"prompt": ["A", "B"]}, answers)
    assert [chat["messages"][0]["content"] for chat in done.chats] == ["A", "B"]
    choices = [choice(0, "One"), choice(1, "Two"), choice(2, "No", "length")]
    root = {**ROOT, "model": "tess-7", "system_fingerprint": "f"}
    assert done.answer == {**root, "choices": choices, "usage": usage(13, 22)}


def test_counts_that_are_unknown_for_one_prompt_are_left_out() -> None:
    """A sum without a part would be wrong."""
    done = complete({"prompt": ["A", "B"]}, [whole({"content": "1"}), whole({"content": "2"}, usage=None)])
    assert [each["text"] for each in done.answer["choices"]] == ["1", "2"]
    assert "usage" not in done.answer


def test_an_echo_begins_each_answer_with_its_prompt() -> None:
    """Every choice has it."""
    answers = [whole({"content": "1"}, {"content": None}), whole({"content": "2"})]
    done = complete({"prompt": ["A", "B"], "echo": True}, answers)
    assert [each["text"] for each in done.answer["choices"]] == ["A1", "A", "B2"]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("name", ["tool_calls", "function_call"])
def test_a_call_of_tess_is_reported_once(name: str, *, stream: bool) -> None:
    """A completion cannot hold it, and has no such finish reason."""
    function = {"name": "add", "arguments": "{}"}
    call: Any = (
        [{"index": 0, "id": "c", "type": "function", "function": function}]
        if name == "tool_calls"
        else function
    )
    delta: JSON = {name: call}
    answer = event(None, **delta) + event("Hi", name) + DONE
    body = {"prompt": ["A", "B"], "stream": stream}
    done = complete(body, [answer if stream else whole({"content": "Hi", name: call}, reason=name)] * 2)
    reasons = [each["choices"][0]["finish_reason"] for each in (done.events if stream else [done.answer])]
    assert set(reasons) == {"stop"}
    changes = [change for change in done.carried.changes if change.param == "tool_calls"]
    assert [(change.action, change.given, change.warn) for change in changes] == [
        ("noticed", "a call", "answer")
    ]
    shown = done.events[-1] if stream else done.answer
    assert [each["param"] for each in shown["tess_openai"]["changes"]] == ["tool_calls"]


@pytest.mark.parametrize("stream", [False, True])
def test_the_fields_of_tess_are_in_the_answer(*, stream: bool) -> None:
    """A program continues a conversation of Tess by `root_id`; the error beside a text is in `tess`."""
    root = {"root_id": 7, "error": {"message": "late"}, "service_tier": None}
    answer = event("One", "stop") if stream else whole({"content": "One"})
    fields: JSON = json.loads(answer.removeprefix(b"data: "))
    data = json.dumps({**fields, **root}).encode()
    pieces = [b"data: " + data + b"\n\n" + DONE] if stream else [data]
    completed = complete({"prompt": "a", "stream": stream}, pieces)
    last = completed.events[-1] if stream else completed.answer
    assert (last["root_id"], last["tess"], "error" in last) == (7, {"error": {"message": "late"}}, False)
    assert last["id"] == ROOT["id"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_text_and_a_refusal_are_one_text(*, stream: bool) -> None:
    """Neither is lost, whether they arrive at once or one after the other."""
    pieces = [whole({"content": "Half. ", "refusal": "No."})]
    if stream:
        pieces = [event("Half. ") + event(None, refusal="No.") + event(None, "stop") + DONE]
    completed = complete({"prompt": "a", "stream": stream}, pieces)
    answers = completed.events if stream else [completed.answer]
    assert "".join(each["choices"][0]["text"] for each in answers) == "Half. No."


def test_a_stream_has_the_events_of_a_completion() -> None:
    """Chunks without a text are left out, and the usage comes last, where it was asked for."""
    stream = (
        event("", role="assistant") + event("H") + event("i") + event(None, "stop") + counted(**usage(3, 2))
    )
    body = {"prompt": "A", "stream": True, "stream_options": {"include_usage": True}}
    done = complete(body, [stream + DONE], options=Options())
    assert done.events == [
        {**ROOT, "choices": [choice(0, "H", None)]},
        {**ROOT, "choices": [choice(0, "i", None)]},
        {**ROOT, "choices": [choice(0, "")]},
        {**ROOT, "choices": [], "usage": usage(3, 2)},
    ]


def test_a_stream_without_usage_ends_with_its_last_text() -> None:
    """The caller did not ask for the counts."""
    done = complete({"prompt": "A", "stream": True}, [event("Hi", "length") + counted(**usage(3, 2)) + DONE])
    assert done.events == [{**ROOT, "choices": [choice(0, "Hi", "length")]}]


def test_the_streams_of_several_prompts_become_one() -> None:
    """Choices are numbered through, each begins with its prompt once, and the counts are added."""
    first = event("1") + event("2", "stop") + event("3", "stop", index=1) + counted(**usage(3, 2)) + DONE
    second = event("4") + event("5") + event("6", "stop") + counted(**usage(10, 20)) + DONE
    body = {
        "prompt": ["A", "B"],
        "echo": True,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    done = complete(body, [first, second])
    texts = [(each["index"], each["text"]) for chunk in done.events for each in chunk["choices"]]
    assert texts == [(0, "A1"), (0, "2"), (1, "A3"), (2, "B4"), (2, "5"), (2, "6")]
    assert [each["text"] for chunk in done.events[-2:] for each in chunk["choices"]] == ["6"]
    assert done.events[-1]["usage"] == usage(13, 22)
    assert {chunk["id"] for chunk in done.events} == {"cmpl-made-up"}


def test_the_ledger_is_in_the_last_event() -> None:
    """There the caller finds all changes of the call."""
    done = complete({"prompt": "A", "stream": True, "logprobs": 2}, [event("H") + event("i", "stop") + DONE])
    assert ["tess_openai" in chunk for chunk in done.events] == [False, True]
    assert [each["param"] for each in done.events[-1]["tess_openai"]["changes"]] == ["logprobs"]
    assert [change.param for change in done.carried.changes] == ["logprobs"]


@pytest.mark.parametrize("failing", [0, 1])
def test_a_prompt_that_fails_ends_the_call(failing: int) -> None:
    """After a prompt that was paid for, the SDK must not send all of them again."""
    answers: list[bytes | tuple[int, JSON]] = [whole({"content": "1"}), whole({"content": "2"})]
    answers[failing] = (422, {"error": "No."})
    done = complete({"prompt": ["A", "B", "C"]}, answers)
    assert len(done.chats) == failing + 1
    assert done.carried.status == 422
    assert "No." in done.answer["error"]["message"]


def test_a_stream_that_fails_after_its_beginning_ends_with_an_error() -> None:
    """The last chunk is sent before the error, without the end of a stream."""
    done = complete(
        {"prompt": ["A", "B", "C"], "stream": True}, [event("Hi", "stop") + DONE, (422, {"error": "No."})]
    )
    assert len(done.chats) == 2
    first, second = done.carried.body.split(b"\n\n")[:-1]
    assert json.loads(first.removeprefix(b"data: ")) == {**ROOT, "choices": [choice(0, "Hi")]}
    assert "No." in json.loads(second.removeprefix(b"data: "))["error"]["message"]


def test_a_stream_that_is_cut_ends_with_an_error() -> None:
    """What arrived is kept, and no further prompt is sent."""
    done = complete({"prompt": ["A", "B"], "stream": True}, [event("Hi")])
    assert len(done.chats) == 1
    first, second = done.carried.body.split(b"\n\n")[:-1]
    assert json.loads(first.removeprefix(b"data: "))["choices"] == [choice(0, "Hi", None)]
    assert (
        "ended before the answer was complete"
        in json.loads(second.removeprefix(b"data: "))["error"]["message"]
    )


@pytest.mark.parametrize(
    ("body", "param", "code"),
    [
        ({}, "prompt", "missing_required_parameter"),
        ({"prompt": None}, "prompt", "missing_required_parameter"),
        ({"prompt": 7}, "prompt", "invalid_type"),
        ({"prompt": [1, 2]}, "prompt", "invalid_type"),
        ({"prompt": ["A", [1]]}, "prompt", "invalid_type"),
        ({"prompt": []}, "prompt", "invalid_value"),
        ({"prompt": ["A"] * 65}, "prompt", "invalid_value"),
        ({"prompt": ""}, "prompt", "invalid_value"),
        ({"prompt": ["A", ""]}, "prompt", "invalid_value"),
        ({"prompt": "A", "echo": "yes"}, "echo", "invalid_type"),
        ({"prompt": "A", "messages": []}, "messages", "unknown_parameter"),
        ({"prompt": "A", "tess_openai": 7}, "tess_openai", "invalid_option"),
    ],
)
def test_a_wrong_request_is_refused(body: JSON, param: str, code: str) -> None:
    """Nothing is sent, so nothing is paid for."""
    done = complete(body)
    assert (done.chats, done.carried.status) == ([], 400)
    assert (done.answer["error"]["param"], done.answer["error"]["code"]) == (param, code)
    assert param in done.answer["error"]["message"]


def test_the_highest_number_of_prompts_is_sent() -> None:
    """Each is a call of its own."""
    assert len(complete({"prompt": ["A"] * 64}, [whole({"content": "1"})] * 64).chats) == 64


@pytest.mark.parametrize(
    ("extra", "params"),
    [
        ({"best_of": 1}, []),
        ({"best_of": 1, "logprobs": 1}, ["logprobs"]),
        ({"best_of": 3}, ["best_of"]),
        ({"n": 1, "best_of": 1, "suffix": "end"}, ["suffix"]),
        ({"suffix": "", "logprobs": 1}, ["logprobs"]),
        ({"suffix": ""}, []),
        ({"suffix": "end"}, ["suffix"]),
        ({"logprobs": 1}, ["logprobs"]),
        ({"echo": None}, []),
        ({"tess_openai": {"usage": "none"}}, []),
    ],
)
def test_parameters_that_tess_lacks_are_reported(extra: JSON, params: list[str]) -> None:
    """A value that asks for nothing is left out without a word."""
    done = complete({"prompt": "A", **extra}, [whole({"content": "1"})])
    assert [change.param for change in done.carried.changes] == params
    assert done.chats[0].keys() == {"model", "messages"}


@pytest.mark.parametrize(
    ("attempt", "params"), [(0, ["logprobs", "answer"]), (1, ["answer"]), (2, ["answer"])]
)
def test_a_retry_reports_the_changes_of_its_answer_only(attempt: int, params: list[str]) -> None:
    """Those of the request were reported at the first attempt."""
    done = complete({"prompt": "A", "logprobs": 1}, [whole({"content": ""})], attempt=attempt)
    assert [change.param for change in done.carried.changes] == params


@pytest.mark.parametrize(("answered", "retried"), [(0, None), (1, "false")])
def test_a_call_is_not_retried_after_a_prompt_was_answered(answered: int, retried: str | None) -> None:
    """The SDK would pay for that prompt again."""
    error = (503, {"error": "Down."})
    done = complete({"prompt": ["A", "B"]}, [*[whole({"content": "1"})] * answered, error])
    assert done.carried.status == 503
    assert done.carried.headers.get("x-should-retry") == retried
