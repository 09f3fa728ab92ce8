"""The messages of a request that continues a cut answer: those that were sent, and two more."""

from __future__ import annotations

from tess_openai.core.jsons import parse_object
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import ProbeVerdict, TessProfile
from tests.flows import JSON
from tests.unit.emulate.test_flow import DONE, drive, event, saying, streamed

IMAGE: list[JSON] = [
    {"type": "text", "text": "a"},
    {"type": "image_url", "image_url": {"url": "https://a.example/x.png"}},
]
MESSAGES: list[JSON] = [
    {"role": "developer", "content": "b"},
    {"role": "user", "content": "c"},
    {"role": "user", "content": IMAGE},
]


def test_a_continuation_sends_what_the_probe_proved_as_the_first_request_did() -> None:
    """The model sees the images again, and each message in its own role."""
    proven = ("messages.neighbours", "role.developer", "content.image_parts")
    answers: dict[str, ProbeVerdict] = dict.fromkeys(proven, "supported")
    profile = TessProfile(agent_id=42, made="2026-11-23", answers=answers)
    cut = streamed(event("Once upon ", "length"), DONE)
    options = Options(on_cut="continue", profile=profile)
    run = drive({"messages": MESSAGES, "stream": True}, cut, saying("a time"), options=options)
    first, second = ((parse_object(sent.body or b"") or {})["messages"] for sent in run.sent)
    assert first == MESSAGES
    assert second[:-2] == MESSAGES
    assert [message["role"] for message in second[-2:]] == ["assistant", "user"]


def test_a_continuation_records_the_changes_of_its_messages_once() -> None:
    """It sends the same messages again, and what the policy forwards is forwarded once for the caller."""
    cut = streamed(event("Once upon ", "length"), DONE)
    options = Options(on_cut="continue", policy=Policy("warn", {"messages.name": "forward"}))
    messages = [{"role": "user", "content": "c", "name": "ann"}]
    run = drive({"messages": messages, "stream": True}, cut, saying("a time"), options=options)
    assert [change.param for change in run.changes] == ["messages.name", "answer"]
