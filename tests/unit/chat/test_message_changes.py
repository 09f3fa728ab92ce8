"""What the ledger says of translated messages, and what policies and profiles keep as it is."""

from __future__ import annotations

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.chat.messages import to_messages
from tess_openai.core.ledger import Ledger
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile
from tests.unit.chat.message_lists import CALL, HELLO, IMAGE, JSON, LOOP, TEXT, text, translate

AUDIO: JSON = {"type": "input_audio"}
UPLOAD = (
    'Let the adapter upload it to Tess, create_client(attachments="upload"); it must be a data: URL, since '
    'other URLs are not fetched. Or pass the id of an uploaded file: extra_body={"file_ids": [389571]}.'
)
LEAVE_OUT = 'Leave it out, or accept this: create_client(unsupported={"messages.name": "ignore"}).'
STRINGS_ONLY = "Tess takes strings as content"
TEXT_ONLY = "Tess's chat completions take text only, so the model does not see it"
NAMED = [text("user", "a", name="Ana"), text("assistant", "b"), text("user", "c", name="Bo")]


@pytest.mark.parametrize(
    ("given", "changes"),
    [
        pytest.param(
            [text("developer", "a")],
            ["messages.role (developer) was sent as system: Tess has no role `developer`."],
            id="a role",
        ),
        pytest.param(
            [text("user", [TEXT])],
            [f"messages.content (text parts) was sent as one string: {STRINGS_ONLY}."],
            id="parts of text",
        ),
        pytest.param(
            [HELLO, text("assistant", "", refusal="No."), HELLO, text("assistant", "", refusal="No.")],
            ["messages.refusal (2 refusals) was sent as content: a message for Tess has no field `refusal`."],
            id="refusals",
        ),
        pytest.param(
            NAMED,
            [
                (
                    "messages.name (2 messages) was not sent: Tess takes only the role and the content of a "
                    f"message. {LEAVE_OUT}"
                )
            ],
            id="names",
        ),
        pytest.param(
            [HELLO, text("assistant", ""), text("assistant", "")],
            ["messages (2 empty messages) was left out: there was nothing to send."],
            id="empty messages",
        ),
        pytest.param(
            [HELLO, HELLO],
            [
                (
                    "messages (2 messages) was sent as 1: Tess may require alternating roles, so consecutive "
                    "messages of one role were joined."
                )
            ],
            id="neighbours",
        ),
        pytest.param(
            LOOP,
            [
                (
                    "messages.tool_calls (2 messages) was changed to text: Tess has no tool messages, so "
                    "calls and their results are sent as text. It can be emulated: "
                    "create_client(emulate=True); a preset takes emulate=True too."
                )
            ],
            id="calls",
        ),
        pytest.param(
            [text("user", [IMAGE, AUDIO, IMAGE])],
            [
                f"messages.content (2 images, 1 audio) was replaced by a note in the text: {TEXT_ONLY}. "
                + UPLOAD
            ],
            id="images and audio",
        ),
        pytest.param(
            [text("user", [IMAGE, TEXT])],
            [
                f"messages.content (1 image) was replaced by a note in the text: {TEXT_ONLY}. {UPLOAD}",
                f"messages.content (text parts) was sent as one string: {STRINGS_ONLY}.",
            ],
            id="an image beside a text",
        ),
        pytest.param(
            [text("user", [TEXT, {**TEXT, "cache_control": 1}, {**TEXT, "cache_control": 1}])],
            [
                f"messages.content (text parts) was sent as one string: {STRINGS_ONLY}.",
                (
                    f"messages.content (cache_control of 2 parts) was not sent: {STRINGS_ONLY}, "
                    "and a string holds only the text of a part."
                ),
            ],
            id="keys of parts",
        ),
    ],
)
def test_a_change_of_messages_says_what_was_given_and_what_was_sent(
    given: list[JSON], changes: list[str]
) -> None:
    """Each kind of change counts the messages or parts that it concerns."""
    _, recorded = translate(given)
    assert [str(change) for change in recorded] == changes
    assert all(isinstance(value, str) for change in recorded for value in change.fields.values())


@pytest.mark.parametrize(
    ("value", "recorded"), [("", False), (False, False), (0, False), (True, True), ("x", True)]
)
def test_only_a_key_of_a_part_that_says_something_is_recorded(value: object, *, recorded: bool) -> None:
    """Programs write out keys that say nothing."""
    _, changes = translate([text("user", [{**TEXT, "cache_control": value}])])
    assert [change.given for change in changes] == ["text parts", *["cache_control of 1 part"] * recorded]


@pytest.mark.parametrize("message", [text("critic", None, tool_calls=[CALL]), {"role": 7, "tool_calls": [1]}])
def test_calls_of_an_unknown_role_are_sent_as_given(message: JSON) -> None:
    """Nothing of such a message is changed, so no change is recorded and none is refused."""
    given = [HELLO, message]
    assert translate(given, Policy("error")) == (given, [])


def test_calls_are_forwarded_where_only_their_policy_says_so() -> None:
    """The policy for calls does not concern other parts of messages."""
    sent, (change,) = translate(LOOP, Policy("warn", {"messages.tool_calls": "forward"}))
    assert (sent, change.action, change.given) == (LOOP, "forwarded", "2 messages")


@pytest.mark.parametrize(
    ("message", "sent"),
    [
        (text("function", "1", name="f"), "[Result of the tool f]\n1"),
        (text("tool", "1", name="f", tool_call_id="c"), "[Result of the tool f (c)]\n1"),
        (text("assistant", None, tool_calls=[{"function": {"strict": True}}]), "[Called the tool  with ]"),
    ],
)
def test_what_a_call_does_not_say_is_left_out_of_its_text(message: JSON, sent: str) -> None:
    """A result may name its function; a call may lack its name and arguments."""
    ((translated,), _) = translate([message])
    assert translated["content"] == sent


def test_neighbours_that_are_translated_stay_separate_without_merging() -> None:
    """Switching it off counts for messages that are changed, too."""
    given = [text("developer", "a"), text("system", "b")]
    sent, (change,) = translate(given, merge=False)
    assert (sent, change.param) == ([text("system", "a"), text("system", "b")], "messages.role")


def test_a_text_is_not_joined_to_forwarded_parts() -> None:
    """The content before it is a list."""
    given = [text("user", [IMAGE]), HELLO]
    assert translate(given, Policy("forward"))[0] == given


def with_profile(given: object, *proven: str) -> tuple[object, tuple[Change, ...]]:
    """Translate messages for an agent of which a probe proved something."""
    ledger = Ledger(Policy())
    profile = TessProfile(agent_id=42, made="2026-11-23", answers=dict.fromkeys(proven, "supported"))
    return to_messages(given, ledger, merge=True, profile=profile), ledger.changes


@pytest.mark.parametrize(
    ("proven", "given"),
    [
        ("messages.neighbours", [HELLO, HELLO]),
        ("role.developer", [text("developer", "a"), HELLO]),
        ("role.developer", [text("developer", 7), HELLO]),
        ("content.image_parts", [text("user", [TEXT, IMAGE, IMAGE])]),
    ],
)
def test_what_an_agent_is_proven_to_take_is_sent_as_given(proven: str, given: list[JSON]) -> None:
    """Without the proof the same messages are changed."""
    assert with_profile(given, proven) == (given, ())
    assert with_profile(given)[0] != given


@pytest.mark.parametrize("others", [[AUDIO], [IMAGE, AUDIO]])
def test_a_proof_for_images_does_not_count_for_other_parts(others: list[JSON]) -> None:
    """The model would not see them."""
    sent, (lost, _) = with_profile([text("user", [TEXT, *others])], "content.image_parts")
    assert sent != [text("user", [TEXT, *others])]
    assert lost.warn == "request"
