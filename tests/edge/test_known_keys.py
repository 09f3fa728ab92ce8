"""The keys that one client may send, as hashes."""

from __future__ import annotations

import copy
import pickle

import pytest

from tess_openai.edge.known_keys import KnownKeys, has_tess_form

KEY = "123|abcdefghijklmnopqrstuvwxyz"


@pytest.mark.parametrize(
    ("authorization", "has_form"),
    [
        ("1|a", True),
        ("123|", True),
        ("Bearer 1|a", True),
        ("bearer   1|a", True),
        ("  1|a ", True),
        ("|a", False),
        ("a1|b", False),
        ("sk-1|a", False),
        ("Bearer", False),
        ("Bearer Bearer 1|a", False),
        ("", False),
    ],
)
def test_a_key_of_tess_is_a_number_and_a_pipe(authorization: str, has_form: bool) -> None:
    """Tess's keys have this form (observed)."""
    assert has_tess_form(authorization) is has_form


@pytest.mark.parametrize(
    ("api_key", "has_form", "from_function"),
    [(KEY, True, False), ("secret", False, False), (None, False, False), (lambda: KEY, False, True)],
    ids=["a key of Tess", "another key", "none", "a function"],
)
def test_a_client_knows_the_form_of_its_key(api_key: object, has_form: bool, from_function: bool) -> None:
    """The key of a function is known once it was sent."""
    keys = KnownKeys.of(api_key)
    assert (keys.has_tess_form, keys.from_function) == (has_form, from_function)
    assert (KEY in keys) is (api_key == KEY)


def test_a_key_is_known_with_and_without_its_scheme() -> None:
    """The program passes the key, and the SDK sends `Bearer` before it."""
    keys = KnownKeys.of("secret")
    assert all(text in keys for text in ("secret", "Bearer secret", "BEARER  secret", " secret "))
    assert not any(text in keys for text in ("", "Secret", "Bearersecret", "secret2"))


def test_a_key_that_was_sent_is_remembered() -> None:
    """With a key function, each call may have another one."""
    keys = KnownKeys.of(lambda: KEY)
    assert keys.latest != hash("Bearer one")
    keys.remember("Bearer one")
    assert ("one" in keys, (keys.latest == hash("Bearer one")), (keys.latest == hash("Bearer two"))) == (
        True,
        True,
        False,
    )
    keys.remember("Bearer two")
    assert ("one" in keys, (keys.latest == hash("Bearer one")), (keys.latest == hash("Bearer two"))) == (
        True,
        False,
        True,
    )


def test_a_call_without_a_key_is_not_a_known_key() -> None:
    """Otherwise each header without a value would count as a key."""
    keys = KnownKeys.of(None)
    keys.remember("")
    assert "" not in keys
    assert keys.latest == hash("")


def test_the_oldest_of_a_thousand_keys_is_forgotten_first() -> None:
    """A gateway sees keys without end, and its memory does not grow with them."""
    keys = KnownKeys.of("key 0")
    for number in range(1, 1000):
        keys.remember(f"key {number}")
    keys.remember("key 999")
    assert "key 0" in keys
    keys.remember("key 1000")
    assert ("key 0" in keys, "key 1" in keys, "key 1000" in keys) == (False, True, True)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ({"authorization": "Bearer secret"}, True),
        ({"x-anything": "secret"}, True),
        ({"cookie": "7|abc"}, True),
        ({"authorization": "Bearer other"}, False),
        ({"authorization": ""}, False),
        ({}, False),
    ],
)
def test_a_key_is_found_in_any_header(headers: dict[str, str], found: bool) -> None:
    """A request to another origin must not carry it under another name."""
    assert KnownKeys.of("secret").are_in(headers) is found


def test_each_authorization_may_be_a_key_of_a_function() -> None:
    """What a function returns is not known before it was sent."""
    keys = KnownKeys.of(lambda: "secret")
    assert keys.are_in({"authorization": "Bearer unknown"})
    assert not keys.are_in({"x-other": "unknown"})


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda keys: pickle.loads(pickle.dumps(keys))])  # noqa: S301 - made here
def test_a_copy_knows_the_same_keys_and_contains_none(copied: object) -> None:
    """A client may be sent to another process; its pickle holds hashes only."""
    assert callable(copied)
    for made in (KnownKeys.of(KEY), KnownKeys.of(lambda: KEY)):
        made.remember("Bearer another secret")
        same = copied(made)
        assert "another secret" in same
        assert (KEY in same, same.has_tess_form, same.from_function) == (
            KEY in made,
            made.has_tess_form,
            made.from_function,
        )
        assert b"another secret" not in pickle.dumps(made)
