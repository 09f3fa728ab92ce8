"""Which flow answers a request, and what each flow does, driven by hand."""

from __future__ import annotations

import importlib.util
import re
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from tess_openai.core.calls import READ, Answer, Call, Flow, Incoming, Outgoing, ReadAll
from tess_openai.core.chat_call import CHAT_PATH
from tess_openai.core.jsons import parse_object
from tess_openai.core.options import Options
from tess_openai.core.routes import UNSUPPORTED_ENDPOINTS, route

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


@pytest.mark.parametrize("path", [CHAT_PATH, "/models", "/anything"])
@pytest.mark.parametrize("key", ["Bearer sk-proj-abc", "bearer SK-abc"])
def test_a_key_of_openais_is_refused_on_every_path(path: str, key: str) -> None:
    """401, and the key is not repeated."""
    error = refusal_of(route(call("POST", path, authorization=key), OPTIONS))
    assert (error["status"], error["code"]) == (401, "foreign_key")
    assert "abc" not in error["message"]


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
