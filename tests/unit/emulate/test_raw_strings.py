r"""A model that copies a text into JSON without escaping it: no value that differs from the text, in silence.

What is valid JSON as it was written is exempt: `{"path": "C:\new"}` has one meaning, and it is JSON's.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tess_openai.core.emulate.answer_reader import AnswerReader
from tess_openai.core.emulate.emulation import Emulation
from tess_openai.core.emulate.outcomes import AskAgain, Outcome, TextOutcome, ToolCallOutcome
from tests.unit.emulate.raw_strings import KINDS, generate

TEXT = {"type": "string"}


@dataclass(frozen=True)
class Shape:
    """Where in its arguments a function takes a text.

    Attributes:
        schema: Of the arguments.
        written: The arguments, with `@` for the string, quotes included.
    """

    name: str
    schema: dict[str, Any]
    written: str

    def fill(self, string: str) -> str:
        """Return the arguments with this string."""
        return self.written.replace("@", string)

    def value(self, text: str) -> object:
        """Return the arguments that hold the text."""
        return json.loads(self.fill(json.dumps(text)))


def _object(properties: dict[str, Any], *required: str, **more: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": list(required), **more}


SHAPES = [
    Shape("the only argument", _object({"text": TEXT}, "text", additionalProperties=False), '{"text": @}'),
    Shape("an open object", _object({"text": TEXT}, "text"), '{"text":@}'),
    Shape("the first argument", _object({"text": TEXT, "title": TEXT}), '{"text": @, "title": "x"}'),
    Shape("the last argument", _object({"title": TEXT, "text": TEXT}), '{"title": "x", "text": @}'),
    Shape("before a number", _object({"text": TEXT, "id": {"type": "integer"}}), '{"text": @, "id": 3}'),
    Shape(
        "within an object",
        _object({"file": _object({"path": TEXT, "text": TEXT}, "text")}, "file"),
        '{"file": {"path": "a", "text": @}}',
    ),
    Shape("in a list", _object({"items": {"type": "array", "items": TEXT}}), '{"items": ["a", @, "b"]}'),
    Shape("last in a list", _object({"items": {"type": "array", "items": TEXT}}), '{"items": [@]}'),
    Shape(
        "in a list of objects",
        _object({"edits": {"type": "array", "items": _object({"old": TEXT, "new": TEXT})}}),
        '{"edits": [{"old": @, "new": "y"}, {"old": "z", "new": @}]}',
    ),
    Shape(
        "in a map",
        _object({"env": {"type": "object", "additionalProperties": TEXT}}),
        '{"env": {"A": @}}',
    ),
    Shape(
        "in a choice of types",
        _object({"value": {"anyOf": [{"type": "integer"}, TEXT, {"type": "null"}]}}, "value"),
        '{"value": @}',
    ),
    Shape(
        "by reference",
        {**_object({"text": {"$ref": "#/$defs/t"}}), "$defs": {"t": TEXT}},
        '{"text": @}',
    ),
    Shape("of any type", _object({"value": {}}), '{"value": @}'),
    Shape("anything", {"type": "object"}, '{"whatever": @}'),
]
CORPUS = list(generate(220))


def _third(shape: Shape) -> list[tuple[str, str]]:
    """Return a third of the corpus; each shape has its own."""
    return CORPUS[SHAPES.index(shape) % 3 :: 3]


def _emulation(make: Callable[..., Emulation], shape: Shape) -> Emulation:
    tool = {"type": "function", "function": {"name": "put", "parameters": shape.schema}}
    return make(tools=[tool])


def _read(emulation: Emulation, answer: str) -> Outcome:
    reader = AnswerReader(emulation)
    reader.feed(answer)
    return reader.finish()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _raw(shape: Shape, text: str, quotes: str = '"') -> str:
    return shape.fill(f"{quotes}{text}{quotes}")


def _answers(emulation: Emulation, call: str) -> Iterator[str]:
    marks = emulation.marks
    yield f"{marks.open}\n{call}\n{marks.close}"
    yield f"Sure.\n{marks.open}```json\n{call}\n```{marks.close}\n"


def test_the_corpus_is_broad() -> None:
    """Three thousand texts of more than ten kinds, none twice."""
    assert len(KINDS) >= 10
    assert len(CORPUS) >= 3_000
    assert len(set(CORPUS)) == len(CORPUS)


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_text_that_was_not_escaped_is_read_as_it_is_or_asked_for_again(
    make_emulation: Callable[..., Emulation], shape: Shape
) -> None:
    """Whole answers in double and in single quotes never give another text."""
    emulation = _emulation(make_emulation, shape)
    read = 0
    for number, (kind, text) in enumerate(CORPUS):
        quotes = "'" if number % 8 == 7 else '"'
        call = f'{{"name": "put", "arguments": {_raw(shape, text, quotes)}}}'
        if _is_json(call):
            continue
        answer = list(_answers(emulation, call))[number % 2]
        outcome = _read(emulation, answer)
        if isinstance(outcome, ToolCallOutcome):
            read += 1
            assert json.loads(outcome.calls[0].arguments) == shape.value(text), (kind, answer)
        else:
            assert isinstance(outcome, AskAgain), (kind, answer)
    assert read > len(CORPUS) / 100  # some can be read in one way only


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_text_that_was_not_escaped_and_is_cut_is_never_called(
    make_emulation: Callable[..., Emulation], shape: Shape
) -> None:
    """An answer that ends anywhere within the call, with or without a finish reason that says so."""
    emulation = _emulation(make_emulation, shape)
    chance = random.Random(shape.name)  # noqa: S311 - the same cuts each time
    for number, (kind, text) in enumerate(_third(shape)):
        call = f'{{"name": "put", "arguments": {_raw(shape, text)}}}'
        ends = range(1, len(call)) if number % 100 == 50 else [chance.randrange(1, len(call))]
        for end in ends:
            if _is_json(call[:end]):
                continue
            outcome = _read(emulation, f"{emulation.marks.open}\n{call[:end]}")
            if isinstance(outcome, ToolCallOutcome):
                assert json.loads(outcome.calls[0].arguments) == shape.value(text), (kind, call[:end])
            else:
                assert isinstance(outcome, AskAgain), (kind, call[:end])


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_text_that_was_escaped_is_read_as_it_is(
    make_emulation: Callable[..., Emulation], shape: Shape
) -> None:
    """Each text is read correctly, without a further call."""
    emulation = _emulation(make_emulation, shape)
    for number, (kind, text) in enumerate(_third(shape)):
        call = f'{{"name": "put", "arguments": {shape.fill(json.dumps(text, ensure_ascii=number % 3 == 0))}}}'
        outcome = _read(emulation, list(_answers(emulation, call))[number % 2])
        assert isinstance(outcome, ToolCallOutcome), (kind, call)
        assert json.loads(outcome.calls[0].arguments) == shape.value(text), (kind, call)


def _format(shape: Shape) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "answer", "schema": shape.schema}}


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_text_in_structured_output(make_emulation: Callable[..., Emulation], shape: Shape) -> None:
    """The same where the answer itself is JSON: not escaped, cut, and escaped."""
    emulation = make_emulation(tools=None, response_format=_format(shape))
    chance = random.Random(shape.name)  # noqa: S311 - the same cuts each time
    for number, (kind, text) in enumerate(_third(shape)):
        raw = _raw(shape, text)
        answers = [(raw, False), (raw[: chance.randrange(1, len(raw))], False)]
        answers.append((shape.fill(json.dumps(text)), True))
        for answer, is_escaped in answers:
            if not is_escaped and _is_json(answer):
                continue
            outcome = _read(emulation, f"Here:\n```json\n{answer}\n```" if number % 4 == 1 else answer)
            if isinstance(outcome, TextOutcome):
                assert json.loads(outcome.text) == shape.value(text), (kind, answer)
            else:
                assert isinstance(outcome, AskAgain), (kind, answer)
                assert not is_escaped, (kind, answer)
