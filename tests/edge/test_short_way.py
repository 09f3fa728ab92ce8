"""The short way of a chat is the long one, shorter: what goes out and what comes back is the same."""

from __future__ import annotations

import copy
import importlib
import importlib.util
import json
import re
from dataclasses import replace
from typing import Any, TypeAlias

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tess_openai import connection
from tess_openai.core.chat.completion import complete
from tess_openai.core.chat.fast_path import is_complete, is_plain, may_be_plain
from tess_openai.core.chat.request_translation import translate_request
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile

FAMILY: Any = importlib.import_module("httpx2" if importlib.util.find_spec("httpx2") else "httpx")
Head: TypeAlias = tuple[int, dict[str, str]]
PLAIN: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "model": "tess-6"}
ROOT = "https://api.tess.im"
URL = f"{ROOT}/agents/42/openai/chat/completions"
MADE_UP = re.compile(rb'"id":"chatcmpl-[0-9a-f]+"|"created":[0-9]+')


def mostly(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """Draw the usual value most of the time, else one that some server or program may send."""
    return st.one_of(st.just(usual), st.just(usual), st.just(usual), st.sampled_from([*others, None]))


MESSAGES = st.lists(
    st.fixed_dictionaries(
        {"role": mostly("user", "system", "assistant", "developer", "tool"), "content": mostly("hi", "", [])},
        optional={"name": mostly("ann")},
    ),
    max_size=3,
)
REQUESTS = st.fixed_dictionaries(
    {
        "messages": mostly([{"role": "user", "content": "hi"}]) | MESSAGES,
        "model": mostly("tess-6", "agent:43"),
    },
    optional={
        "stream": mostly(False, True, 0),
        "temperature": mostly(0.7, 1),
        "tools": mostly([], "internet"),
    },
)
CHOICES = st.lists(
    st.fixed_dictionaries(
        {
            "index": mostly(0, "0", True),
            "message": mostly({"role": "assistant", "content": "yes"}, {"content": ""}, {"role": "user"}, 5),
            "finish_reason": mostly("stop", "", "length", "end", []),
        }
    ),
    max_size=2,
)
ANSWERS = st.fixed_dictionaries(
    {
        "id": mostly("chatcmpl-1", "", 5),
        "object": mostly("chat.completion", "x"),
        "created": mostly(1, "1", True),
        "model": mostly("tess-6", 7),
        "choices": CHOICES,
    },
    optional={
        "usage": mostly(
            {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}, {"prompt_tokens": 1}
        ),
        "error": mostly("partial failure", {"message": "x"}),
    },
)
COMPLETE: dict[str, Any] = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1,
    "model": "tess-6",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3},
}
CHUNKED = {"content-type": "application/json", "transfer-encoding": "chunked"}
BODIES = mostly(COMPLETE, b"", b"<html>", b"[]") | ANSWERS
HEADS = st.tuples(
    mostly(200, 201, 500).map(lambda status: status or 429),
    st.fixed_dictionaries(
        {"content-type": mostly("application/json", "text/html").map(lambda kind: kind or "")},
        optional={"transfer-encoding": st.just("chunked"), "content-encoding": st.just("identity")},
    ),
)


@given(REQUESTS, st.booleans())
def test_what_is_plain_needs_nothing(request: dict[str, Any], merge: bool) -> None:  # noqa: FBT001
    """The request side leaves it as it is, and records nothing."""
    options = Options(merge_messages=merge)
    if is_plain(request, options):
        prepared = translate_request(request, options, new_id=str)
        assert prepared.untouched
        assert not prepared.stream
        assert (prepared.ledger.changes, prepared.emulation) == ((), None)


@given(ANSWERS, st.sampled_from(["estimate", "none"]))
def test_what_is_complete_needs_nothing(answer: dict[str, Any], usage: Any) -> None:  # noqa: ANN401
    """The answer side adds nothing to it, and records nothing."""
    if is_complete(json.loads(json.dumps(answer)), Options(usage=usage)):
        ledger = Ledger(Policy())
        prompts = None if usage == "none" else ["hi"]
        assert not complete(answer, model="x", now=int, new_id=str, ledger=ledger, estimate_for=prompts)
        assert ledger.changes == ()


def test_the_plain_is_seen_as_such() -> None:
    """Else nothing would ever go the short way, and the laws above would say nothing."""
    without_usage = {name: value for name, value in COMPLETE.items() if name != "usage"}
    assert is_plain(PLAIN, Options())
    assert is_complete(COMPLETE, Options())
    assert not is_complete(without_usage, Options())
    assert is_complete(without_usage, Options(usage="none"))


LACKS: dict[tuple[Any, ...], list[Any]] = {
    ("id",): ["", 5, None],
    ("object",): ["x", None],
    ("created",): ["1", True, None],
    ("model",): [None],
    ("choices",): [[], {}, None, [*COMPLETE["choices"], *COMPLETE["choices"]]],
    ("choices", 0): [None, "x", {}],
    ("choices", 0, "index"): ["0", True, None],
    ("choices", 0, "message"): [None, "x", {}],
    ("choices", 0, "message", "role"): ["user", None],
    ("choices", 0, "message", "content"): ["", None, ["x"]],
    ("choices", 0, "finish_reason"): ["end", "failed", "", [], None],
    ("usage",): [{}, "x", None],
    ("usage", "total_tokens"): [True],
    ("error",): ["partial failure"],
}


@pytest.mark.parametrize(("path", "value"), [(path, value) for path in LACKS for value in LACKS[path]])
def test_what_lacks_one_thing_is_not_complete(path: tuple[Any, ...], value: object) -> None:
    """It goes the long way, where that is added."""
    answer = copy.deepcopy(COMPLETE)
    holder: Any = answer
    for step in path[:-1]:
        holder = holder[step]
    holder[path[-1]] = value
    assert not is_complete(answer, Options())


def test_options_that_add_something_go_the_long_way() -> None:
    """Each of them."""
    assert may_be_plain(Options(workspace_id="7", temperatures=None, merge_messages=False, usage="none"))
    assert not may_be_plain(Options(tools="internet"))
    assert not may_be_plain(Options(fetch_agents=True))
    assert not may_be_plain(Options(agent_names={"a": 1}))
    assert not may_be_plain(Options(models={"gpt-4o": "tess-6"}))
    assert not may_be_plain(Options(policy=Policy("emulate")))
    assert not may_be_plain(Options(profile=TessProfile(agent_id=42, made="2026-11-24")))


@given(request=REQUESTS, answer=BODIES, head=HEADS, workspace=st.booleans())
@example(request=PLAIN, answer=COMPLETE, head=(200, CHUNKED), workspace=False)
def test_both_ways_are_one(*, request: dict[str, Any], answer: object, head: Head, workspace: bool) -> None:
    """What Tess gets and what the caller gets does not depend on which was taken."""
    body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
    headers = {"authorization": "Bearer 1|abc", "openai-project": "p"} if workspace else {"x-a": "b"}
    short, long = (carried(request, headers, body, head, short=short) for short in (True, False))
    assert short == long


def carried(
    request: dict[str, Any], headers: dict[str, str], body: bytes, head: Head, *, short: bool
) -> tuple[object, ...]:
    """Carry one call over an inner transport; what went out, and what came back."""
    sent: list[Any] = []

    class Inner(FAMILY.BaseTransport):  # type: ignore[misc]
        def handle_request(self, outgoing: Any) -> Any:  # noqa: ANN401
            sent.append(outgoing)
            return FAMILY.Response(head[0], headers={**head[1], "x-b": "c"}, stream=FAMILY.ByteStream(body))

    with FAMILY.Client(transport=Inner()) as inner:
        client = connection(
            42, http_client=inner, api_key="1|abc", workspace_id=7, unsupported="ignore", base_url=ROOT
        )["http_client"]
        transport = client._transport
        adapter = replace(transport.adapter)
        object.__setattr__(adapter, "may_be_plain", short and adapter.may_be_plain)
        transport.adapter = adapter
        response = client.post(URL, json=request, headers=headers)
        (outgoing,) = sent or [None]
        out = outgoing and (str(outgoing.url), sorted(outgoing.headers.multi_items()), outgoing.content)
        back = sorted((name, value) for name, value in response.headers.multi_items())
        return out, response.status_code, back, without_made_up(response.content)


def without_made_up(content: bytes) -> bytes:
    """Leave out of an answer, whole or streamed, what is made up anew each time."""
    return MADE_UP.sub(b"", content)
