"""An answer is read to one outcome, and a repair gives out nothing before it is known to be one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.outcomes import AskAgain, FailedOutcome, Outcome, TextOutcome, ToolCallOutcome

CALL = '<call:tokibanuve>{"name": "get_time", "arguments": {}}</call:tokibanuve>'
BAD_CALL = '<call:tokibanuve>{"name": "fly", "arguments": {}}</call:tokibanuve>'
NO_TOOLS: dict[str, Any] = {"tools": None}
PERSON = {"response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": "person"}}}


def ask_again(outcome: Outcome) -> AskAgain:
    """Narrow an outcome."""
    assert isinstance(outcome, AskAgain)
    return outcome


def test_prose_goes_out_as_it_comes(make_emulation: Callable[..., Emulation]) -> None:
    """Only text that may be a part of a mark, and white space before it, is held."""
    reader = AnswerReader(make_emulation())
    pieces = ["Hel", "lo ", "you <", "b> and <ca", "me> ", "<call", "ing ", "\n```", "py\n", "x", " <"]
    shown = [reader.feed(piece) for piece in pieces]
    assert shown == ["Hel", "lo", " you", " <b> and", " <came>", "", " <calling", "", "", " \n```py\nx", ""]
    assert reader.finish() == TextOutcome(text=" <")


@pytest.mark.parametrize(
    "body",
    [{"tool_choice": "required"}, {"tools": None, "response_format": {"type": "json_object"}}],
    ids=["a call is demanded", "JSON is wanted"],
)
def test_nothing_goes_out_where_the_end_decides(
    make_emulation: Callable[..., Emulation], body: dict[str, Any]
) -> None:
    """Text that may have to be asked for again is held."""
    reader = AnswerReader(make_emulation(**body))
    assert reader.feed('Well, {"a": 1} is it.') == ""


def test_a_repair_holds_its_prose_and_drops_it_where_a_call_comes_of_it(
    make_emulation: Callable[..., Emulation],
) -> None:
    """The apology of a model is not part of the answer."""
    reader = AnswerReader(make_emulation(), is_repair=True)
    assert reader.feed(f"Sorry! {CALL}") == ""
    outcome = reader.finish()
    assert isinstance(outcome, ToolCallOutcome)
    assert outcome.text == ""


def test_a_repair_that_is_prose_is_the_answer(make_emulation: Callable[..., Emulation]) -> None:
    """The model has thought better of it."""
    reader = AnswerReader(make_emulation(), is_repair=True)
    assert reader.feed("I need no function.") == ""
    assert reader.finish() == TextOutcome(text="I need no function.")


def test_a_repair_names_the_problems_and_the_functions(make_emulation: Callable[..., Emulation]) -> None:
    """The note has the marks of the request, and the answer is kept to be compared with the next one."""
    reader = AnswerReader(make_emulation())
    reader.feed(f"Off we go. {BAD_CALL}")
    outcome = ask_again(reader.finish())
    assert outcome.answer == f"Off we go. {BAD_CALL}"
    assert "there is no function 'fly'; there are: get_weather, get_time" in outcome.repair_note
    assert "between <call:tokibanuve> and </call:tokibanuve>" in outcome.repair_note


@pytest.mark.parametrize(
    ("body", "answer", "why"),
    [
        ({}, '{"name": "get_time", "arguments": {}}', "it was not written between the marks"),
        ({}, f"{CALL} It is noon, and the sun shines.", "text after a function call"),
        ({}, CALL + BAD_CALL, "not every function call"),
        ({"tool_choice": "required"}, "It is noon.", "the answer contained none"),
        ({"tool_choice": "none"}, CALL, "allows no function call"),
    ],
)
def test_a_repair_is_recorded_with_its_own_reason(
    make_emulation: Callable[..., Emulation], body: dict[str, Any], answer: str, why: str
) -> None:
    """The ledger says what was wrong with this answer."""
    messages = [{"role": "tool", "tool_call_id": "c1", "content": "noon"}]
    reader = AnswerReader(make_emulation(messages=messages, **body))
    reader.feed(answer)
    assert why in ask_again(reader.finish()).change.why


def test_what_the_model_wrote_is_no_template(make_emulation: Callable[..., Emulation]) -> None:
    """A placeholder in the text of the model is not filled in."""
    reader = AnswerReader(make_emulation())
    reader.feed('<call:tokibanuve>{"name": "{open}", "arguments": {}}')
    assert "there is no function '{open}'" in ask_again(reader.finish()).repair_note


def test_a_repeated_text_is_not_urged_into_a_call(make_emulation: Callable[..., Emulation]) -> None:
    """A call without marks may be a text of the user's that the model repeats; it is asked again."""
    reader = AnswerReader(make_emulation())
    reader.feed('{"name": "get_time", "arguments": {}}')
    note = ask_again(reader.finish()).repair_note
    assert "If a function is needed" in note
    assert "If not" in note


def test_the_error_of_a_demand_that_was_not_met_names_it(make_emulation: Callable[..., Emulation]) -> None:
    """Programs read its status, parameter and code, and people its message."""
    choice = {"type": "function", "function": {"name": "get_time"}}
    outcome = AnswerReader(make_emulation(tool_choice=choice)).finish()
    failed = ask_again(outcome).fallback
    assert isinstance(failed, FailedOutcome)
    refused = failed.refused
    assert (refused.status, refused.param, refused.code) == (422, "tool_choice", "function_call_missing")
    assert "'get_time'" in refused.message


def test_the_error_in_the_older_spelling_names_its_parameter(
    make_emulation: Callable[..., Emulation],
) -> None:
    """The error and the ledger name `functions` or `function_call` for a request that uses them."""
    body = {"tools": None, "functions": [{"name": "look"}], "function_call": {"name": "look"}}
    outcome = ask_again(AnswerReader(make_emulation(**body)).finish())
    assert isinstance(outcome.fallback, FailedOutcome)
    assert outcome.fallback.refused.param == "function_call"
    assert outcome.change.param == "functions"


def test_what_was_left_aside_is_in_the_ledger(make_emulation: Callable[..., Emulation]) -> None:
    """Text after a call, calls beyond the one allowed, calls that could not be made."""
    reader = AnswerReader(make_emulation(parallel_tool_calls=False))
    reader.feed(f"{CALL}{CALL} It is noon.")
    outcome = reader.finish()
    assert isinstance(outcome, ToolCallOutcome)
    assert [(change.param, change.given) for change in outcome.changes] == [
        ("tool_calls", "1 call"),
        ("content", "11 characters"),
    ]
    reader = AnswerReader(make_emulation())
    reader.feed(CALL + BAD_CALL)
    called = ask_again(reader.finish()).fallback
    assert isinstance(called, ToolCallOutcome)
    assert [(change.given, change.warn) for change in called.changes] == [("1 problem", "answer")]
    reader = AnswerReader(make_emulation())
    reader.feed(CALL + BAD_CALL.replace("fly", "note"))
    called = ask_again(reader.finish()).fallback
    assert isinstance(called, ToolCallOutcome)
    assert [(change.given, change.warn) for change in called.changes] == [("1 call", "answer")]


def test_a_call_in_an_answer_that_was_cut_is_not_made_up_to_the_end(
    make_emulation: Callable[..., Emulation],
) -> None:
    """A missing bracket is added only before a closing mark."""
    text = '<call:tokibanuve>{"name": "get_weather", "arguments": {"city": "Lisbon"}'
    for is_truncated in (False, True):
        reader = AnswerReader(make_emulation())
        reader.feed(text)
        assert isinstance(reader.finish(is_truncated=is_truncated), AskAgain)


def test_incomplete_json_of_an_answer_that_was_cut_is_returned(
    make_emulation: Callable[..., Emulation],
) -> None:
    """OpenAI does the same, and the finish reason says so; a further answer would be cut too."""
    for answer, reply in (
        ('Sure: {"name": "An', '{"name": "An'),
        ('```\n{"name": "Ana", "age": 31}\n```\nThat is', '{"name": "Ana", "age": 31}'),
        ("I am sorry [policy", "I am sorry [policy"),
    ):
        reader = AnswerReader(make_emulation(**NO_TOOLS, **PERSON))
        reader.feed(answer)
        assert reader.finish(is_truncated=True) == TextOutcome(text=reply)


def test_a_refusal_ends_where_text_would(make_emulation: Callable[..., Emulation]) -> None:
    """A refusal ends at a stop sequence or at the limit, with that finish reason."""
    cases: list[tuple[dict[str, Any], TextOutcome]] = [
        ({"stop": "sorry"}, TextOutcome(refusal="I am ", finish_reason="stop")),
        ({"max_tokens": 1}, TextOutcome(refusal="I am", finish_reason="length")),
    ]
    for limits, reply in cases:
        reader = AnswerReader(make_emulation(**NO_TOOLS, **PERSON, **limits))
        reader.feed("I am sorry.")
        assert ask_again(reader.finish()).fallback == reply


def test_the_text_ends_early_where_it_may(make_emulation: Callable[..., Emulation]) -> None:
    """The reader says when the rest need not be read, so that the connection can be closed."""
    reader = AnswerReader(make_emulation(stop="END"))
    seen = [(reader.feed(text), reader.finish_reason) for text in ("a E", "ND b")]
    assert seen == [("a ", None), ("", "stop")]
    assert reader.feed("c") == ""
    assert reader.finish() == TextOutcome(finish_reason="stop")


def test_prose_held_for_a_stop_sequence_is_not_lost_before_a_call(
    make_emulation: Callable[..., Emulation],
) -> None:
    """What might have begun one is given out when it did not."""
    reader = AnswerReader(make_emulation(stop="END"))
    assert reader.feed(f"the EN\n{CALL}") == "the "
    outcome = reader.finish()
    assert isinstance(outcome, ToolCallOutcome)
    assert outcome.text == "EN"
