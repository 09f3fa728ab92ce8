"""The simulator's model of Tess's own route."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.jsons import dump_json, parse_json
from tess_openai.testing import SIMULATOR_API_KEY, TessSimulator
from tess_openai.testing.wire import WireRequest

USER = {"role": "user", "content": "hello"}
ASSISTANT = {"role": "assistant", "content": "hi"}
DEVELOPER = {"role": "developer", "content": "Be brief."}


def ask(
    simulator: TessSimulator, method: str, target: str, body: object = None, workspace: int = 7001
) -> Any:
    """Make a request; its status and the JSON of its answer."""
    headers = {
        "authorization": f"Bearer {SIMULATOR_API_KEY}",
        "x-workspace-id": str(workspace),
        "content-type": "application/json",
    }
    answer, _ = simulator.answer(
        WireRequest(method, target, headers, b"" if body is None else dump_json(body))
    )
    return answer.status, parse_json(answer.body)


def test_an_execution_starts_runs_and_succeeds() -> None:
    """Its text grows, and it costs when it has ended."""
    simulator = TessSimulator()
    simulator.script("one two three four")
    status, started = ask(
        simulator, "POST", "/agents/42/execute", {"messages": [USER], "waitExecution": False}
    )
    (first,) = started["responses"]
    assert (status, started["template_id"], first["status"], first["output"]) == (200, "42", "starting", "")
    states = [ask(simulator, "GET", f"/agent-responses/{first['id']}")[1] for _ in range(3)]
    assert [state["status"] for state in states] == ["running", "succeeded", "succeeded"]
    assert [state["output"] for state in states] == ["one two", *["one two three four"] * 2]
    assert [state["credits"] for state in states] == [None, 0.000337, 0.000337]


def test_an_unknown_response_is_not_found() -> None:
    """It is answered as a number that does not exist."""
    assert ask(TessSimulator(), "GET", "/agent-responses/5001")[0] == 404


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        ([{"role": "system", "content": "x"}, USER], "invalid"),
        ([USER, DEVELOPER], "must be the first"),
        ([USER, USER], "pair of user/assistant"),
        ([ASSISTANT, USER], "pair of user/assistant"),
        ([DEVELOPER, ASSISTANT, USER], "pair of user/assistant"),
    ],
    ids=["system", "developer later", "neighbours", "assistant first", "assistant after the developer"],
)
def test_messages_that_the_documentation_excludes_are_refused(messages: list[object], why: str) -> None:
    """`system` is an error there."""
    status, body = ask(TessSimulator(), "POST", "/agents/42/execute", {"messages": messages})
    assert status == 422
    assert why in str(body)


@pytest.mark.parametrize(
    "fields",
    [{"stream": True}, {"waitExecution": "no"}, {"file_ids": ["1"]}, {"top_p": 1}, {"temperature": "3"}],
    ids=str,
)
def test_fields_that_are_not_documented_are_refused(fields: dict[str, object]) -> None:
    """The error names each of them."""
    status, body = ask(TessSimulator(), "POST", "/agents/42/execute", {"messages": [USER], **fields})
    assert status == 422
    assert list(body["errors"]) == list(fields)


def test_a_conversation_has_a_developer_and_turns() -> None:
    """What the documentation shows is accepted."""
    messages = [DEVELOPER, USER, ASSISTANT, USER]
    fields = {"temperature": "1", "model": "tess-6", "tools": "no-tools", "root_id": 3, "file_ids": [1]}
    status, started = ask(TessSimulator(), "POST", "/agents/42/execute", {"messages": messages, **fields})
    assert status == 200
    assert started["responses"][0]["root_id"] == 3
