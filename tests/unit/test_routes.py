"""Which flow answers a request, and what each flow does, driven by hand."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tess_openai.core.calls import (
    READ,
    Answer,
    Call,
    Flow,
    Incoming,
    Lookup,
    Outgoing,
    ReadAll,
    StoreAccess,
)
from tess_openai.core.chat_call import CHAT_PATH
from tess_openai.core.jsons import parse_object
from tess_openai.core.options import Options
from tess_openai.core.routes import PATHS_WITH_JSON, UNSUPPORTED_ENDPOINTS, route

PATH = re.compile(r'\(\s*(?:path_template\(\s*)?f?"/(\w+)')
OPTIONS = Options(workspace_id="7001")


def call(method: str, path: str, **headers: str) -> Call:
    """Build a call without a body."""
    return Call(
        method=method,
        path=path,
        headers=headers,
        body=b"",
        attempt=0,
        now=lambda: 1,
        new_id=lambda: "1",
        agent="42",
    )


def refusal_of(flow: Flow) -> dict[str, Any]:
    """Return status and error of a flow that answers without the network."""
    answer = next(flow)
    assert isinstance(answer, Answer)
    assert answer.base == "none"
    assert answer.headers["x-should-retry"] == "false"
    assert list(flow) == []
    envelope = parse_object(answer.body or b"")
    assert envelope is not None
    return {"status": answer.status, **envelope["error"]}


@pytest.mark.parametrize(
    ("method", "endpoint"),
    [pair for pair in product(["GET", "POST", "DELETE"], UNSUPPORTED_ENDPOINTS) if pair != ("GET", "models")],
)
def test_an_endpoint_of_openais_is_absent(endpoint: str, method: str) -> None:
    """404 that says so, one attempt, no network."""
    error = refusal_of(route(call(method, f"/{endpoint}/some/where"), OPTIONS))
    assert (error["status"], error["code"]) == (404, "endpoint_not_supported")
    assert UNSUPPORTED_ENDPOINTS[endpoint] in error["message"]


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_stored_completions_are_absent(method: str) -> None:
    """Only a POST to this path is a chat; other methods are refused."""
    assert refusal_of(route(call(method, CHAT_PATH), OPTIONS))["status"] == 404


@pytest.mark.parametrize("endpoint", UNSUPPORTED_ENDPOINTS)
def test_another_client_can_answer_most_absent_endpoints(endpoint: str) -> None:
    """The refusal shows the option; below `chat` and `models`, Tess itself has paths."""
    message = str(refusal_of(route(call("POST", f"/{endpoint}/some/where"), OPTIONS))["message"])
    remedy = f'can answer it: others={{"{endpoint}": openai.OpenAI(...)}}, or openai.AsyncOpenAI(...)'
    assert (remedy in message) is (endpoint not in ("chat", "models"))
    assert message.startswith(
        f"Tess does not have {UNSUPPORTED_ENDPOINTS[endpoint]}; the request was not sent."
    )


@pytest.mark.parametrize(
    "path", [CHAT_PATH, "/v1/completions", "/openai/responses", "/v1/responses/input_tokens"]
)
def test_an_endpoint_that_is_not_below_an_agent_is_refused(path: str) -> None:
    """The base URL of the client is wrong; Tess would answer 404 without a hint, or a page."""
    error = refusal_of(route(replace(call("POST", path), agent=""), OPTIONS))
    assert (error["status"], error["code"]) == (404, "endpoint_not_supported")
    assert error["message"].startswith(f"The path '{path}' is not below an agent of the configured base URL")
    assert "Pass the base URL that ends in /agents/8794/openai" in error["message"]


@pytest.mark.parametrize(
    ("method", "path", "agent", "step"),
    [
        ("GET", "/agents", "", "/agents"),
        ("GET", "/agents/", "", "/agents"),
        ("GET", "/agents/42", "", "/agents/42"),
        ("GET", "/agents/42/", "", "/agents/42"),
        ("POST", "/agents/42", "", None),
        ("GET", "/agents/42/runs", "", None),
        ("GET", "/agentsandmore", "", None),
        ("GET", "/agents", "42", Answer),
        ("GET", "/models", "42", Lookup),
        ("GET", "/models/tess-6", "42", Lookup),
        ("GET", "/modelsandmore", "42", None),
        ("GET", "/files/7", "42", "/files/7"),
        ("GET", "/filesandmore", "42", None),
        ("GET", "/responses/resp_1", "42", StoreAccess),
        ("DELETE", "/responses/resp_1", "42", StoreAccess),
        ("GET", "/responsesandmore", "42", None),
    ],
)
def test_a_flow_is_chosen_by_method_and_whole_segments(
    method: str, path: str, agent: str, step: str | type | None
) -> None:
    """Each flow begins with a step of its own, or a GET of this path; None: the call is sent unchanged."""
    first = next(route(replace(call(method, path), agent=agent), OPTIONS))
    if isinstance(step, type):
        assert isinstance(first, step)
        return
    assert isinstance(first, Outgoing)
    assert (first.method, first.path) == ((None, None) if step is None else ("GET", step))


@pytest.mark.parametrize(
    ("path", "reads"),
    [(CHAT_PATH, True), ("/responses", True), ("/files", False), (f"{CHAT_PATH}/x", False)],
)
def test_only_a_body_that_is_translated_is_read(path: str, reads: bool) -> None:
    """An upload is streamed."""
    assert (path in PATHS_WITH_JSON) is reads


def test_a_body_that_is_nested_too_deep_is_refused() -> None:
    """It cannot be parsed, so it cannot be translated."""
    deep = replace(call("POST", CHAT_PATH), body=b'{"messages":' + b"[" * 3000 + b"]" * 3000 + b"}")
    error = refusal_of(route(deep, OPTIONS))
    assert (error["status"], error["code"], error["param"]) == (400, "nested_too_deep", None)
    assert error["message"].endswith("it was not sent. Send deeply nested data as text, with json.dumps.")


def test_a_path_of_the_agents_own_passes() -> None:
    """The call gets the workspace, is sent without OpenAI's headers, and its answer is not changed."""
    flow = route(call("GET", "/own", **{"openai-organization": "o", "openai-project": "p"}), OPTIONS)
    assert next(flow) == Outgoing(
        headers={"openai-organization": None, "openai-project": None, "x-workspace-id": "7001"}
    )
    assert flow.send(Incoming(200, {})) == Answer(200, base="as is")
    assert next(flow) is READ
    assert flow.send(b"piece") == b"piece"
    assert next(flow) is READ
    with pytest.raises(StopIteration):
        flow.send(b"")


def test_a_workspace_of_the_calls_own_wins() -> None:
    """`extra_headers` is more particular than the client."""
    assert next(route(call("GET", "/own", **{"x-workspace-id": "9"}), OPTIONS)) == Outgoing(headers={})
    assert next(route(call("GET", "/own"), Options())) == Outgoing(headers={})


def test_an_error_on_a_path_of_the_agents_own_is_translated() -> None:
    """The envelope is OpenAI's there too."""
    flow = route(call("GET", "/own"), OPTIONS)
    next(flow)
    step = flow.send(Incoming(404, {}))
    assert isinstance(step, ReadAll)
    answer = flow.send(b'{"message":"Not found."}')
    assert isinstance(answer, Answer)
    assert answer.status == 404
    assert b'"code":"not_found"' in (answer.body or b"")


@pytest.mark.parametrize(
    ("incoming", "status"),
    [
        pytest.param(
            Incoming(307, {"location": "https://elsewhere.example/"}, redirects_within_api=False),
            502,
            id="elsewhere",
        ),
        pytest.param(
            Incoming(307, {"location": "/agents/1/openai/own"}, redirects_within_api=True),
            307,
            id="where it went",
        ),
        pytest.param(Incoming(304, {}, redirects_within_api=False), 304, id="nowhere"),
        pytest.param(
            Incoming(300, {"location": "https://elsewhere.example/"}, redirects_within_api=False),
            502,
            id="several choices elsewhere",
        ),
    ],
)
def test_a_redirect_leads_nowhere_else(incoming: Incoming, status: int) -> None:
    """The key, the workspace and the body go to Tess only."""
    flow = route(call("POST", "/own"), OPTIONS)
    next(flow)
    answer = flow.send(incoming)
    assert isinstance(answer, Answer)
    assert answer.status == status


def sdk_paths() -> set[str]:
    """Return the first part of the path of every request that the installed SDK's resources make."""
    spec = importlib.util.find_spec("openai")
    assert spec is not None
    assert spec.submodule_search_locations is not None
    resources = Path(spec.submodule_search_locations[0], "resources")
    sources = [file.read_text(encoding="utf-8") for file in resources.rglob("*.py")]
    return {root for source in sources for root in PATH.findall(source)}


def test_every_endpoint_of_the_sdk_has_an_answer() -> None:
    """A resource that a new SDK brings must be named, or it goes to Tess without a word."""
    paths = sdk_paths()
    assert {"chat", "models", "embeddings", "responses"} <= paths
    assert paths <= {*UNSUPPORTED_ENDPOINTS, "completions", "files", "responses"}


def test_a_timeout_on_another_path_is_not_an_execution() -> None:
    """Nothing runs and is paid for there, so no stream would help."""
    flow = route(call("GET", "/own"), OPTIONS)
    next(flow)
    flow.send(Incoming(524, {}))
    answer = flow.send(b"error code: 524")
    assert isinstance(answer, Answer)
    assert answer.status == 524
    assert b'"code":"gateway_timeout"' in (answer.body or b"")
    assert b"stream=True" not in (answer.body or b"")
