"""Which call a result belongs to, whatever the identifiers are."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.past_calls import PastCalls


@pytest.mark.parametrize(
    ("calls", "results", "labels"),
    [
        pytest.param("a:one b:two", "a b", "one two", id="identifiers of their own"),
        pytest.param("a:one b:two", "b a", "two one", id="results in another order"),
        pytest.param(":one :two", ": :", "one two", id="no identifiers"),
        pytest.param("0:one 0:two", "0 0", "one two", id="one identifier for all"),
        pytest.param("0:one 0:two 0:three", "0 0 0", "one two three", id="one identifier for three"),
        pytest.param("0:one 1:two 0:three", "0 1 0", "one two three", id="identifiers that repeat"),
        pytest.param("a:one b:two", ": :", "one two", id="identifiers only at the calls"),
        pytest.param("a:one :two", ": a", "two one", id="a result without identifier comes first"),
        pytest.param("a:one :two", "a :", "one two", id="a result without identifier comes last"),
        pytest.param(":one :two", "x y", "one two", id="identifiers only at the results"),
        pytest.param("a:one", "b", "function", id="an identifier that no call has"),
        pytest.param("a:one", "a a", "one one", id="a second result of one call"),
        pytest.param("", ":", "function", id="no call at all"),
    ],
)
def test_a_result_belongs_to_its_call(calls: str, results: str, labels: str) -> None:
    """The call is found by its identifier, or else by its order."""
    past = PastCalls()
    for call in calls.split():
        identifier, _, name = call.partition(":")
        past.add([(identifier, name, name)])
    assert [past.label_of_result(each.strip(":"), "") for each in results.split()] == labels.split()


def test_a_result_with_a_name_belongs_to_a_call_of_that_name() -> None:
    """The older `function` messages have names; a name that was not called stays unchanged."""
    past = PastCalls()
    past.add([("", "one", "one (call 1)"), ("", "two", "two (call 2)"), ("", "one", "one (call 3)")])
    assert past.label_of_result("", "two") == "two (call 2)"
    assert past.label_of_result("", "one") == "one (call 1)"
    assert past.label_of_result("", "one") == "one (call 3)"
    assert past.label_of_result("", "three") == "three"
