"""The bodies that Tess's documentation prints pass as they are."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tess_openai.core.chat_call import translate_request
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy

LINES = Path(__file__).with_name("documented_bodies.jsonl").read_text(encoding="utf-8").splitlines()
BODIES = [pytest.param(printed["body"], id=printed["page"]) for printed in map(json.loads, LINES)]


@pytest.mark.parametrize("body", BODIES)
def test_a_documented_body_passes_unchanged(body: dict[str, Any]) -> None:
    """The strictest policy accepts it, and nothing is reported.

    One value may differ: the documentation prints the temperature as `1` and as `"1"`, and lists the options
    as strings, so the adapter always sends `"1"`.
    """
    prepared = translate_request(body, Options(policy=Policy("error")), new_id=str)
    assert prepared.ledger.changes == ()
    assert prepared.body == {**body, "temperature": "1"}
    assert prepared.untouched is isinstance(body["temperature"], str)


@pytest.mark.parametrize("body", BODIES)
def test_a_documented_body_is_answered(body: dict[str, Any], carry: Callable[..., Any]) -> None:
    """The strict simulator accepts each body that the documentation prints."""
    carried = carry("POST", "/chat/completions", body)
    assert (carried.status, carried.changes) == (200, [])
    assert b"received" in carried.body
