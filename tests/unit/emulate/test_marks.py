"""Marks are distinguished from texts that look like them, which are sent with a tilde and restored."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.marks import NONCE_KINDS, MarkKind, Marks, escape, restore, restore_all

NONCE = "tokibanuve"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        pytest.param("a <call:x> b", "a <~call:x> b", id="a mark"),
        pytest.param("</call:x>", "<~/call:x>", id="a closing mark"),
        pytest.param("<tool:x>", "<~tool:x>", id="another word with a colon"),
        pytest.param("<tool x>", "<tool x>", id="another word without a colon"),
        pytest.param("<b:x> <call", "<b:x> <call", id="tags that are no marks"),
        pytest.param("<~call:x>", "<~~call:x>", id="a mark with a tilde"),
        pytest.param(f"<{'~' * 8}call:x>", f"<{'~' * 8}call:x>", id="as many tildes as are counted"),
        pytest.param("1 < 2", "1 < 2", id="no tag"),
    ],
)
def test_a_text_that_looks_like_a_mark_is_sent_with_a_tilde(text: str, escaped: str) -> None:
    """Where the model repeats it, the caller gets it unchanged, also in the keys and values of arguments."""
    assert escape(text) == escaped
    if escaped != text:
        assert restore(escaped) == text
        assert restore_all({escaped: [escaped, {"a": escaped}, 1, None]}) == {
            text: [text, {"a": text}, 1, None]
        }


@pytest.mark.parametrize("text", ["<~b>", "<~ tool>", "a <~", "<call:x>"])
def test_other_text_is_not_restored(text: str) -> None:
    """Only a tilde in something that looks like a mark was written by the adapter."""
    assert restore(text) == text
    assert restore_all([{text: text}]) == [{text: text}]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        pytest.param(f"<CALL:{NONCE.upper()}>", MarkKind.OPEN, id="in capital letters"),
        pytest.param(f"<tool_call:{NONCE}>", MarkKind.OPEN, id="in a longer word"),
        pytest.param(f"</calls:{NONCE}>", MarkKind.CLOSE, id="closing, in the plural"),
        pytest.param(f"<result:{NONCE}>", MarkKind.RESULT_OPEN, id="of a result"),
        pytest.param(f"</result:{NONCE}>", MarkKind.RESULT_CLOSE, id="closing a result"),
        pytest.param(f"<action:{NONCE}>", MarkKind.MISNAMED_OPEN, id="in another word"),
        pytest.param(f"</action:{NONCE}>", MarkKind.MISNAMED_CLOSE, id="closing, in another word"),
        pytest.param(
            f"<b:{NONCE}>", MarkKind.MISNAMED_OPEN, id="in a word that has nothing to do with calls"
        ),
        pytest.param("</call:other>", MarkKind.NEAR_CLOSE, id="closing, with another nonce"),
        pytest.param("<~call:other>", MarkKind.ESCAPED, id="with a tilde"),
        pytest.param(f"[{NONCE}]", MarkKind.STRAY, id="the nonce in other brackets"),
    ],
)
def test_a_mark_is_recognised(text: str, kind: MarkKind) -> None:
    """Models change its case, its word or its brackets."""
    marks = Marks(NONCE)
    assert [(mark.kind, text[mark.start : mark.end]) for mark in marks.find(text, final=True)] == [
        (kind, text)
    ]
    shown = marks.without(f"a {text} b", NONCE_KINDS)
    assert shown == ("a  b" if kind in NONCE_KINDS else f"a {restore(text)} b")


@pytest.mark.parametrize(
    ("text", "start"),
    [
        pytest.param("a <b:TOKI", 2, id="in capital letters"),
        pytest.param("a toki", 2, id="a part of the nonce"),
        pytest.param("a call: toki", 2, id="a part of the nonce after its word"),
        pytest.param("a <b:x", None, id="another word and another nonce"),
    ],
)
def test_the_beginning_of_a_mark_is_undecided_to_its_end(text: str, start: int | None) -> None:
    """It is held from there on."""
    found = Marks(NONCE).find(text, final=False)
    assert found == ([] if start is None else [(MarkKind.UNDECIDED, start, len(text))])
    assert Marks(NONCE).without(text, NONCE_KINDS) == text


def test_no_part_of_a_mark_at_the_end_of_an_answer_is_shown() -> None:
    """The answer may have been cut within the mark."""
    assert Marks(NONCE).without(f"a <call:{NONCE}", NONCE_KINDS) == "a "
