"""What an agent that runs answers, and in which shape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.jsons import parse_object
from tess_openai.testing import Profile, TessSimulator
from tess_openai.testing.agent_runs import cut_text
from tess_openai.testing.wire import WireResponse

Send: TypeAlias = Callable[..., WireResponse]
JSON: TypeAlias = dict[str, Any]


def events_of(response: WireResponse) -> list[JSON]:
    """Read the events of a stream; the last must be `[DONE]`."""
    blocks = response.body.decode().split("\n\n")
    assert blocks[-2:] == ["data: [DONE]", ""]
    parsed = [parse_object(block.removeprefix("data: ")) for block in blocks[:-2]]
    return [event for event in parsed if event is not None]


def text_of(response: WireResponse) -> str:
    """Read the text, of a completion or of a stream."""
    if response.is_stream:
        choices = [choice for event in events_of(response) for choice in event["choices"]]
        return "".join(choice["delta"].get("content", "") for choice in choices)
    payload = parse_object(response.body)
    assert payload is not None
    return str(payload["choices"][0]["message"]["content"])


def test_a_full_completion(simulator: TessSimulator, send: Send) -> None:
    """It has OpenAI's shape, without token counts."""
    payload = parse_object(send(simulator, {"model": "gpt-4o"}).body)
    assert payload is not None
    created = payload.pop("created")
    assert isinstance(created, int)
    assert payload == {
        "id": "chatcmpl-simulated-1",
        "model": "gpt-4o",
        "object": "chat.completion",
        "choices": [
            {
                "index": 0,
                "message": {
                    "role": "assistant",
                    "content": "Agent 42 (model gpt-4o, temperature by default, tools by default) "
                    "received: hello there!",
                },
                "finish_reason": "stop",
            }
        ],
    }


def test_a_minimal_completion(send: Send) -> None:
    """It has nothing but what users read."""
    simulator = TessSimulator(profile=Profile(completion="minimal"))
    simulator.script("Hi.")
    assert parse_object(send(simulator).body) == {"choices": [{"message": {"content": "Hi."}}]}


def test_a_full_stream(simulator: TessSimulator, send: Send) -> None:
    """It has OpenAI's shape: one id, the role, the text and the finish reason."""
    simulator.script("Olá mundo")
    response = send(simulator, {"stream": True})
    assert response.headers["content-type"] == "text/event-stream; charset=utf-8"
    events = events_of(response)
    assert [event["choices"][0] for event in events] == [
        {"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        {"index": 0, "delta": {"content": "Olá"}, "finish_reason": None},
        {"index": 0, "delta": {"content": " mundo"}, "finish_reason": None},
        {"index": 0, "delta": {}, "finish_reason": "stop"},
    ]
    assert {(event["id"], event["object"], event["model"]) for event in events} == {
        ("chatcmpl-simulated-1", "chat.completion.chunk", "tess-6")
    }
    assert all("usage" not in event for event in events)


def test_a_minimal_stream(send: Send) -> None:
    """It is word for word what a user recorded."""
    simulator = TessSimulator(profile=Profile(chunks="minimal"))
    simulator.script(["Ol", "a"])
    response = send(simulator, {"stream": True, "model": "tess-5"})
    assert response.body.decode() == (
        'data: {"choices":[{"delta":{"role":"assistant","content":"Ol"},"index":0}],"model":"tess-5"}\n\n'
        'data: {"choices":[{"delta":{"content":"a"},"index":0}],"model":"tess-5"}\n\n'
        "data: [DONE]\n\n"
    )


USAGE = {"prompt_tokens": 2, "completion_tokens": 3, "total_tokens": 5}


@pytest.mark.parametrize(("stream_usage", "last_choices"), [("last chunk", 1), ("own chunk", 0)], ids=str)
def test_a_stream_that_counts(
    stream_usage: Literal["last chunk", "own chunk"], last_choices: int, send: Send
) -> None:
    """The count is in the last chunk only, which may have no choices."""
    simulator = TessSimulator(profile=Profile(stream_usage=stream_usage))
    simulator.script("one two three")
    *others, last = events_of(send(simulator, {"stream": True}))
    assert (last["usage"], len(last["choices"])) == (USAGE, last_choices)
    assert all("usage" not in event for event in others)


def test_a_completion_that_counts(send: Send) -> None:
    """Words stand for tokens."""
    simulator = TessSimulator(profile=Profile(completion_usage=True))
    simulator.script("one two three")
    assert (parse_object(send(simulator).body) or {})["usage"] == USAGE


def test_the_echo_names_what_was_used(simulator: TessSimulator, send: Send) -> None:
    """A test sees in the answer what was sent, without reading the recorded requests."""
    body: JSON = {
        "temperature": 0.5,
        "tools": "internet",
        "messages": [
            {"role": "user", "content": "first"},
            {"role": "assistant", "content": "second"},
            {"role": "user", "content": "third"},
        ],
    }
    response = send(simulator, body, target="/agents/43/openai/chat/completions")
    assert text_of(response) == "Agent 43 (model tess-ai-3, temperature 0.5, tools internet) received: third"


def test_the_echo_reads_parts_of_text(send: Send) -> None:
    """It reads them under a profile that accepts lists of parts."""
    simulator = TessSimulator(profile=Profile(content=frozenset({"text parts"})))
    parts = [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]
    response = send(simulator, {"messages": [{"role": "user", "content": parts}]})
    assert text_of(response).endswith("received: one\ntwo")


def test_scripts_run_in_order_then_the_echo_returns(simulator: TessSimulator, send: Send) -> None:
    """An entry may be a text, the pieces of a text, or a function of the body."""
    simulator.script("one", ["t", "w", "o"], lambda body: f"three {body['temperature']}")
    reply = [text_of(send(simulator, {"temperature": "1"})) for _ in range(4)]
    assert reply[:3] == ["one", "two", "three 1"]
    assert reply[3].startswith("Agent 42")


def test_a_refused_request_uses_up_no_script(simulator: TessSimulator, send: Send) -> None:
    """The agent did not run."""
    simulator.script("kept")
    assert send(simulator, {"top_p": 1}).status == 422
    assert text_of(send(simulator)) == "kept"


@pytest.mark.parametrize("stream", [False, True])
def test_a_script_may_give_pieces(*, stream: bool, simulator: TessSimulator, send: Send) -> None:
    """They are the deltas of the stream, and joined the text of the completion."""
    simulator.script(lambda _: ["🎉", "", "b "])
    response = send(simulator, {"stream": stream})
    assert text_of(response) == "🎉b "
    if stream:
        deltas = [event["choices"][0]["delta"].get("content") for event in events_of(response)]
        assert deltas == ["", "🎉", "", "b ", None]


def test_texts_can_be_cut_by_characters(send: Send) -> None:
    """Texts are divided at Unicode characters, not at bytes."""
    simulator = TessSimulator(chunking=2)
    simulator.script("ção🎉x")
    events = events_of(send(simulator, {"stream": True}))
    assert [event["choices"][0]["delta"].get("content") for event in events] == ["", "çã", "o🎉", "x", None]


@given(text=st.text(), chunking=st.one_of(st.just("words"), st.integers(1, 9)))
def test_pieces_joined_are_the_text(text: str, chunking: Literal["words"] | int) -> None:
    """However a text is divided, no piece is empty, and nothing is missing."""
    pieces = cut_text(text, chunking)
    assert "".join(pieces) == text
    assert all(pieces)


def test_every_answer_states_that_it_is_simulated(simulator: TessSimulator, send: Send) -> None:
    """This holds for whole answers, streams and refusals."""
    for body in ({}, {"stream": True}, {"top_p": 1}):
        assert "model of documented" in send(simulator, body).headers["x-tess-simulator"]


def test_no_answer_has_a_header_that_tess_is_not_known_for(simulator: TessSimulator, send: Send) -> None:
    """Only the header that marks the simulator is added, in whole answers, streams and refusals."""
    assert set(send(simulator, {}).headers) == {"content-type", "x-tess-simulator"}
    assert set(send(simulator, {"top_p": 1}).headers) == {"content-type", "x-tess-simulator"}
    streamed = send(simulator, {"stream": True}).headers
    assert streamed == {
        "content-type": "text/event-stream; charset=utf-8",
        "cache-control": "no-cache",
        "x-tess-simulator": streamed["x-tess-simulator"],
    }
