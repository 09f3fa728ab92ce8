"""A request that needs nothing changed is recognised, and translated to what every other way would give."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.chat.untranslated_request import needs_no_translation
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
def test_a_request_that_needs_no_translation_is_translated_to_itself(
    request: dict[str, Any], merge: bool
) -> None:
    """The full translation gives the same request, and records nothing."""
    options = Options(merge_messages=merge)
    if needs_no_translation(request, options):
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
        assert short.ledger.policy is full.ledger.policy is options.policy


def test_a_request_that_needs_no_translation_is_recognised() -> None:
    """It is recognised with and without a stream; otherwise the other tests here would test nothing."""
    assert needs_no_translation(PLAIN, Options())
    assert needs_no_translation({**PLAIN, "stream": True}, Options())
    assert not needs_no_translation({**PLAIN, "stream": 1}, Options())
    assert not needs_no_translation({**PLAIN, "temperature": 1}, Options())


def test_with_options_that_change_requests_all_are_translated() -> None:
    """Any option that can change a request turns the short check off."""
    assert Options(
        workspace_id="7", temperatures=None, merge_messages=False, usage="none"
    ).may_need_no_translation
    assert not Options(tools="internet").may_need_no_translation
    assert not Options(fetch_agents=True).may_need_no_translation
    assert not Options(agent_names={"a": 1}).may_need_no_translation
    assert not Options(models={"gpt-4o": "tess-6"}).may_need_no_translation
    assert not Options(policy=Policy("emulate")).may_need_no_translation
    assert not Options(profile=TessProfile(agent_id=42, made="2026-11-24")).may_need_no_translation
    assert not Options(long_answers="stream").may_need_no_translation
    assert not Options(on_cut="return").may_need_no_translation
