"""The nonce in a form that is not a mark, read at once and piece by piece."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.answer_parser import AnswerParser, HeldText
from tess_openai.core.emulate.marks import MarkKind, Marks

NONCE = "tokibanuve"
CALL = '\n{"name": "get_time", "arguments": {}}\n'
FORMS = (
    *(f"`call:{NONCE}`", f"$call:{NONCE}$", f"**call:{NONCE}**", f"### call:{NONCE}", f"call:{NONCE}"),
    *(f"//call:{NONCE}", f"#call:{NONCE}", f"[call:{NONCE}]", f"(time: {NONCE})", f"{{time={NONCE}}}"),
    *(f"\uff1ccall:{NONCE}\uff1e", f"\u3010call:{NONCE}\u3011", f"\xabcall:{NONCE}\xbb"),
    *(f"&lt;call:{NONCE}&gt;", f"&#60;call:{NONCE}&#62;", f"\\u003ccall:{NONCE}\\u003e"),
    *(f"<!-- call:{NONCE} -->", f"<call:get_time:{NONCE}>", f"<call get_time {NONCE}>"),
    *(f"CALL:{NONCE}", f"Call: {NONCE.upper()}", f"The code is {NONCE}."),
)


def read(text: str, size: int) -> tuple[str, HeldText]:
    """Feed a text in pieces; return what was shown before its end, and the rest."""
    parser = AnswerParser(Marks(NONCE), ["get_time"])
    shown = "".join(parser.feed(text[at : at + size]) for at in range(0, len(text), size))
    return shown, parser.finish()


@pytest.mark.parametrize("before", ["", "Ok.\n", "I will call a function. "])
@pytest.mark.parametrize("form", FORMS)
def test_it_is_never_shown_and_the_same_text_is_shown_in_any_pieces(before: str, form: str) -> None:
    """The answer shows that the model meant a call, so it is asked again."""
    whole, _ = read(before + form + CALL, 1000)
    for size in (1, 2, 3, 7, 1000):
        shown, rest = read(before + form + CALL, size)
        assert NONCE not in shown.lower()
        assert shown.rstrip() == whole.rstrip()
        assert rest.has_nonce


@pytest.mark.parametrize("text", ["I will call you (see below): done.", "a[0] & {b: c} call"])
def test_prose_that_could_begin_such_a_form_is_shown(text: str) -> None:
    """Text that was held is shown as prose when it does not become a mark."""
    for size in (1, 3, 1000):
        shown, rest = read(text, size)
        assert shown + rest.verbatim == text


@pytest.mark.parametrize("size", [1, 3, 1000])
def test_it_is_found_beside_calls_that_are_well_written(size: int) -> None:
    """One good call does not make the other text with the nonce a text for the caller."""
    call = f"<call:{NONCE}>{CALL}</call:{NONCE}>"
    for text in (f"{call}\nThe code is {NONCE}.", f"The code is {NONCE}.\n{call}", f"{call}{NONCE}{call}"):
        shown, rest = read(text, size)
        assert NONCE not in shown + rest.prose + rest.around
        kinds = [mark.kind for mark in Marks(NONCE).find(text, final=True)]
        assert kinds.count(MarkKind.STRAY) == 1
        assert kinds.count(MarkKind.OPEN) == kinds.count(MarkKind.CLOSE) == text.count(call)


@pytest.mark.parametrize(
    ("text", "is_final", "kinds"),
    [
        pytest.param("a <call", False, [MarkKind.UNDECIDED], id="the beginning of a mark"),
        pytest.param("a <call", True, [], id="the same at the end of the answer"),
        pytest.param(f"<call:{NONCE}> <ca", False, [MarkKind.OPEN, MarkKind.UNDECIDED], id="after a mark"),
        pytest.param(f"<call:{NONCE}> tokiba", False, [MarkKind.OPEN, MarkKind.UNDECIDED], id="of the nonce"),
        pytest.param("a <call>", False, [MarkKind.UNDECIDED], id="a mark without a nonce, before its call"),
        pytest.param("a <call>", True, [], id="a mark without a nonce and without a call"),
        pytest.param(
            'a <call>{"name": 1}', False, [MarkKind.NEAR_OPEN], id="a mark without a nonce before a call"
        ),
    ],
)
def test_what_may_become_a_mark_is_undecided(text: str, is_final: bool, kinds: list[MarkKind]) -> None:
    """Text is held only as long as it may become one."""
    assert [mark.kind for mark in Marks(NONCE).find(text, final=is_final)] == kinds
