"""Characters split between chunks or in a whole answer: joined, or replaced where half of one is lost."""

from __future__ import annotations

import pytest

from tess_openai.core.chat.split_characters import SplitTextJoiner, join_characters, parse_answer

FACE = "\U0001f642"
HIGH, LOW = "\ud83d", "\ude42"  # its UTF-16 units
BYTES = [chr(0xDC00 + byte) for byte in FACE.encode()]  # its bytes, as `parse_answer` keeps them


@pytest.mark.parametrize(
    ("data", "value", "may_be_split"),
    [
        pytest.param(b'{"a":"b"}', {"a": "b"}, False, id="ASCII"),
        pytest.param(f'{{"a":"{FACE}"}}'.encode(), {"a": FACE}, False, id="UTF-8"),
        pytest.param(b'{"a":"\\n"}', {"a": "\n"}, False, id="an escaped line end"),
        pytest.param(b'{"a":"\\u00e9"}', {"a": "é"}, False, id="an escaped letter"),
        pytest.param(b'{"a":"\\ud83d"}', {"a": HIGH}, True, id="an escaped half"),
        pytest.param(b'{"a":"\\uDE42"}', {"a": LOW}, True, id="an escaped half in capitals"),
        pytest.param(b'{"a":"\xf0\x9f"}', {"a": "".join(BYTES[:2])}, True, id="half of the bytes"),
        pytest.param(b"not JSON", None, False, id="no JSON"),
        pytest.param(b"not JSON \xf0\x9f", None, False, id="no JSON and no UTF-8"),
    ],
)
def test_an_answer_is_parsed_even_if_a_character_in_it_is_split(
    *, data: bytes, value: object, may_be_split: bool
) -> None:
    """The caller learns whether strings may hold halves of characters, and searches only those answers."""
    assert parse_answer(data) == (value, may_be_split)


def test_an_answer_that_was_parsed_before_is_not_parsed_again() -> None:
    """The value that the caller holds is returned itself, so that changes of it are seen everywhere."""
    parsed = {"a": HIGH}
    value, may_be_split = parse_answer(b'{"a":"\\ud83d"}', parsed)
    assert value is parsed
    assert may_be_split


@pytest.mark.parametrize(
    ("given", "repaired"),
    [
        pytest.param("é" + FACE, "é" + FACE, id="whole characters"),
        pytest.param(f"a{HIGH}{LOW}b", f"a{FACE}b", id="both halves"),
        pytest.param("\ud83d\udcf0", "\U0001f4f0", id="a second half that could be a byte"),
        pytest.param(f"a{HIGH}b{LOW}", "a\ufffdb\ufffd", id="halves apart"),
        pytest.param("a" + "".join(BYTES), f"a{FACE}", id="all bytes"),
        pytest.param("a" + "".join(BYTES[:3]), "a\ufffd", id="too few bytes"),
        pytest.param(
            {f"k{HIGH}": [LOW, 1, None, {"b": HIGH + LOW}]},
            {"k\ufffd": ["\ufffd", 1, None, {"b": FACE}]},
            id="names and values at every level",
        ),
    ],
)
def test_every_text_of_a_value_can_be_printed_and_sent(given: object, repaired: object) -> None:
    """Halves that belong together become their character, and every other half becomes U+FFFD."""
    assert join_characters(given) == repaired


JOINED = [
    pytest.param([f"a{HIGH}", f"{LOW}b"], ["a", f"{FACE}b"], id="two units"),
    pytest.param([BYTES[0], BYTES[1], BYTES[2], BYTES[3] + "b"], ["", "", "", f"{FACE}b"], id="byte by byte"),
    pytest.param([f"a{HIGH}", "", f"{LOW}"], ["a", "", FACE], id="an empty text between"),
    pytest.param([f"a{HIGH}", "b"], ["a", "\ufffdb"], id="a text that does not continue it"),
    pytest.param([LOW + "a", "b"], ["\ufffda", "b"], id="a second half alone"),
    pytest.param(
        [{"content": HIGH, "refusal": "a"}, {"content": LOW, "refusal": LOW}],
        [{"content": "", "refusal": "a"}, {"content": FACE, "refusal": "\ufffd"}],
        id="each key continues its own text",
    ),
    pytest.param(
        [[{"index": 1, "x": HIGH}], [{"index": 0, "x": "a"}, {"index": 1, "x": LOW}]],
        [[{"index": 1, "x": ""}], [{"index": 0, "x": "a"}, {"index": 1, "x": FACE}]],
        id="the same call at another position",
    ),
    pytest.param(
        [[{"index": 1, "x": HIGH}], [{"index": "1", "x": LOW}]],
        [[{"index": 1, "x": ""}], [{"index": "1", "x": FACE}]],
        id="an index that becomes a string",
    ),
    pytest.param(
        [[{"x": "a"}, {"x": HIGH}], [{"x": LOW}, {"x": LOW}]],
        [[{"x": "a"}, {"x": ""}], [{"x": "\ufffd"}, {"x": FACE}]],
        id="calls without an index continue by position",
    ),
    pytest.param([7, None, True], [7, None, True], id="values without a text"),
]


@pytest.mark.parametrize(("given", "joined"), JOINED)
def test_a_character_that_is_split_between_deltas_comes_with_its_last_part(
    given: list[object], joined: list[object]
) -> None:
    """A text gets the other half only from the text that continues it."""
    joiner = SplitTextJoiner()
    assert [joiner.join_all((0, "delta"), delta) for delta in given] == joined
    assert joiner.pending == {}


def test_halves_of_one_choice_are_kept_and_given_up_without_those_of_another() -> None:
    """At the end of a choice its half becomes U+FFFD; the text of another choice may still go on."""
    joiner = SplitTextJoiner()
    for index in (0, 1):
        joiner.join_all((index, "delta"), {"content": HIGH, "reasoning": BYTES[0]})
    assert joiner.flush(2) == []
    assert joiner.has(0)
    assert sorted(joiner.flush(0)) == [("content", "\ufffd"), ("reasoning", "\ufffd")]
    assert not joiner.has(0)
    assert joiner.join_all((1, "delta"), {"content": LOW}) == {"content": FACE}
    assert joiner.has(1)


def test_the_half_of_an_argument_is_given_up_at_the_end_without_a_text_for_it() -> None:
    """Arguments that end inside a character are not complete JSON with a replacement either."""
    joiner = SplitTextJoiner()
    joiner.join_all((0, "delta"), {"tool_calls": [{"index": 0, "function": {"arguments": HIGH}}]})
    assert joiner.flush(0) == []
    assert not joiner.has(0)
