"""Files named in messages."""

from __future__ import annotations

import copy
from functools import partial
from typing import Any

import pytest

from tess_openai.core.chat_call import translate_request
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy

prepare = partial(translate_request, new_id=lambda: "0123456789ab")

FILE = {"type": "file", "file": {"file_id": "389571"}}
TEXT = {"type": "text", "text": "Sum it up."}


def user(*parts: object) -> dict[str, Any]:
    """Return a message of parts."""
    return {"role": "user", "content": list(parts)}


@pytest.mark.parametrize(
    ("messages", "own", "content", "file_ids"),
    [
        pytest.param([user(TEXT, FILE)], None, "Sum it up.", [389571], id="beside a text"),
        pytest.param([user(FILE)], None, "See the attached files.", [389571], id="alone"),
        pytest.param([user(TEXT, FILE)], [1], "Sum it up.", [1, 389571], id="after the caller's own"),
        pytest.param([user(TEXT, FILE, FILE)], [389571], "Sum it up.", [389571], id="each once"),
        pytest.param([user(TEXT, FILE)], ["389571"], "Sum it up.", ["389571"], id="named as text before"),
        pytest.param(
            [user(TEXT, {"type": "file", "file": {"file_id": 5}})], None, "Sum it up.", [5], id="as a number"
        ),
    ],
)
def test_a_file_of_tess_becomes_a_file_id(
    messages: list[Any], own: list[Any] | None, content: str, file_ids: list[Any]
) -> None:
    """It is sent by its number, and the ledger says that this route is assumed to take it."""
    given = {"messages": messages} if own is None else {"messages": messages, "file_ids": own}
    before = copy.deepcopy(given)
    translated = prepare(given, Options(), new_id=str)
    assert given == before
    assert translated.body == {"messages": [{"role": "user", "content": content}], "file_ids": file_ids}
    assert any("assumed" in change.why for change in translated.ledger.changes)


@pytest.mark.parametrize(
    "file",
    [
        {"file_id": "file-abc"},
        {"file_id": True},
        {"file_id": 0},
        {"file_id": "-5"},
        {"file_data": "."},
        {},
        None,
    ],
    ids=["another service's", "no number", "zero", "negative", "the file itself", "nothing", "null"],
)
def test_another_file_is_not_sent(file: object) -> None:
    """A file that Tess does not have is replaced by a note in the text, with a warning."""
    translated = prepare({"messages": [user(TEXT, {"type": "file", "file": file})]}, Options(), new_id=str)
    assert "file_ids" not in translated.body
    assert translated.ledger.changes[0].warn == "request"


def test_null_is_no_list_of_the_callers() -> None:
    """The file must not be lost for it."""
    body = prepare({"messages": [user(TEXT, FILE)], "file_ids": None}, Options(), new_id=str).body
    assert body["file_ids"] == [389571]


@pytest.mark.parametrize(
    ("fields", "options"),
    [
        ({"file_ids": "7"}, Options()),
        ({}, Options(policy=Policy("warn", {"messages.content": "forward"}))),
    ],
    ids=["file_ids is no list", "forward"],
)
def test_files_stay_where_they_cannot_move(fields: dict[str, Any], options: Options) -> None:
    """Nothing of the caller's is overwritten."""
    body = prepare({"messages": [user(TEXT, FILE)], **fields}, options, new_id=str).body
    assert body.get("file_ids") == fields.get("file_ids")


def test_root_id_and_file_ids_pass() -> None:
    """Fields that the caller sets for Tess are sent unchanged."""
    given = {"messages": [{"role": "user", "content": "x"}], "root_id": 7, "file_ids": [1]}
    assert prepare(given, Options(), new_id=str).untouched
