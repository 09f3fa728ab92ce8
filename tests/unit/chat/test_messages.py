"""Every role, key and content of OpenAI's, to the three roles and the text that Tess takes."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.chat.message_texts import texts_of
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused
from tests.unit.chat.message_lists import HELLO, IMAGE, JSON, LOOP, TEXT, text, translate


@pytest.mark.parametrize(
    "given",
    [
        pytest.param([HELLO], id="a user's message"),
        pytest.param([text("system", "Be kind."), HELLO], id="an instruction and a user's message"),
        pytest.param([HELLO, text("assistant", "hi"), HELLO], id="a conversation"),
        pytest.param([text("assistant", "hi")], id="an assistant's message alone"),
        pytest.param([text("user", " ")], id="white space"),
    ],
)
def test_what_tess_documents_passes_as_the_same_object(given: list[JSON]) -> None:
    """Messages in Tess's own form are not even copied."""
    sent, changes = translate(given, Policy("error"))
    assert sent is given
    assert changes == []


MAPPED = [
    pytest.param(
        [text("developer", "Be kind.")], [text("system", "Be kind.")], "messages.role", id="developer"
    ),
    pytest.param(
        [text("user", [TEXT, {"type": "text", "text": "Say."}])],
        [text("user", "What is this?\nSay.")],
        "messages.content",
        id="parts of text",
    ),
    pytest.param(
        [text("user", [{"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}, "c"])],
        [text("user", "a\nb\nc")],
        "messages.content",
        id="parts of text in other spellings",
    ),
    pytest.param(
        [text("user", [{"text": "a"}, {"refusal": "b"}])],
        [text("user", "a\nb")],
        "messages.content",
        id="parts without a type",
    ),
    pytest.param(
        [HELLO, text("assistant", [{"type": "refusal", "refusal": "I cannot."}])],
        [HELLO, text("assistant", "I cannot.")],
        "messages.content",
        id="a refusal as a part",
    ),
    pytest.param(
        [HELLO, text("assistant", None, refusal="I cannot.")],
        [HELLO, text("assistant", "I cannot.")],
        "messages.refusal",
        id="a refusal",
    ),
    pytest.param([HELLO, text("assistant", None)], [HELLO], "messages", id="null content"),
    pytest.param([HELLO, text("assistant", "")], [HELLO], "messages", id="empty content"),
    pytest.param([HELLO, {"role": "assistant"}], [HELLO], "messages", id="no content"),
    pytest.param([HELLO, text("assistant", [])], [HELLO], "messages", id="no parts"),
    pytest.param([HELLO, HELLO], [text("user", "hello\n\nhello")], "messages", id="neighbours of one role"),
]


@pytest.mark.parametrize(("given", "sent", "param"), MAPPED)
def test_what_drops_nothing_is_only_recorded(given: list[JSON], sent: list[JSON], param: str) -> None:
    """No policy refuses or warns of a change that keeps every word."""
    translated, (change,) = translate(given, Policy("error"))
    assert translated == sent
    assert (change.action, change.param, change.warn) == ("mapped", param, None)


@pytest.mark.parametrize(
    "more",
    [
        pytest.param(
            {"refusal": None, "annotations": [], "audio": None, "tool_calls": None}, id="a model's dump"
        ),
        pytest.param({"name": None}, id="a null name"),
        pytest.param({"function_call": None, "tool_calls": []}, id="no calls"),
        pytest.param({"metadata": {}}, id="an empty object"),
    ],
)
def test_keys_that_say_nothing_are_dropped_in_silence(more: JSON) -> None:
    """The SDK's own message objects have empty keys, and programs send them back."""
    given = [HELLO, {**text("assistant", "hi"), **more}]
    assert translate(given, Policy("error")) == ([HELLO, text("assistant", "hi")], [])


@pytest.mark.parametrize("key", ["name", "audio", "annotations", "id", "anything"])
def test_another_key_is_dropped_and_recorded(key: str) -> None:
    """It is in the ledger only, unless the policy refuses or forwards it."""
    given = [text("user", "hello", **{key: "x"})]
    sent, (change,) = translate(given)
    assert sent == [HELLO]
    assert (change.action, change.param, change.warn) == ("stripped", f"messages.{key}", None)
    with pytest.raises(Refused) as caught:
        translate(given, Policy("error"))
    assert caught.value.param == f"messages.{key}"
    named = "messages.name" if key == "name" else "messages.audio" if key == "audio" else "messages"
    assert f'unsupported={{"{named}": "warn"}}' in caught.value.message
    sent, (change,) = translate(given, Policy("forward"))
    assert (sent, change.action) == (given, "forwarded")


@pytest.mark.parametrize(
    ("param", "topic"), [("messages.name", "request"), ("messages", None), ("messages.audio", None)]
)
def test_a_key_is_warned_of_where_that_was_asked_for(param: str, topic: str | None) -> None:
    """A policy that names the key warns; one for all messages records it in the ledger only."""
    _, (change,) = translate([text("user", "hello", name="x")], Policy("warn", {param: "warn"}))
    assert change.warn == topic


def test_messages_with_forwarded_keys_are_not_merged() -> None:
    """A name belongs to one message."""
    given = [text("user", "a", name="Ana"), text("user", "b", name="Bo"), HELLO]
    assert translate(given, Policy("forward"))[0] == given
    assert translate([HELLO, text("assistant", "", name="Bo")], Policy("forward"))[0] == [
        HELLO,
        text("assistant", "", name="Bo"),
    ]


LOST = [
    pytest.param([IMAGE], "[image not sent: this assistant takes text only]", "1 image", id="an image"),
    pytest.param(
        [TEXT, IMAGE, IMAGE],
        "What is this?\n" + "\n".join(["[image not sent: this assistant takes text only]"] * 2),
        "2 images",
        id="a text and two images",
    ),
    pytest.param(
        [{"type": "input_audio"}], "[audio not sent: this assistant takes text only]", "1 audio", id="audio"
    ),
    pytest.param(
        [{"type": "file"}], "[file not sent: this assistant takes text only]", "1 file", id="a file"
    ),
    pytest.param(
        [{"type": "new"}], "[part not sent: this assistant takes text only]", "1 part", id="a new kind"
    ),
    pytest.param([7], "[part not sent: this assistant takes text only]", "1 part", id="a number"),
    pytest.param(
        [{"type": "text", "text": 7}],
        "[part not sent: this assistant takes text only]",
        "1 unreadable text",
        id="no text",
    ),
    pytest.param(
        [{"type": ["text"], "text": "a"}],
        "[part not sent: this assistant takes text only]",
        "1 part",
        id="a kind that is a list",
    ),
]


@pytest.mark.parametrize(
    ("key", "shown"),
    [("cache_control", "cache_control"), ("a key", "another key"), ("k" * 40, "another key")],
)
def test_a_key_of_a_text_part_is_dropped_and_recorded(key: str, shown: str) -> None:
    """A string holds the text only; a key without a value is not recorded."""
    parts = [{"type": "text", "text": "a", key: {"type": "x"}, "annotations": [1], "other": None}]
    sent, (_, change) = translate([text("user", parts)], Policy("error"))
    assert sent == [text("user", "a")]
    assert (change.action, change.param, change.warn) == ("stripped", "messages.content", None)
    assert change.given == f"{shown} of 1 part"


def test_keys_of_parts_that_are_forwarded_are_not_recorded() -> None:
    """They are sent, so nothing of them is lost."""
    parts = [{"type": "text", "text": "a", "cache_control": 1}, {"type": "new"}]
    sent, (change,) = translate([text("user", parts)], Policy("forward"))
    assert (sent, change.action) == ([text("user", parts)], "forwarded")


def test_parts_without_a_text_are_reported_alone() -> None:
    """No text was joined, so the ledger does not say that parts became a string."""
    _, changes = translate([text("user", [IMAGE, IMAGE])])
    assert [change.given for change in changes] == ["2 images"]


@pytest.mark.parametrize(("parts", "content", "lost"), LOST)
def test_what_is_no_text_adds_a_note_and_warns(parts: list[Any], content: str, lost: str) -> None:
    """The model reads that something was there; the caller reads what."""
    sent, changes = translate([text("user", parts)])
    assert sent == [text("user", content)]
    assert (changes[0].param, changes[0].given, changes[0].warn) == ("messages.content", lost, "request")
    assert translate([text("user", parts)], Policy("forward"))[0] == [text("user", parts)]
    with pytest.raises(Refused) as caught:
        translate([text("user", parts)], Policy("warn", {"messages.content": "error"}))
    assert caught.value.param == "messages.content"


@pytest.mark.parametrize("content", [None, 7, ["a"], {}])
@pytest.mark.parametrize("kind", ["text", "input_text"])
def test_a_text_that_is_not_a_string_is_reported_as_such(kind: str, content: object) -> None:
    """The remedy does not advise the upload of a file, which would not help; an image has its own reason."""
    parts = [{"type": kind, "text": content}, {"type": kind}, IMAGE]
    _, (unreadable, image) = translate([text("user", parts)])
    assert unreadable.given == "2 unreadable texts"
    assert unreadable.remedy == "Pass a string as the text of each part, or leave the part out."
    assert (image.given, "upload it" in image.remedy) == ("1 image", True)
    with pytest.raises(Refused, match="the text of a text part must be a string") as caught:
        translate([text("user", parts)], Policy("error"))
    assert "upload" not in caught.value.message


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="null"),
        pytest.param("hello", id="a string"),
        pytest.param({"role": "user"}, id="an object"),
        pytest.param([], id="no message"),
        pytest.param([7, "hello", None, []], id="a list of no messages"),
        pytest.param([text("critic", "no")], id="an unknown role"),
        pytest.param([{"content": "hello"}], id="no role"),
        pytest.param([text("user", "")], id="an empty message alone"),
        pytest.param([text("developer", None)], id="an empty instruction alone"),
        pytest.param([{"role": ["user"], "content": "hello"}], id="a role that is a list"),
        pytest.param([{"role": {}, "content": "hello"}], id="a role that is an object"),
        pytest.param([text("user", 7)], id="a number for content"),
        pytest.param([text("user", {"type": "text", "text": "a"})], id="an object for content"),
        pytest.param([text("user", False)], id="false for content"),
    ],
)
def test_what_is_no_message_is_sent_as_given(given: object) -> None:
    """Tess says itself what is wrong with it."""
    assert translate(given, Policy("error")) == (given, [])


def test_what_is_no_message_stays_where_it_was() -> None:
    """A value that is not a message stays between the messages that are translated."""
    given = [text("developer", "a"), 7, text("user", "b"), text("critic", "c"), text("user", "d")]
    assert translate(given)[0] == [text("system", "a"), *given[1:]]


def test_merging_can_be_switched_off() -> None:
    """Neighbours stay as they are, and the list passes as the same object."""
    given = [HELLO, HELLO]
    sent, changes = translate(given, merge=False)
    assert sent is given
    assert changes == []


def test_merging_counts_the_messages_before_and_after() -> None:
    """Messages are merged even if they are neighbours only because an empty one between them was dropped."""
    given = [HELLO, HELLO, text("assistant", "hi"), HELLO, text("assistant", ""), HELLO]
    sent, (dropped, merged) = translate(given)
    assert [message["role"] for message in sent] == ["user", "assistant", "user"]
    assert (dropped.given, merged.given, merged.sent) == ("1 empty message", "5 messages", "3")


def test_each_kind_of_change_is_reported_once() -> None:
    """Ten old messages are one entry."""
    given = [text("developer", "a"), text("system", "b"), *LOOP, *LOOP, *LOOP]
    _, changes = translate(given)
    assert [change.param for change in changes] == ["messages.role", "messages.tool_calls", "messages"]
    assert changes[1].given == "6 messages"


def test_texts_are_found_for_counting() -> None:
    """No form of messages makes counting their tokens fail."""
    assert texts_of([HELLO, text("user", [TEXT]), 7, {"role": "user"}]) == ["hello"]
    assert texts_of(None) == []
