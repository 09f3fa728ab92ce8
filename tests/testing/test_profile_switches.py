"""The switches of a profile: each decides whether the simulator accepts a body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest

from tess_openai.testing import Profile, TessSimulator
from tess_openai.testing.simulator_profile import OPENAI_ONLY_PARAMETERS
from tests.testing.chat_bodies import (
    HELLO,
    JSON,
    REPLY,
    SYSTEM,
    Send,
    agent,
    messages,
    refused_fields,
    reported,
)

NULL_CONTENT = messages(HELLO, {"role": "assistant", "content": None}, HELLO)
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}
SWITCHES: dict[str, tuple[Mapping[str, Any], JSON, bool]] = {
    "temperature=free": ({"temperature": "free"}, {"temperature": 0.7}, True),
    "temperature=free has an end": ({"temperature": "free"}, {"temperature": 2.1}, False),
    "temperature=free wants a number": ({"temperature": "free"}, {"temperature": "warm"}, False),
    "temperature_types=strings, a number": ({"temperature_types": "strings"}, {"temperature": 1}, False),
    "temperature_types=strings, a string": ({"temperature_types": "strings"}, {"temperature": "1"}, True),
    "temperature_types=numbers, a string": ({"temperature_types": "numbers"}, {"temperature": "1"}, False),
    "temperature_types=numbers, a number": ({"temperature_types": "numbers"}, {"temperature": 1}, True),
    "model=ignored": ({"model": "ignored"}, {"model": "gpt-4.1"}, True),
    "tools=ignored": ({"tools": "ignored"}, {"tools": []}, True),
    "required_questions=all": ({"required_questions": "all"}, {"temperature": 1}, False),
    "nulls=absent": ({"nulls": "absent"}, {"tools": None, "top_p": None}, True),
    "openai_parameters=ignored": ({"openai_parameters": "ignored"}, {"top_p": 0.5, "tool_choice": "x"}, True),
    "ignored_parameters, the one named": ({"ignored_parameters": frozenset({"top_p"})}, {"top_p": 1}, True),
    "ignored_parameters, another": ({"ignored_parameters": frozenset({"top_p"})}, {"seed": 1}, False),
    "refused_parameters, root_id": ({"refused_parameters": frozenset({"root_id"})}, {"root_id": 7}, False),
    "refused_parameters, a documented one": (
        {"refused_parameters": frozenset({"tools"})},
        {"tools": "no-tools"},
        False,
    ),
    "roles with developer": (
        {"roles": frozenset({"developer", "user"})},
        messages({"role": "developer", "content": "x"}, HELLO),
        True,
    ),
    "roles without system": ({"roles": frozenset({"user"})}, messages(SYSTEM, HELLO), False),
    "message_keys=ignored": ({"message_keys": "ignored"}, messages({**HELLO, "name": "Ann"}), True),
    "ignored_message_keys, the one named": (
        {"ignored_message_keys": frozenset({"name"})},
        messages({**HELLO, "name": "Ann"}),
        True,
    ),
    "ignored_message_keys, another": (
        {"ignored_message_keys": frozenset({"name"})},
        messages({**HELLO, "refusal": None}),
        False,
    ),
    "content with empty": (
        {"content": frozenset({"text", "empty"})},
        messages({**HELLO, "content": ""}),
        True,
    ),
    "content with null": ({"content": frozenset({"text", "null"})}, NULL_CONTENT, True),
    "content with text parts": (
        {"content": frozenset({"text parts"})},
        messages({**HELLO, "content": [{"type": "text", "text": "x"}]}),
        True,
    ),
    "content with text parts only": (
        {"content": frozenset({"text parts"})},
        messages({**HELLO, "content": [IMAGE]}),
        False,
    ),
    "content with other parts": (
        {"content": frozenset({"other parts"})},
        messages({**HELLO, "content": [IMAGE]}),
        True,
    ),
    "message_order=paired, neighbours": (
        {"message_order": frozenset({"paired"})},
        messages(SYSTEM, HELLO, HELLO),
        False,
    ),
    "message_order=paired, a history": (
        {"message_order": frozenset({"paired"})},
        messages(SYSTEM, HELLO, REPLY, HELLO),
        True,
    ),
    "message_order=one system": (
        {"message_order": frozenset({"one system"})},
        messages(SYSTEM, SYSTEM, HELLO),
        False,
    ),
    "message_order=system first": (
        {"message_order": frozenset({"system first"})},
        messages(HELLO, SYSTEM),
        False,
    ),
    "message_order=user last": ({"message_order": frozenset({"user last"})}, messages(HELLO, REPLY), False),
    "body_limit_bytes": ({"body_limit_bytes": 10}, {}, False),
    "agent_types without chat": ({"agent_types": frozenset({"text"})}, {}, False),
    "without_system=times out, without": ({"without_system": "times out"}, {}, False),
    "without_system=times out, with": ({"without_system": "times out"}, messages(SYSTEM, HELLO), True),
}


@pytest.mark.parametrize(("switches", "body", "accepted"), SWITCHES.values(), ids=SWITCHES)
def test_a_switch_decides(switches: Mapping[str, Any], body: JSON, *, accepted: bool, send: Send) -> None:
    """Each reading of the sources can be had on its own."""
    response = send(TessSimulator(profile=Profile(**switches)), body)
    assert (response.status == 200) is accepted


def test_a_switch_for_agents_that_do_not_ask(send: Send) -> None:
    """A fixed-model agent may also ignore the model sent, and then runs its own."""
    simulator = TessSimulator(profile=Profile(without_question="ignored"))
    response = send(simulator, {"model": "gpt-4.1"}, target=agent(43))
    assert reported(response)["model"] == "tess-ai-3"


def test_lenient_accepts_what_strict_refuses(send: Send) -> None:
    """Everything but broken messages, wrong types and roles of tools passes."""
    simulator = TessSimulator(profile=Profile.lenient())
    body: JSON = dict.fromkeys(OPENAI_ONLY_PARAMETERS, 1)
    body |= {"tools": [{"type": "function"}], "temperature": 0.7, "model": "gpt-4.1", "stop": None}
    assert send(simulator, body, headers={"x-workspace-id": None}).status == 200
    assert refused_fields(send(simulator, messages({"role": "tool", "content": "x"}))) == ["messages.0.role"]


def test_every_switch_is_tried() -> None:
    """A switch that no test here turns would be a promise without proof."""
    elsewhere = {
        "auth_error": "test_admission",
        "error_dialect": "test_the_documented_dialect",
        "workspace_header": "test_admission",
        "malformed_workspace_status": "test_admission",
        "workspace_ids": "test_admission",
        "selected_workspace_id": "test_admission",
        "without_question": "test_a_switch_for_agents_that_do_not_ask",
        "requests_per_second": "test_admission",
        "retry_after_seconds": "test_admission",
        "retry_after_header": "test_admission",
        "completion": "test_answers",
        "chunks": "test_answers",
        "completion_usage": "test_answers",
        "stream_usage": "test_answers",
        "upload_limit_bytes": "test_files",
    }
    here = {name for switches, _, _ in SWITCHES.values() for name in switches}
    assert {switch.name for switch in fields(Profile)} == here | elsewhere.keys()
