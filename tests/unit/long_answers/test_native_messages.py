"""The messages of a chat become those that Tess's own route documents."""

from __future__ import annotations

from copy import deepcopy
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tess_openai.core.jsons import to_list, to_object
from tess_openai.core.long_answers.native_messages import to_native_messages

ROLES = st.sampled_from(["system", "developer", "user", "assistant"])
MESSAGES = st.lists(st.fixed_dictionaries({"role": ROLES, "content": st.text(min_size=1)}), max_size=8)


@given(MESSAGES)
def test_any_chat_alternates_behind_one_developer(messages: list[dict[str, str]]) -> None:
    """No text is missing, nothing of the caller's is changed, and the order of the texts stays."""
    before = deepcopy(messages)
    native = [to_object(each) or {} for each in to_list(to_native_messages(messages)) or []]
    assert messages == before
    roles = [each["role"] for each in native]
    assert "developer" not in roles[1:]
    assert "system" not in roles
    turns = [role for role in roles if role != "developer"]
    assert turns[:1] != ["assistant"]
    assert all(one != other for one, other in pairwise(turns))
    text = "\n".join(each["content"] for each in native)
    place = 0
    for message in messages:
        place = text.index(message["content"], place) + len(message["content"])


def message(role: str, content: str, **fields: str) -> dict[str, str]:
    """Return a message."""
    return {"role": role, "content": content, **fields}


OPENING = "(The conversation begins with your message.)"


@pytest.mark.parametrize(
    ("messages", "native"),
    [
        pytest.param([message("user", "a")], [message("user", "a")], id="a user"),
        pytest.param(
            [message("system", "a"), message("developer", "b"), message("user", "c")],
            [message("developer", "a\n\nb"), message("user", "c")],
            id="two instructions at the beginning",
        ),
        pytest.param(
            [
                message("user", "a"),
                message("system", "b"),
                message("assistant", "c"),
                message("developer", "d"),
            ],
            [message("user", "a\n\nb"), message("assistant", "c"), message("user", "d")],
            id="later instructions",
        ),
        pytest.param(
            [message("system", "a"), message("assistant", "b"), message("user", "c")],
            [
                message("developer", "a"),
                message("user", OPENING),
                message("assistant", "b"),
                message("user", "c"),
            ],
            id="an assistant at the beginning",
        ),
        pytest.param(
            [message("user", "a", name="Ana"), message("user", "b")],
            [message("user", "a\n\nb", name="Ana")],
            id="two messages of a user with a name",
        ),
    ],
)
def test_messages_have_these_roles_and_texts(
    messages: list[dict[str, str]], native: list[dict[str, str]]
) -> None:
    """Texts of one role are separated by a blank line."""
    assert to_native_messages(messages) == native


def test_what_is_no_list_of_messages_is_for_tess_to_refuse() -> None:
    """It is sent unchanged, as in a chat."""
    assert to_native_messages("hello") == "hello"
    assert to_native_messages([1]) == [1]
    assert to_native_messages(None) is None


def test_parts_that_are_forwarded_are_not_joined() -> None:
    """They are no text."""
    parts = [{"type": "text", "text": "x"}]
    messages = [{"role": "user", "content": parts}, {"role": "user", "content": "y"}]
    assert to_native_messages(messages) == messages
