"""The answer of an agent run, as a completion or as a stream, in the shapes of the profile."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object
from tess_openai.testing.chat_rules import content_text, option_text
from tess_openai.testing.simulated_agents import SimulatedAgent
from tess_openai.testing.simulator_profile import Profile
from tess_openai.testing.wire import WireResponse, event_stream, json_response

Chunking: TypeAlias = Literal["words"] | int
"""How a streamed text is cut: at words, or into pieces of that many characters."""


DONE: Final = b"data: [DONE]\n\n"
"""The last event of a stream."""


@dataclass(frozen=True, slots=True)
class AgentRun:
    """One execution of an agent, before it is put on the wire.

    Attributes:
        pieces: The text, in the pieces in which a stream sends it.
        is_stream: Whether the answer is a stream.
        finish_reason: As in OpenAI's API; any JSON value, since a fault may set it.
        number: Counts the runs of a simulator from 1; the answer's id shows it.
        created: Seconds since the epoch.
    """

    agent: SimulatedAgent
    profile: Profile
    body: JSONObject = field(repr=False)
    pieces: tuple[str, ...] = field(repr=False)
    is_stream: bool
    number: int
    created: int
    finish_reason: str | None = "stop"

    @property
    def usage(self) -> JSONObject:
        """Return token counts, for which words are counted."""
        prompt = sum(len(text.split()) for _, text in read_messages(self.body))
        completion = len("".join(self.pieces).split())
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        }

    @property
    def identity(self) -> JSONObject:
        """Return `id` and the other members that identify an answer in OpenAI's API."""
        return {
            "id": f"chatcmpl-simulated-{self.number}",
            "created": self.created,
            "model": choose_model(self.agent, self.body),
        }


def read_messages(body: JSONObject) -> list[tuple[str, str]]:
    """Return the role and the text of each message."""
    messages = [to_object(item) or {} for item in to_list(body.get("messages")) or []]
    return [(str(each.get("role")), content_text(each.get("content"))) for each in messages]


def choose_model(agent: SimulatedAgent, body: JSONObject) -> str:
    """Return the model that runs: the requested one if the agent offers it, else the agent's default."""
    question = agent.question("model")
    offered = () if question is None else question.values
    chosen = body.get("model")
    return chosen if isinstance(chosen, str) and chosen in offered else agent.default_model


def echo(agent: SimulatedAgent, body: JSONObject) -> str:
    """Return the answer of an agent without a script: its settings and the last user message."""
    received = next((text for role, text in reversed(read_messages(body)) if role == "user"), "nothing")
    settings = {
        "model": choose_model(agent, body),
        "temperature": body.get("temperature"),
        "tools": body.get("tools"),
    }
    message = ", ".join(f"{name} {option_text(value) or 'by default'}" for name, value in settings.items())
    return f"Agent {agent.id} ({message}) received: {received}"


def cut_text(text: str, chunking: Chunking) -> tuple[str, ...]:
    """Cut a text into the pieces of a stream."""
    if chunking == "words":
        return tuple(re.findall(r"\s*\S+|\s+\Z", text))
    return tuple(text[start : start + chunking] for start in range(0, len(text), chunking))


def answer_run(run: AgentRun) -> WireResponse:
    """Return the HTTP response for a run."""
    if run.is_stream:
        return event_stream([*map(to_event, _chunks(run)), DONE])
    return json_response(200, _completion(run))


def to_event(payload: object) -> bytes:
    """Write one server-sent event."""
    return b"data: " + dump_json(payload) + b"\n\n"


def _completion(run: AgentRun) -> JSONObject:
    text = "".join(run.pieces)
    usage = {"usage": run.usage} if run.profile.completion_usage else {}
    if run.profile.completion == "minimal":
        return {"choices": [{"message": {"content": text}}], **usage}
    choice = {
        "index": 0,
        "message": {"role": "assistant", "content": text},
        "finish_reason": run.finish_reason,
    }
    return {**run.identity, "object": "chat.completion", "choices": [choice], **usage}


def _chunks(run: AgentRun) -> Iterator[JSONObject]:
    deltas = list(_deltas(run))
    for index, (delta, finish_reason) in enumerate(deltas):
        chunk = _chunk(run, [_choice(run, delta, finish_reason)])
        if run.profile.stream_usage == "last chunk" and index == len(deltas) - 1:
            chunk["usage"] = run.usage
        yield chunk
    if run.profile.stream_usage == "own chunk":
        yield {**_chunk(run, []), "usage": run.usage}


def _chunk(run: AgentRun, choices: Sequence[JSONObject]) -> JSONObject:
    if run.profile.chunks == "minimal":
        return {"choices": choices, "model": run.identity["model"]}
    return {**run.identity, "object": "chat.completion.chunk", "choices": choices}


def _choice(run: AgentRun, delta: JSONObject, finish_reason: str | None) -> JSONObject:
    if run.profile.chunks == "minimal":
        return {"delta": delta, "index": 0}
    return {"index": 0, "delta": delta, "finish_reason": finish_reason}


def _deltas(run: AgentRun) -> Iterator[tuple[JSONObject, str | None]]:
    """Yield each delta; in OpenAI's shape the role has a chunk of its own."""
    if run.profile.chunks == "minimal":
        for index, piece in enumerate(run.pieces or ("",)):
            role = {"role": "assistant"} if index == 0 else {}
            yield {**role, "content": piece}, None
        return
    yield {"role": "assistant", "content": ""}, None
    for piece in run.pieces:
        yield {"content": piece}, None
    yield {}, run.finish_reason
