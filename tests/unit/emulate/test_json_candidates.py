"""Which parts of an answer may be the JSON that was asked for, and where the search ends."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.json_candidates import find_candidates

MAY_CONTINUE = "text follows it that may be part of it; a quote in a string may lack its backslash"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        pytest.param('{"a": 1} and [2]', ['{"a": 1}', "[2]"], id="an object and a list"),
        pytest.param('{"a": 1}\nHe wrote "ok".\nYes.', ['{"a": 1}'], id="quotes in a later line"),
        pytest.param('{"a": 1} {"b": 2}\nok', ['{"a": 1}', '{"b": 2}'], id="two objects in one line"),
        pytest.param('{{"a": 1}', ['{"a": 1}'], id="an object after a bracket"),
        pytest.param('In {name} we have {"a": 1}', ['{"a": 1}'], id="a bracket in prose"),
        pytest.param("{'a' 1} {\"b\": 2}", ['{"b": 2}'], id="what is no object"),
        pytest.param("Some text\n[a, b]", ["[a, b]"], id="a list in a line of its own"),
        pytest.param("Some text: [a, b]", ["[a, b]"], id="a list after a colon"),
        pytest.param("Some text [a, b]", [], id="a list in prose"),
        pytest.param(" 7 ", ["7"], id="a number alone"),
        pytest.param("null", ["null"], id="null alone"),
        pytest.param("7 or 8", [], id="numbers in prose"),
    ],
)
def test_values_are_found_and_prose_is_not(text: str, found: list[str]) -> None:
    """The positions are those in the text, so that the caller gets a value as the model wrote it."""
    result = find_candidates(text, may_be_list=True)
    assert [text[each.start : each.end] for each in result.candidates] == found
    assert (result.broken_at, result.problem) == (None, "")


@pytest.mark.parametrize(
    ("text", "values"),
    [
        pytest.param("[a] [{'a': 1}]", [[{"a": 1}]], id="an object in a list"),
        pytest.param("[a] [1, {'a': 1}]", [[1, {"a": 1}]], id="an object after a number in a list"),
        pytest.param("[0, 1) {'a': 1}", [{"a": 1}], id="an interval in prose"),
        pytest.param('{"a": 1}\nas in f(x) [0, 1)', [{"a": 1}], id="an opening bracket after it"),
        pytest.param('see [1, 2]\n{"a": 1}', [[1, 2], {"a": 1}], id="a list that is JSON"),
        pytest.param('see [a, b]\n{"a": 1}', [{"a": 1}], id="a list of words"),
    ],
)
def test_where_no_list_was_asked_for_words_in_brackets_are_prose(text: str, values: list[object]) -> None:
    """Only a list that is JSON, or that holds an object, may be meant as a value."""
    result = find_candidates(text, may_be_list=False)
    assert [each.value for each in result.candidates] == values
    assert result.broken_at is None


@pytest.mark.parametrize(
    ("text", "place", "problem"),
    [
        pytest.param('{"a": 1} "b": 2}', 0, MAY_CONTINUE, id="a member after it"),
        pytest.param('{"a": 1}\n} rest', 0, MAY_CONTINUE, id="a closing bracket after it"),
        pytest.param('{"a": 1}\n[x] }', 0, MAY_CONTINUE, id="a closing bracket after others"),
        pytest.param('{"a": 1}\n{"b": 2}\n}', 9, MAY_CONTINUE, id="a closing bracket after two"),
        pytest.param('Yes: {"a": 1', 5, "it ends in the middle of a value", id="a missing bracket"),
        pytest.param('Yes: {"a": "b', 5, "it ends in the middle of a string", id="a missing quote"),
        pytest.param(
            '{"a": "say "hi" now"}',
            0,
            'a quote in a string is not escaped; write \\" for each quote in a string',
            id="quotes in a string",
        ),
        pytest.param('{"a": 1, "a": 2}', 0, "a key occurs twice in one object", id="a key that occurs twice"),
        pytest.param("{'a': NaN}\n{}", 0, "NaN is not JSON", id="a number that JSON does not have"),
        pytest.param("[1, 'a', b'c']\n{}", 0, "a text needs quotes: \"b'c'\"", id="part of a program"),
        pytest.param(
            '{"a":' * 300 + "1" + "}" * 300, 0, "it is nested deeper than 64 levels", id="too many levels"
        ),
    ],
)
def test_the_search_ends_at_a_value_that_is_not_whole(text: str, place: int, problem: str) -> None:
    """No part of it may be taken for the whole, and the model learns what is wrong with it."""
    result = find_candidates(text, may_be_list=False)
    assert (result.broken_at, result.problem) == (place, problem)


def test_repaired_values_are_marked() -> None:
    """A key of such a value that the schema does not declare may be a mistake of the repair."""
    text = "a: {\"b\": 1}, c: {'d': 1}\n[e, f]"
    result = find_candidates(text, may_be_list=True)
    assert [(each.value, each.is_corrected, each.holds_raw_text) for each in result.candidates] == [
        ({"b": 1}, False, False),
        ({"d": 1}, True, False),
        (["e", "f"], True, True),
    ]


def test_the_search_of_a_text_full_of_brackets_ends() -> None:
    """Each bracket that begins no JSON costs time, and each value that is read leniently costs more."""
    assert len(find_candidates("[a] " * 200 + '{"a": 1}', may_be_list=False).candidates) == 1
    result = find_candidates("[a] " * 300 + '{"a": 1}', may_be_list=False)
    assert (result.broken_at, result.problem) == (256 * 4, "there are too many brackets in it")
    assert len(find_candidates("{'a': 1} " * 20, may_be_list=False).candidates) == 20
    result = find_candidates("{'a': 1} " * 40, may_be_list=False)
    assert len(result.candidates) == 32
    assert (result.broken_at, result.problem) == (32 * 9, "it cannot be read")
