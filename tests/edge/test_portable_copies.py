"""What copies and pickles of a client keep, without a call."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from tess_openai import TessConfigurationError
from tess_openai.core.options import Options
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.families import Family, Kind, family_of
from tess_openai.edge.install import new_client
from tess_openai.edge.origins import Origin


class Hook:
    """A hook of a program, as one that traces requests; it may refer to its client."""

    client: Any = None

    def __call__(self, request: Any) -> None:
        """See a request."""


def through_pickle(client: Any) -> Any:
    """Make a client again as another process does."""
    return pickle.loads(pickle.dumps(client))  # noqa: S301 - it was made here


@pytest.fixture(params=["sync", "async"])
def client(request: pytest.FixtureRequest, family: Family) -> Any:
    """Make a client of each kind, with an own header and a time limit."""
    kind: Kind = request.param
    adapter = Adapter(Origin("https", "tess.example", None, ""), Options())
    made = new_client(adapter, kind, family.name)
    made.headers["x-team"] = "a"
    made.timeout = 77
    return made


@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy, through_pickle])
def test_a_copy_is_of_the_same_family_and_can_be_copied_again(
    client: Any, family: Family, way: Callable[[Any], Any]
) -> None:
    """A framework may copy a copy, and hand it to another process."""
    made = client
    for _ in range(2):
        made = way(made)
        assert type(made) is type(client)
        assert family_of(made) == family.name
        assert (made.headers["x-team"], made.timeout.read) == ("a", 77)
    assert family_of(pickle.loads(pickle.dumps(made))) == family.name  # noqa: S301 - it was made here
    assert (made._transport is client._transport) == (way is copy.copy)


def test_a_shallow_copy_keeps_the_original_alive(client: Any) -> None:
    """Both use one pool of connections, which is closed with the original."""
    assert any(each is client for each in vars(copy.copy(client)).values())


def test_a_deep_copy_shares_what_its_container_shares(client: Any) -> None:
    """A model with two references to a client, or to a hook, still has one of each."""
    hook = Hook()
    hook.client = client
    client.event_hooks = {"request": [hook]}
    one, other, copied_hook = copy.deepcopy([client, client, hook])
    assert one is other
    assert one is not client
    assert one.event_hooks["request"] == [copied_hook]
    assert copied_hook is not hook
    assert copied_hook.client is one


def test_a_deep_copy_has_cookies_of_its_own(client: Any) -> None:
    """They are the original's at first."""
    client.cookies.set("session", "blue")
    made = copy.deepcopy(client)
    assert made.cookies["session"] == "blue"
    made.cookies.set("session", "red")
    assert client.cookies["session"] == "blue"


def test_a_password_is_not_pickled(client: Any) -> None:
    """The pickle of a model may be stored."""
    client.auth = ("user", "SECRET")
    with pytest.raises(TessConfigurationError, match="a password in its headers or its auth") as caught:
        pickle.dumps(client)
    assert "SECRET" not in str(caught.value)
