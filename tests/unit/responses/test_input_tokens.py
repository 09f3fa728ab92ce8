"""The estimate of the tokens of an input, which no request of Tess gives."""

from __future__ import annotations

import json

from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.edge.response_stores import MemoryResponseStore
from tests.flows import JSON
from tests.unit.responses.driven import drive

NUMBER = "0" * 24
ANSWER = json.dumps(
    {"choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
).encode()


def test_input_tokens_are_estimated_of_all_that_the_model_reads() -> None:
    """Each four bytes of texts, parts, calls and functions count as a token; no request is sent to Tess."""
    store = MemoryResponseStore()
    drive({"input": "w" * 400}, [ANSWER], store=store)

    def count(*items: JSON, **fields: object) -> int:
        body = {"input": list(items), **fields}
        carried = drive(body, [], path="/responses/input_tokens", store=store)
        assert carried.sent is None
        assert carried.headers["content-type"] == "application/json"
        counted = json.loads(carried.body)
        assert (counted["object"], counted["estimated"]) == ("response.input_tokens", True)
        tokens: int = counted["input_tokens"]
        return tokens

    question = {"role": "user", "content": "x" * 400}
    part = {"role": "user", "content": [{"type": "input_text", "text": "x" * 400}]}
    one = count(question)
    assert 100 <= one < 120
    assert count(part) == one
    assert count(question, question) >= 2 * 100
    assert count(question, instructions="y" * 400) >= 2 * 100
    call = {"type": "function_call", "call_id": "c", "name": "f", "arguments": json.dumps({"a": "z" * 400})}
    assert count(question, call) >= 2 * 100
    tool = {"type": "function", "name": "f", "description": "d" * 400, "parameters": {"type": "object"}}
    assert count(question, tools=[tool]) >= 2 * 100
    image = {"type": "input_image", "image_url": "data:image/png;base64,AAAA"}
    half = {"type": "input_text", "text": "x" * 200}
    assert count({"role": "user", "content": [image, half, half]}) == one
    assert count(question, previous_response_id=f"resp_{NUMBER}") >= 2 * 100


def test_a_request_whose_tokens_are_counted_is_neither_refused_nor_reported() -> None:
    """The request is not sent to Tess, so none of its parts is lost."""
    question = {"role": "user", "content": "hi"}
    hosted: JSON = {"type": "mcp_list_tools", "id": "m1", "server_label": "x", "tools": []}
    carried = drive(
        {"input": [question, hosted]},
        [],
        path="/responses/input_tokens",
        options=Options(policy=Policy("error")),
    )
    assert (carried.status, carried.changes) == (200, [])
