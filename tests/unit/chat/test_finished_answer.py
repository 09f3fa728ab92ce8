"""A whole answer that needs nothing is recognised, and is what every other way would give."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

from tess_openai.core.calls import Incoming
from tess_openai.core.chat.answer_types import InvalidAnswerError
from tess_openai.core.chat.completion import normalise_completion, parse_completion
from tess_openai.core.chat.finished_answer import parse_finished_answer
from tess_openai.core.jsons import parse_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy

AS_JSON = {"content-type": "application/json"}
ANSWER: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "tess-6",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
    "root_id": 7,
}
FIELDS = {
    "root": (*ANSWER, "error", "system_fingerprint", "service_tier", "metadata", "other"),
    "choice": ("index", "message", "finish_reason", "logprobs", "delta", "text", "other"),
    "message": ("role", "content", "refusal", "tool_calls", "function_call", "annotations", "audio", "other"),
    "usage": (*ANSWER["usage"], "prompt_tokens_details", "completion_tokens_details"),
}
CALL = {"function": {"name": "f"}}
VALUES: list[Any] = [
    *(
        None,
        "",
        "x",
        "1",
        "\ud800",
        "failed",
        "length",
        0,
        1,
        1.5,
        True,
        [],
        ["x"],
        [{}],
        [CALL],
        {},
        {"x": 1},
    ),
    [{"message": {"content": "Hi"}}],
    [*ANSWER["choices"], *ANSWER["choices"]],
    {"cached_tokens": "1"},
]


def answers() -> Iterator[dict[str, Any]]:
    """Yield the ordinary answer with each of its fields replaced, added or left out, one at a time."""
    for place, names in FIELDS.items():
        for name in names:
            for value in [*VALUES, ...]:
                answer = copy.deepcopy(ANSWER)
                choice = answer["choices"][0]
                message, usage = choice["message"], answer["usage"]
                places = {"root": answer, "choice": choice, "message": message, "usage": usage}
                places[place][name] = value
                if value is ...:
                    del places[place][name]
                yield answer


def is_completed(body: bytes) -> bool:
    """Whether the usual way changes, reports or refuses anything of an answer."""
    ledger = Ledger(Policy())
    try:
        completion = parse_completion(body, parse_object(body), ledger.add_once)
        if completion is None or not completion.untouched:
            return True
        changed = normalise_completion(
            completion.fields,
            model="another",
            now=lambda: 2,
            new_id=lambda: "new",
            ledger=ledger,
            estimate_for=["Hello"],
        )
    except InvalidAnswerError:
        return True
    return changed or ledger.changes != ()


def test_what_needs_nothing_would_be_given_as_it_is() -> None:
    """Completing a recognised answer would change nothing, and most complete answers are recognised."""
    finished = untouched = 0
    for answer in answers():
        body = json.dumps(answer).encode()
        is_finished = parse_finished_answer(Incoming(200, AS_JSON, first_piece=body)) is not None
        assert not (is_finished and is_completed(body)), answer
        finished += is_finished
        untouched += not is_completed(body)
    assert finished > untouched / 2


def test_an_answer_needs_nothing_only_when_it_is_all_there() -> None:
    """An answer that is cut, typed as a stream, or not read whole is not recognised as complete."""
    body = json.dumps(ANSWER).encode()
    assert parse_finished_answer(
        Incoming(200, {"content-type": "application/json; charset=utf-8"}, first_piece=body)
    )
    assert not parse_finished_answer(Incoming(200, AS_JSON, first_piece=body[:-1]))
    assert not parse_finished_answer(Incoming(200, {"content-type": "text/event-stream"}, first_piece=body))
    assert not parse_finished_answer(Incoming(200, AS_JSON))
