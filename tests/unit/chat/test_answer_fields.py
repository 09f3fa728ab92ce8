"""Fields of an answer in forms that OpenAI does not send: which reading they get, and what is left out."""

from __future__ import annotations

import copy
from typing import Any, TypeAlias

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_types import (
    CHOICE_EXTRAS,
    ROOT_EXTRAS,
    coerce_message,
    drop_misfits,
    to_int,
    to_items,
)

JSON: TypeAlias = dict[str, Any]


@pytest.mark.parametrize(
    ("given", "number"),
    [
        (2, 2),
        (2.0, 2),
        (2.5, None),
        (float("inf"), None),
        (" 2 ", 2),
        ("9" * 18, 10**18 - 1),
        ("9" * 19, None),
        ("²", None),
        ("-1", None),
        ("", None),
        (True, None),
        (None, None),
        ([2], None),
    ],
)
def test_a_whole_number_is_read_from_every_form_with_one_reading(given: object, number: int | None) -> None:
    """Everything else is no number, also a text so long that to read it would take time."""
    assert to_int(given) == number


@pytest.mark.parametrize(
    ("given", "items"),
    [
        pytest.param([1, 2], [1, 2], id="a list"),
        pytest.param({"10": "c", "9": "b", "0": "a"}, ["a", "b", "c"], id="numbered keys in another order"),
        pytest.param({"9" * 18: "b", "0": "a"}, ["a", "b"], id="a key of 18 digits"),
        pytest.param({"9" * 19: "b"}, [{"9" * 19: "b"}], id="a key of 19 digits"),
        pytest.param({"0": "a", "b": "c"}, [{"0": "a", "b": "c"}], id="an object with another key"),
        pytest.param({}, None, id="an empty object"),
        pytest.param("a", None, id="a text"),
    ],
)
def test_a_list_is_read_from_an_item_and_from_numbered_keys(
    given: object, items: list[object] | None
) -> None:
    """The items come in the order of their numbers."""
    assert to_items(given) == items


NOT_A_TEXT = "Tess sent a content part that is not a text, which OpenAI's messages cannot contain"
IMAGE = {"type": "image_url", "image_url": {"url": "https://a.example"}}


@pytest.mark.parametrize(
    ("message", "texts", "dropped"),
    [
        pytest.param({"content": 7}, {"content": "7"}, [], id="a number"),
        pytest.param({"content": {"a": [1]}}, {"content": '{"a":[1]}'}, [], id="an object"),
        pytest.param({"content": [None, 7, "a"]}, {"content": "7a"}, [], id="null, a number and a text"),
        pytest.param(
            {
                "content": [
                    {"type": "text", "text": "a"},
                    {"type": "output_text", "text": {"value": "b"}},
                    {"type": "text", "content": "c"},
                    {"content": "d"},
                ]
            },
            {"content": "abcd"},
            [],
            id="texts in parts",
        ),
        pytest.param(
            {"content": [{"type": "text", "text": "a"}, {"type": "refusal", "refusal": "no"}]},
            {"content": "a", "refusal": "no"},
            [],
            id="a refusal among the parts",
        ),
        pytest.param(
            {"content": [{"refusal": "n"}, {"refusal": "o"}], "refusal": None},
            {"content": "", "refusal": "no"},
            [],
            id="a refusal in two parts, and a null one",
        ),
        pytest.param(
            {"content": [{"type": "refusal", "refusal": "other"}], "refusal": "no"},
            {"content": "", "refusal": "no"},
            [],
            id="a refusal of its own",
        ),
        pytest.param(
            {"content": None, "refusal": ["n", {"text": "o"}]},
            {"content": None, "refusal": "no"},
            [],
            id="a refusal that is a list of texts",
        ),
        pytest.param(
            {"content": [IMAGE, {"type": "text", "text": "a"}]},
            {"content": "a"},
            ["an object with 2 keys"],
            id="an image among the parts",
        ),
        pytest.param({"content": IMAGE}, {"content": ""}, ["an object with 2 keys"], id="an image alone"),
        pytest.param({"content": [{"a": 1}]}, {"content": ""}, ["an object with 1 key"], id="an odd part"),
        pytest.param(
            {"content": [{"type": "thinking", "text": "hm"}, {"type": "text", "text": "a"}]},
            {"content": "a"},
            [],
            id="a thought among the parts",
        ),
    ],
)
def test_the_text_of_a_message_is_read_from_every_type(
    message: JSON, texts: JSON, dropped: list[str]
) -> None:
    """A part that is not a text is reported, except for thoughts, which are no part of the answer."""
    notes: list[Change] = []
    fields = copy.deepcopy(message)
    assert coerce_message(fields, notes.append)
    assert fields == texts
    assert notes == [Change("noticed", "content", given, "", NOT_A_TEXT, warn="answer") for given in dropped]


CITATION = {"start_index": 0, "end_index": 1, "title": "t", "url": "https://a.example"}
LOGPROB = {"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}
TOP = {"token": "a", "logprob": 0}
AUDIO = {"id": "a", "data": "", "expires_at": 1, "transcript": ""}


def annotation(**fields: object) -> JSON:
    """Return annotations of one citation with other fields."""
    return {"annotations": [{"type": "url_citation", "url_citation": {**CITATION, **fields}}]}


def logprobs(**fields: object) -> JSON:
    """Return the log probabilities of one token with other fields."""
    return {"logprobs": {"content": [{**LOGPROB, **fields}]}}


@pytest.mark.parametrize(
    ("fields", "is_kept"),
    [
        pytest.param(annotation(), True, id="a citation"),
        pytest.param(annotation(extra=1), True, id="a citation with a field of Tess's own"),
        pytest.param({"annotations": []}, True, id="no citation"),
        pytest.param({"annotations": None}, True, id="null"),
        pytest.param(annotation(url=None), False, id="a citation without an address"),
        pytest.param(annotation(start_index="0"), False, id="a place that is a text"),
        pytest.param(annotation(end_index=True), False, id="a place that is true"),
        pytest.param({"annotations": [{"type": "file", "url_citation": CITATION}]}, False, id="another type"),
        pytest.param({"annotations": {"a": 1}}, False, id="an object"),
        pytest.param({"audio": AUDIO}, True, id="audio"),
        pytest.param({"audio": {"id": "a"}}, False, id="a part of audio"),
    ],
)
def test_an_optional_field_of_a_message_is_kept_if_clients_can_read_it(
    *, fields: JSON, is_kept: bool
) -> None:
    """The SDK's models would fail on the rest, and the text would be lost with them."""
    notes: list[Change] = []
    message: JSON = {"content": "a", **copy.deepcopy(fields)}
    assert coerce_message(message, notes.append) is not is_kept
    assert message == ({"content": "a", **fields} if is_kept else {"content": "a"})
    assert [note.param for note in notes] == ([] if is_kept else list(fields))


def test_audio_comes_in_parts_only_in_a_stream() -> None:
    """A delta may hold some of its fields, but none of another type."""
    notes: list[Change] = []
    assert not coerce_message({"content": "a", "audio": {"data": "x"}}, notes.append, is_delta=True)
    assert coerce_message({"content": "a", "audio": {"data": 7}}, notes.append, is_delta=True)
    assert [note.param for note in notes] == ["audio"]


@pytest.mark.parametrize(
    ("fields", "is_kept"),
    [
        pytest.param(logprobs(), True, id="a log probability"),
        pytest.param(logprobs(logprob=0, bytes=None, top_logprobs=[TOP]), True, id="0, and no bytes"),
        pytest.param({"logprobs": {"content": None, "refusal": [LOGPROB]}}, True, id="of a refusal"),
        pytest.param(logprobs(logprob="0"), False, id="a number that is a text"),
        pytest.param(logprobs(token=7), False, id="a token that is a number"),
        pytest.param(logprobs(bytes=["a"]), False, id="bytes that are texts"),
        pytest.param(logprobs(top_logprobs=None), False, id="no alternatives"),
        pytest.param(logprobs(top_logprobs=[{"token": "a"}]), False, id="an alternative without a number"),
        pytest.param({"logprobs": {"refusal": [{}]}}, False, id="an empty one of a refusal"),
        pytest.param({"logprobs": [LOGPROB]}, False, id="a list"),
        pytest.param({"system_fingerprint": "fp"}, True, id="a fingerprint"),
        pytest.param({"system_fingerprint": 7}, False, id="a fingerprint that is a number"),
        pytest.param({"service_tier": "flex"}, True, id="a tier of OpenAI's"),
        pytest.param({"service_tier": "gold"}, False, id="another tier"),
        pytest.param({"metadata": {"a": 1}}, True, id="metadata"),
        pytest.param({"metadata": ["a"]}, False, id="metadata that are a list"),
    ],
)
def test_an_optional_field_of_an_answer_is_kept_if_clients_can_read_it(
    *, fields: JSON, is_kept: bool
) -> None:
    """What is left out is recorded under its name, without its value."""
    notes: list[Change] = []
    given = copy.deepcopy(fields)
    assert drop_misfits(given, {**CHOICE_EXTRAS, **ROOT_EXTRAS}, notes.append) is not is_kept
    assert given == (fields if is_kept else {})
    why = "Tess sent it in a form that OpenAI's clients cannot read, so it was left out"
    assert [(note.action, note.param, note.sent, note.why, note.warn) for note in notes] == [
        ("noticed", key, "", why, None) for key in fields if not is_kept
    ]
