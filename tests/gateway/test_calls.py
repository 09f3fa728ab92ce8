"""OpenAI's API over the gateway: the same answers and errors that the adapter gives in a program."""

from __future__ import annotations

import json
import re
from typing import Any

import openai
import pytest

from tess_openai import changes_of
from tess_openai.testing import TessSimulator, faults
from tests.gateway.running import HELLO, Gateway, Start

ANSWER = "Agent 42 (model tess-6, temperature by default, tools by default) received: hello"


@pytest.mark.parametrize("prefix", ["/v1", ""])
def test_a_chat_with_and_without_the_version(gateway: Gateway, prefix: str) -> None:
    """Programs join base URLs in both ways, with `/v1` and without it."""
    with gateway.http() as http:
        answer = http.post(f"{prefix}/chat/completions", json=HELLO)
    assert answer.status_code == 200
    assert answer.json()["choices"][0]["message"]["content"] == ANSWER


def test_a_stream_comes_piece_by_piece(gateway: Gateway, simulator: TessSimulator) -> None:
    """The first piece is there before the last is sent."""
    simulator.fault(faults.stalls(after_events=2))
    with gateway.sdk() as client, client.chat.completions.create(**HELLO, stream=True) as stream:
        pieces = [next(stream).choices[0].delta.content for _ in range(2)]
    assert "".join(piece or "" for piece in pieces).startswith("Agent")


def test_responses_and_legacy_completions(gateway: Gateway) -> None:
    """Many clients speak nothing but the Responses API, whose state the gateway keeps."""
    with gateway.sdk() as client:
        first = client.responses.create(model="tess-6", input="hello")
        second = client.responses.create(model="tess-6", input="again", previous_response_id=first.id)
        found = client.responses.retrieve(second.id)
        events = list(client.responses.create(model="tess-6", input="hello", stream=True))
        completion = client.completions.create(model="tess-6", prompt="hello")
    assert first.output_text == ANSWER
    assert found.output_text == second.output_text
    assert events[-1].type == "response.completed"
    assert completion.choices[0].text == ANSWER


def test_files_pass_unread(gateway: Gateway) -> None:
    """An upload is streamed to Tess."""
    with gateway.sdk() as client:
        made = client.files.create(file=("notes.txt", b"x" * 300_000), purpose="assistants")
        assert made.bytes == 300_000
        assert [each.id for each in client.files.list().data] == [made.id]
        assert client.files.delete(made.id).deleted


def test_the_ledger_is_in_the_answer_and_its_header(gateway: Gateway) -> None:
    """A program in any language can read what became of its parameters."""
    with gateway.http() as http:
        answer = http.post("/v1/chat/completions", json={**HELLO, "top_p": 0.3})
    assert [change.param for change in changes_of(answer.json())] == ["top_p"]
    assert [change["param"] for change in json.loads(answer.headers["x-tess-openai"])] == ["top_p"]


def test_no_warning_is_given_in_the_gateway(gateway: Gateway) -> None:
    """Warnings are errors in this suite, and no line of the gateway's is the caller's."""
    with gateway.http() as http:
        for _ in range(2):
            assert http.post("/v1/chat/completions", json={**HELLO, "seed": 1}).status_code == 200


@pytest.mark.parametrize(
    ("fault", "raised", "code"),
    [
        (faults.rate_limited(retry_after_seconds=7), openai.RateLimitError, "rate_limit_exceeded"),
        (faults.no_credits(), openai.APIStatusError, "insufficient_quota"),
    ],
    ids=["a rate limit", "no credits"],
)
def test_errors_are_those_of_the_adapter(
    gateway: Gateway, simulator: TessSimulator, fault: Any, raised: type[openai.APIStatusError], code: str
) -> None:
    """They have the status, the code and the wait that the Python client gives."""
    simulator.fault(fault)
    with gateway.sdk() as client, pytest.raises(raised) as caught:
        client.chat.completions.create(**HELLO)
    assert caught.value.code == code


def test_a_wait_is_passed_on(gateway: Gateway, simulator: TessSimulator) -> None:
    """SDKs look for it in the header."""
    simulator.fault(faults.rate_limited(retry_after_seconds=7))
    with gateway.http() as http:
        answer = http.post("/v1/chat/completions", json=HELLO)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")


def test_what_tess_lacks_answers_as_in_the_adapter(gateway: Gateway) -> None:
    """The refusal names it, and nothing is sent."""
    with gateway.sdk() as client, pytest.raises(openai.NotFoundError, match="does not have") as caught:
        client.embeddings.create(model="tess-6", input="hello")
    assert caught.value.code == "endpoint_not_supported"


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "text/plain", None])
def test_a_chat_is_json_whatever_its_caller_says(gateway: Gateway, kind: str | None) -> None:
    """Without a content type of its own, `curl -d` says that it sends a form."""
    headers = {} if kind is None else {"content-type": kind}
    with gateway.http() as http:
        answer = http.post("/v1/chat/completions", content=json.dumps(HELLO), headers=headers)
    assert answer.json()["choices"][0]["message"]["content"] == ANSWER


@pytest.mark.parametrize("path", ["chat/completions", "responses", "completions"])
@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b'{"model": "tess-6" "messages": []}', r": Expecting ',' delimiter \(line 1, column 20\)\. It was"),
        (b'{"model": "caf\xe9"}', r": byte 15 is not UTF-8\. It was"),
        (b'{"seed": %s}' % (b"1" * 5000), r"object\. It was"),
        (b"", r": Expecting value \(line 1, column 1\)\. It was"),
    ],
    ids=["a missing comma", "another encoding", "an endless number", "nothing"],
)
def test_a_body_that_is_no_json_is_refused(
    gateway: Gateway, simulator: TessSimulator, path: str, body: bytes, why: str
) -> None:
    """The error says where the mistake is; Tess would only say that a field is missing."""
    with gateway.http() as http:
        answer = http.post(f"/v1/{path}", content=body)
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, "invalid_json")
    assert re.search(why, error["message"])
    assert not simulator.requests


@pytest.mark.parametrize(
    "path",
    [
        "/v1/agents",
        "/v1/agents/42/execute",
        "/v1/chat/../../../agents",
        "/v1/files/%2e%2e/%2e%2e/agents",
        "/v1//chat/completions",
        "/v1/files/..%5c..%5cagents",
        "/v1",
        "/",
        "/execute",
    ],
)
def test_only_openais_paths_reach_tess(gateway: Gateway, simulator: TessSimulator, path: str) -> None:
    """The gateway's key of Tess opens more than those, and no caller may use it for that."""
    with gateway.http() as http:
        request = http.build_request("GET", gateway.url)
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = http.send(request)
    assert answer.status_code == 404
    assert answer.json()["error"]["code"] in ("unknown_url", "endpoint_not_supported")
    assert simulator.requests == []


def test_other_methods_are_refused(gateway: Gateway) -> None:
    """The error has OpenAI's format."""
    with gateway.http() as http:
        answer = http.put("/v1/chat/completions", json=HELLO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (405, "method_not_allowed")


def test_only_what_means_something_to_tess_is_sent(gateway: Gateway, simulator: TessSimulator) -> None:
    """No cookie, no address and no other header of the caller's; and the gateway's workspace, not theirs."""
    given = {
        "cookie": "a=b",
        "openai-organization": "org",
        "x-workspace-id": "9",
    }
    with gateway.http(**given) as http:
        assert http.post("/v1/chat/completions", json=HELLO).status_code == 200
    (call,) = simulator.calls
    assert not {"cookie", "openai-organization"} & set(call.headers)
    assert call.headers["x-workspace-id"] != "9"


def test_tess_that_is_not_there(start: Start) -> None:
    """SDKs retry after this status, and nothing was executed."""
    with start(base_url="http://127.0.0.1:9") as gateway, gateway.http() as http:
        answer = http.post("/v1/chat/completions", json=HELLO)
    assert (answer.status_code, answer.json()["error"]["code"]) == (502, "connection_error")
    assert "x-should-retry" not in answer.headers


def test_a_lost_answer_is_not_repeated(gateway: Gateway, simulator: TessSimulator) -> None:
    """The execution may be running, so every SDK is asked not to send the call again."""
    simulator.fault(faults.dropped_connection())
    with gateway.http() as http:
        answer = http.post("/v1/chat/completions", json=HELLO)
    assert answer.status_code == 502
    assert answer.headers["x-should-retry"] == "false"


@pytest.mark.parametrize("api", ["chat", "responses"])
def test_a_stream_that_breaks_ends_in_an_error(gateway: Gateway, simulator: TessSimulator, api: str) -> None:
    """The caller's SDK raises, instead of taking a part for the whole."""
    simulator.fault(faults.breaks_off(after_events=3))
    with gateway.sdk() as client:
        if api == "chat":
            stream: Any = client.chat.completions.create(**HELLO, stream=True)
        else:
            stream = client.responses.create(model="tess-6", input="hello", stream=True)
        with pytest.raises(openai.APIError, match="Tess"):
            list(stream)


def test_models_are_those_a_caller_may_name(start: Start) -> None:
    """The agent's, the aliases, and the named agents with theirs; each with what its agent offers."""
    with (
        start(agents={"fixed": 43, "gone": 999}, models={"gpt-4o": "tess-6"}) as gateway,
        gateway.sdk() as client,
    ):
        listed = {model.id: model for model in client.models.list()}
        for name in set(listed) - {"gone"}:
            assert client.models.retrieve(name).id == name
    assert {"tess-6", "gpt-4o", "fixed", "gone"} <= set(listed)
    offers: Any = listed["tess-6"]
    assert offers.tess["agent"] == 42
    assert "0.5" in offers.tess["temperatures"]
    named: Any = listed["fixed"]
    assert named.tess["agent"] == 43
