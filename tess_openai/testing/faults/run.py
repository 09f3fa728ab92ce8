"""Faults that change what the agent answers."""

from __future__ import annotations

from dataclasses import replace

from tess_openai.testing.faults.fault import Fault


def json_for_stream() -> Fault:
    """Answer a completion although a stream was asked for."""
    return Fault(name="json_for_stream", strikes="streams", on_run=lambda run: replace(run, is_stream=False))


def stream_for_json() -> Fault:
    """Answer a stream although a completion was asked for."""
    return Fault(
        name="stream_for_json", strikes="completions", on_run=lambda run: replace(run, is_stream=True)
    )


def empty_content() -> Fault:
    """Succeed with an empty text."""
    return Fault(name="empty_content", on_run=lambda run: replace(run, pieces=()))


def finish_reason(*, value: str | None = "") -> Fault:
    """Set another finish_reason: empty, null, `"length"`, or one that OpenAI does not have."""
    return Fault(name="finish_reason", on_run=lambda run: replace(run, finish_reason=value))
