"""JSON is read as it is; what is nearly JSON is read as it was meant; nothing is filled in."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tess_openai.core.emulate.single_value import read_first_value, read_only_value
from tess_openai.core.lenient_json import read_leniently
from tess_openai.core.strict_json import MAX_DEPTH, UnreadableError

FINITE = st.floats(allow_nan=False, allow_infinity=False)
SCALARS = st.none() | st.booleans() | st.integers(-(10**30), 10**30) | FINITE | st.text()
VALUES = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)
PLAIN_TEXT = st.text(st.characters(codec="ascii", categories=["L", "N"], include_characters=" '_-."))
PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | FINITE | PLAIN_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(PLAIN_TEXT, inner),
    max_leaves=20,
)


@given(VALUES, st.sampled_from([None, 2]), st.booleans())
def test_json_is_read_as_json(value: object, indent: int | None, ascii_only: bool) -> None:
    """Whatever the standard library writes is read back to the same value, to the end of the text."""
    text = json.dumps(value, indent=indent, ensure_ascii=ascii_only)
    reading = read_leniently(f" {text}")
    assert reading.value == value
    assert reading.end == len(text) + 1
    assert (reading.is_whole, reading.is_corrected) == (True, False)


@given(PLAIN)
def test_what_python_prints_is_read_as_it_was_meant(value: object) -> None:
    """A model that writes Python's literals is understood."""
    assert read_leniently(repr(value)).value == value


@given(st.dictionaries(PLAIN_TEXT, PLAIN, min_size=1, max_size=3))
@settings(max_examples=25)
def test_any_beginning_of_an_object_is_read_in_part_or_refused(value: dict[str, object]) -> None:
    """A cut text never gives a value that the whole text does not begin with."""
    text = json.dumps(value)
    for end in range(1, len(text)):
        try:
            reading = read_leniently(text[:end], is_closed=False)
        except UnreadableError:
            continue
        assert not reading.is_whole
        assert _is_part(reading.value, value)


def _is_part(part: object, whole: object) -> bool:
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and _is_part(member, whole[key]) for key, member in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        return len(part) <= len(whole) and all(map(_is_part, part, whole))
    return part == whole


@given(
    st.lists(
        st.sampled_from([*"{}[]:,\"'`“”\\/*#\n abtu019.-=+_é\ud83d…", "NaN", "Infinity", "1e999", "-1E400"])
    ).map("".join)
)
@example("NaN")
@example('{"a": [Infinity, -1e999]}')
def test_any_text_is_read_or_refused(text: str) -> None:
    """Nothing but `UnreadableError` is raised, and what is read can be written again."""
    for is_closed in (True, False):
        try:
            reading = read_leniently(text, is_closed=is_closed)
        except UnreadableError:
            continue
        json.dumps(reading.value, allow_nan=False)
        assert 0 <= reading.end <= len(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param("0.5", 0.5, id="a number"),
        pytest.param("-7", -7, id="a negative number"),
        pytest.param("+5", "+5", id="a telephone number is text"),
        pytest.param("[1_000]", ["1_000"], id="a number with underscores is text"),
        pytest.param("'a' // b", "a", id="a comment after a string"),
        pytest.param("/* a */ {b: [/* c */ 1]}", {"b": [1]}, id="comments where a value begins"),
        pytest.param("{a: yes, b: No way}", {"a": "yes", "b": "No way"}, id="words"),
        pytest.param("{a: it's, b: ls *.py}", {"a": "it's", "b": "ls *.py"}, id="an apostrophe, a star"),
        pytest.param("{a: 1,b: 2}", {"a": 1, "b": 2}, id="nothing after a comma"),
        pytest.param("{a: 1}}}]", {"a": 1}, id="brackets too many"),
        pytest.param("{'a': {'b': [1, 2}, 'c': 3}", {"a": {"b": [1, 2]}, "c": 3}, id="brackets exchanged"),
        pytest.param("{a: 1] }", {"a": 1}, id="a bracket of the wrong kind is passed over"),
        pytest.param("{a: 1],b: 2}", {"a": 1, "b": 2}, id="a bracket of the wrong kind before a comma"),
        pytest.param("{a: 1]}", {"a": 1}, id="a bracket of the wrong kind before the right one"),
        pytest.param("['a' b']", ["a' b"], id="between items only a comma or bracket ends a string"),
        pytest.param('{"a": {"b": "x", y"}}', {"a": {"b": 'x", y'}}, id="a quote in the last string, within"),
        pytest.param(
            '[{"a": "say "b" now"}]', [{"a": 'say "b" now'}], id="quotes in the last string of a list"
        ),
        pytest.param(
            "{'a': '''it's\nb''', 'c': \"\"\"d\n\"\"\"}", {"a": "it's\nb", "c": "d\n"}, id="three quotes"
        ),
        pytest.param('{"a": "\\ud83d\\ude42", b: "\\ud83d\\ude42"}', {"a": "🙂", "b": "🙂"}, id="surrogates"),
    ],
)
def test_a_slip_is_read_as_it_was_meant(text: str, value: object) -> None:
    """Each text has one mistake; model_outputs.txt has more, in whole answers."""
    assert read_leniently(text).value == value


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param("", "it ends in the middle", id="nothing"),
        pytest.param('{"a": "x" + "y"}', "a quote in a string", id="strings with a plus between them"),
        pytest.param("['a' 'b']", "a quote in a string", id="strings with nothing between them"),
        pytest.param('{"a": "x", "y"}', "a quote in a string", id="a second value without a key"),
        pytest.param('{"a": "x", // "y"\n}', "a quote in a string", id="a quote in a comment"),
        pytest.param('{"a": ""x""}', "a quote in a string", id="doubled quotes"),
        pytest.param("['a' b', 'c']", "a quote in a string", id="a quote in one of two strings"),
        pytest.param("{'a': '''b'''}", "a quote in a string", id="three quotes in one line"),
        pytest.param("{'a': ''''b\n'''}", "a quote in a string", id="four quotes before a string"),
        pytest.param("{'a': '''b\n''''}", "a quote in a string", id="four quotes after a string"),
        pytest.param("{'a': '''b\\n\n'''}", "a backslash in a string", id="an escape in three quotes"),
        pytest.param('{"a": "b\\tc\nd"}', "a backslash in a string", id="an escape and a line break"),
        pytest.param("{'a': 'b\\tc'}", "a backslash in a string", id="an escape in single quotes"),
        pytest.param("{'a': 'C:\\d'}", "a backslash in a string", id="what is no escape"),
        pytest.param("{'a': b'x'}", "a text needs quotes", id="bytes of Python"),
        pytest.param("{a: b // c\n}", "a text needs quotes: 'b'", id="a comment after a word"),
        pytest.param("{'a': 1 'b': 2}", "a value is missing", id="no comma after a number"),
        pytest.param("{'a': [] 'b': 2}", "a comma is missing before \"'b': 2}\"", id="no comma after a list"),
        pytest.param("{'a': [1, 2}", "its brackets do not match", id="brackets that do not match"),
        pytest.param("[a, /* b, c]", "a comment does not end", id="a comment without an end"),
        pytest.param("{a: C:\\new}", "a backslash in a string is ambiguous", id="a path without quotes"),
        pytest.param("[nan]", "nan is not JSON", id="no number"),
        pytest.param("[x, -Infinity]", "-Infinity is not JSON", id="a number without an end"),
        pytest.param("{a: +inf}", "+inf is not JSON", id="a number without an end, of Python"),
        pytest.param("{a: 1e9999}", "the number 1e9999 is too large", id="a number that is too large"),
        pytest.param("{'a': now()}", "a text needs quotes", id="a call of a program"),
        pytest.param("{'a': b + c}", "a text needs quotes", id="a sum"),
        pytest.param("{'a': <b>}", "a text needs quotes", id="a placeholder"),
        pytest.param("{'a': ", "it ends in the middle", id="cut after a colon"),
        pytest.param("{'a", "it ends in the middle of a string", id="cut in a key"),
        pytest.param("{'a'", "it ends in the middle", id="cut after a key"),
        pytest.param("{'a': '", "it ends in the middle of a string", id="cut in a string"),
        pytest.param("{'a': '''b\n'", "it ends in the middle of a string", id="cut in three quotes"),
        pytest.param("{'a': 'b\\", "it ends in the middle of a string", id="cut in an escape"),
        pytest.param("{'a': 1", "it ends in the middle of a value", id="cut after a digit"),
        pytest.param("12", "it ends in the middle of a number", id="a number that may go on"),
        pytest.param("{a}", "there is no colon after the key 'a'", id="a set"),
        pytest.param("{{}}", "a key is missing before '{}}'", id="an object as key"),
        pytest.param("{a: ,}", "a value is missing before ',}'", id="a gap"),
        pytest.param("{a: b: 1}", "a value is missing before 'b: 1}'", id="two colons"),
    ],
)
def test_what_cannot_be_read_states_why(text: str, reason: str) -> None:
    """The reason goes to the model, so that it can do better."""
    with pytest.raises(UnreadableError) as refusal:
        read_leniently(text, is_closed=False)
    assert reason in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "is_corrected", "holds_raw_text"),
    [
        pytest.param('/* a */ {"a": "b"}', False, False, id="a comment before JSON"),
        pytest.param("{'a': ['b']}", True, False, id="single quotes"),
        pytest.param("{'a': b}", True, True, id="a word without quotes"),
        pytest.param('{"a": "b\nc", "d": []}', True, True, id="a line break in a string before a list"),
        pytest.param("['''b\nc''']", True, True, id="a string in three quotes"),
        pytest.param('[["b\nc"], "d"]', True, True, id="a line break in a string of a list"),
    ],
)
def test_a_reading_states_what_was_wrong_with_the_text(
    text: str, is_corrected: bool, holds_raw_text: bool
) -> None:
    """What is done with a value depends on it."""
    reading = read_leniently(text)
    assert (reading.is_corrected, reading.holds_raw_text) == (is_corrected, holds_raw_text)


@pytest.mark.parametrize("opener", ['{"a":', "[", "{a:"], ids=["objects", "arrays", "sloppy objects"])
def test_nesting_is_bounded(opener: str) -> None:
    """The deepest allowed nesting is read, and deeper nesting is refused."""
    closer = "]" if opener == "[" else "}"
    assert read_leniently(opener * MAX_DEPTH + '"x"' + closer * MAX_DEPTH).is_whole
    for depth in (MAX_DEPTH + 1, MAX_DEPTH + 2, 100_000):
        with pytest.raises(UnreadableError, match="nested deeper"):
            read_leniently(opener * depth + '"x"' + closer * depth)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        pytest.param('The call: {"a": 1} That was it.', {"a": 1}, id="words around it"),
        pytest.param('```json\n{"a": 1}\n```', {"a": 1}, id="a fence around it"),
        pytest.param('f({"a": 1});', {"a": 1}, id="as in a program"),
        pytest.param('{"a": 1}} ]\n}', {"a": 1}, id="brackets too many"),
        pytest.param("[{}] // isn't it", [{}], id="an apostrophe after it"),
        pytest.param("nothing", None, id="nothing"),
    ],
)
def test_the_only_value_of_a_text_is_read(text: str, value: object) -> None:
    """What is around it is neither part of it nor of another."""
    reading = read_only_value(text)
    assert (None if reading is None else reading.value) == value
    first = read_first_value(text)
    assert (None if first is None else first.value) == value


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('{"a": "hi"} {"b": 2}', id="a second value"),
        pytest.param("{'a': 'hi'}, [2]", id="a second value after a comma"),
        pytest.param('{"a": "hi"} and more"}', id="words and the end of a string"),
        pytest.param('{"a": "hi"}"}', id="the end of a string"),
        pytest.param("{'a': 'hi'}'}", id="the end of a string in single quotes"),
        pytest.param("{'a': 'hi'} 'b", id="the beginning of a string in single quotes"),
        pytest.param('{"a": "hi"} more}', id="words and a bracket"),
        pytest.param('{"a": "hi", "b": 2, "a": 3}', id="a key that occurs twice"),
        pytest.param("{'a': 'hi', b: {c: 1, 'c': 2}}", id="a key that occurs twice within, in sloppy JSON"),
        pytest.param('"text": {"a": 1}', id="a key before it"),
    ],
)
def test_a_text_with_more_than_one_value_is_refused(text: str) -> None:
    """It may be one string, in which a quote lacks its backslash; the first value is still found."""
    with pytest.raises(UnreadableError, match=r"more than one|twice"):
        read_only_value(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        pytest.param('{"a": 1});\n</cal', "", id="the end of a program's call and a part of a mark"),
        pytest.param('{"a": 1}', "", id="nothing"),
        pytest.param('{"a": 1', "it ends in the middle of a value", id="a number that may go on"),
        pytest.param("{'a': 'b'", "it ends before its closing brackets", id="a bracket is missing"),
        pytest.param("{'a': [1, 2}", "its brackets do not match", id="a bracket is missing within"),
        pytest.param('{"a": 1} and', "text follows it, and the closing mark is missing", id="a word"),
    ],
)
def test_a_value_that_the_model_did_not_end_must_be_complete(text: str, reason: str) -> None:
    """Only a part of the closing mark may follow it, and the model learns what is wrong."""
    if not reason:
        reading = read_only_value(text, is_closed=False)
        assert reading is not None
        assert reading.value == {"a": 1}
        return
    with pytest.raises(UnreadableError) as refusal:
        read_only_value(text, is_closed=False)
    assert str(refusal.value) == reason


def test_the_first_value_of_a_text_must_not_be_cut() -> None:
    """A call is looked for in a text whose end is not known."""
    with pytest.raises(UnreadableError, match="in the middle of a value"):
        read_first_value("{'a': 1")
    closed = read_only_value("{'a': 1")
    assert closed is not None
    assert closed.value == {"a": 1}


def test_a_quote_in_the_last_of_two_strings_is_refused() -> None:
    """They may be one string with quotes in it; alone in its list, the last string is read."""
    assert read_leniently("['a' b']").value == ["a' b"]
    with pytest.raises(UnreadableError, match="a quote in a string"):
        read_leniently("['c', 'a' b']")


@pytest.mark.parametrize(
    ("text", "has_begun"),
    [
        pytest.param('{"a": 1, "a": 2}', True, id="a key that occurs twice"),
        pytest.param("{a:" * (MAX_DEPTH + 1), True, id="too many levels"),
        pytest.param("{a: NaN}", True, id="a number that JSON does not have"),
        pytest.param("['a', b'c']", True, id="an item before it"),
        pytest.param("['C:\\d']", True, id="a backslash in a string"),
        pytest.param("[a", True, id="the end of the text"),
        pytest.param("[b'c']", False, id="the first item is none"),
        pytest.param("{a b}", False, id="the first member is none"),
    ],
)
def test_a_value_that_has_begun_is_distinguished_from_a_bracket_in_prose(text: str, has_begun: bool) -> None:
    """After a value that has begun, no other value is searched for."""
    with pytest.raises(UnreadableError) as refusal:
        read_leniently(text, is_closed=False)
    assert refusal.value.has_begun == has_begun
