"""A request that needs nothing changed is recognised, and translated to what every other way would give."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.plain_request import is_plain
from tess_openai.core.chat_call import translate_changed_request, translate_request
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile

PLAIN: dict[str, Any] = {"messages": [{"role": "user", "content": "hi"}], "model": "tess-6"}


def mostly(usual: object, *others: object) -> st.SearchStrategy[Any]:
    """Draw the usual value most of the time, else one that some program may send."""
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


@given(REQUESTS, st.booleans())
def test_a_plain_request_is_translated_to_itself(request: dict[str, Any], merge: bool) -> None:
    """The full translation gives the same request, and records nothing."""
    options = Options(merge_messages=merge)
    if is_plain(request, options):
        short = translate_request(request, options, new_id=str)
        full = translate_changed_request(request, options, None, new_id=str)
        assert (full.ledger.changes, short.ledger.changes) == ((), ())
        assert (full.body, full.untouched, full.stream, full.include_usage, full.emulation) == (
            short.body,
            short.untouched,
            short.stream,
            short.include_usage,
            short.emulation,
        )
        assert short.untouched


def test_a_plain_request_is_recognised() -> None:
    """It is recognised with and without a stream; otherwise the other tests here would test nothing."""
    assert is_plain(PLAIN, Options())
    assert is_plain({**PLAIN, "stream": True}, Options())
    assert not is_plain({**PLAIN, "stream": 1}, Options())
    assert not is_plain({**PLAIN, "temperature": 1}, Options())


def test_options_that_change_requests_leave_nothing_plain() -> None:
    """Any option that can change a request turns the short check off."""
    assert Options(workspace_id="7", temperatures=None, merge_messages=False, usage="none").may_be_plain
    assert not Options(tools="internet").may_be_plain
    assert not Options(fetch_agents=True).may_be_plain
    assert not Options(agent_names={"a": 1}).may_be_plain
    assert not Options(models={"gpt-4o": "tess-6"}).may_be_plain
    assert not Options(policy=Policy("emulate")).may_be_plain
    assert not Options(profile=TessProfile(agent_id=42, made="2026-11-24")).may_be_plain
    assert not Options(long_answers="stream").may_be_plain
    assert not Options(on_cut="return").may_be_plain
