"""The request for Tess is made from the caller's, in the caller's family of HTTP, which is not changed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, Final, cast

import openai
import pytest

from tess_openai import TessConfigurationError
from tess_openai.core.calls import Outgoing
from tess_openai.edge import sdk
from tess_openai.edge.families import (
    Family,
    Kind,
    changed_headers,
    copied,
    family_of,
    load_family,
    to_dict,
)
from tess_openai.edge.origins import Origin
from tess_openai.edge.outgoing_requests import to_request

ORIGIN: Final = Origin("https", "tess.example", None, "/api")
ROOT: Final = "https://tess.example/api"
URL: Final = f"{ROOT}/agents/42/openai/chat/completions?a=%C3%A9"


@pytest.fixture
def given(family: Family) -> Any:
    """Make the caller's request, whose body was read already."""
    request = family.Request(
        "POST", URL, headers={"X-Kept": "1", "X-Dropped": "2"}, content=b"given", extensions={"timeout": {}}
    )
    request.read()
    return request


@pytest.mark.parametrize(
    ("outgoing", "url"),
    [
        (Outgoing(path="/agents/42"), f"{ROOT}/agents/42?a=%C3%A9"),
        (Outgoing(path="/agents/42", query=""), f"{ROOT}/agents/42"),
        (Outgoing(path="/agents/42", query="b=2&c=%20"), f"{ROOT}/agents/42?b=2&c=%20"),
        (Outgoing(path="/agents/a%2Fb"), f"{ROOT}/agents/a%2Fb?a=%C3%A9"),
        (Outgoing(query="b=2"), URL),
        (Outgoing(), URL),
    ],
)
def test_a_path_is_below_the_root_of_the_api(
    given: Any, family: Family, outgoing: Outgoing, url: str
) -> None:
    """The caller's query is kept unless it is replaced; without a path the whole URL is kept."""
    assert str(to_request(outgoing, given, family, ORIGIN).url) == url
    assert str(given.url) == URL


def test_headers_are_set_and_removed_whatever_their_case(given: Any, family: Family) -> None:
    """All others, the method and the body stay as the caller sent them."""
    made: Any = to_request(Outgoing(headers={"x-new": "3", "x-dropped": None}), given, family, ORIGIN)
    headers = to_dict(made.headers)
    assert {name: value for name, value in headers.items() if name.startswith("x-")} == {
        "x-kept": "1",
        "x-new": "3",
    }
    assert (made.method, made.content, headers["content-length"]) == ("POST", b"given", "5")
    assert dict(given.headers)["x-dropped"] == "2"
    assert "x-new" not in given.headers


def test_another_body_replaces_the_callers_everywhere(given: Any, family: Family) -> None:
    """Transports read the stream, and programs that record requests the content."""
    made: Any = to_request(Outgoing(body=b"longer body"), given, family, ORIGIN)
    assert (made.content, b"".join(made.stream)) == (b"longer body", b"longer body")
    assert made.headers["content-length"] == "11"
    assert (given.content, b"".join(given.stream)) == (b"given", b"given")
    assert given.headers["content-length"] == "5"


def test_a_look_up_has_no_body_of_the_callers(family: Family) -> None:
    """A caller's body in chunks is not sent with it, and neither is the header that announces chunks."""
    given = family.Request("POST", URL, content=iter([b"a", b"b"]))
    assert "transfer-encoding" in given.headers
    made = to_request(Outgoing(method="GET", path="/agents/42", body=b""), given, family, ORIGIN)
    assert (made.method, made.read()) == ("GET", b"")
    assert "transfer-encoding" not in made.headers
    assert (given.method, given.read()) == ("POST", b"ab")
    in_memory = family.Request("POST", URL, content=b"ab")
    made = to_request(Outgoing(method="GET", path="/agents/42", body=b""), in_memory, family, ORIGIN)
    assert (made.method, made.read()) == ("GET", b"")


def test_a_copy_of_a_request_shares_nothing_that_changes(given: Any, family: Family) -> None:
    """Instrumentation adds headers and extensions to the request that it sees."""
    made = copied(given, family, {"x-kept": None, "x-missing": None})
    made.extensions["trace"] = 1
    made.headers["x-other"] = "4"
    assert given.extensions == {"timeout": {}}
    assert "x-kept" not in made.headers
    assert to_dict(given.headers).keys().isdisjoint({"x-other"})
    assert type(made) is type(given)


def test_raw_headers_are_changed_in_one_pass() -> None:
    """Headers that occur several times, and bytes that are not ASCII, are kept."""
    raw = [(b"Set-Cookie", b"a"), (b"set-cookie", b"b"), (b"X-Old", b"\xe9"), (b"X-Gone", b"1")]
    assert changed_headers(raw, {"x-old": "new", "x-gone": None, "x-more": "2"}) == [
        (b"Set-Cookie", b"a"),
        (b"set-cookie", b"b"),
        (b"x-old", b"new"),
        (b"x-more", b"2"),
    ]
    headers = cast("Any", SimpleNamespace(raw=raw))
    assert to_dict(headers) == {"set-cookie": "b", "x-old": "\xe9", "x-gone": "1"}


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_client_is_made_with_the_sdks_own_defaults(family: Family, kind: Kind) -> None:
    """In the family of the SDK as in the other one: its default timeout would end a long answer."""
    made = sdk.new_http_client(kind, family.name)
    assert family_of(made) == family.name
    assert isinstance(made, family.Client if kind == "sync" else family.AsyncClient)
    assert made.follow_redirects
    assert made.timeout.as_dict() == openai.DEFAULT_TIMEOUT.as_dict()
    limits, pool = openai.DEFAULT_CONNECTION_LIMITS, made._transport._pool
    assert pool._max_connections == limits.max_connections
    assert pool._max_keepalive_connections == limits.max_keepalive_connections
    own = openai.DefaultHttpxClient() if kind == "sync" else openai.DefaultAsyncHttpxClient()
    assert type(sdk.new_http_client(kind, None)) is type(own)


@pytest.mark.parametrize(
    ("release", "version", "seconds"),
    [
        ("1.106.1", (1, 106), 60.0),
        ("2.51.9", (2, 51), 60.0),
        ("2.52.0", (2, 52), 120.0),
        ("3.0.0-beta.1", (3, 0), 120.0),
    ],
)
def test_the_release_of_the_sdk_decides_how_long_it_waits(
    release: str, version: tuple[int, int], seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wait that it does not honour would be a retry at once."""
    monkeypatch.setattr(openai, "VERSION", release)
    assert (sdk.version(), sdk.longest_wait_seconds()) == (version, seconds)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("httpx", "httpx is not installed; openai 1 and 2 install it. Install it with: pip install httpx"),
        ("httpx2", "httpx2 is not installed; openai 3 installs it. Install it with: pip install httpx2"),
        ("requests", 'family is \'requests\'; it must be "httpx" or "httpx2"'),
    ],
)
def test_a_family_that_cannot_be_loaded_is_named(
    name: Any, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says what to install, or what to write."""
    monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(TessConfigurationError) as caught:
        load_family.__wrapped__(name)
    assert str(caught.value) == message


def test_only_clients_of_the_families_have_a_family(family: Family) -> None:
    """A class of the program's own belongs to the family from which it is derived."""

    class Client:
        """A class of the same name that belongs to no family."""

    of_a_program = type("OfAProgram", (family.Client,), {})
    with of_a_program() as client:
        assert family_of(client) == family.name
    assert family_of(Client()) is None
    assert family_of(object()) is None


def test_a_derived_class_is_made_once_and_looks_like_the_familys(family: Family) -> None:
    """A new class for each call would cost as much as the call."""

    class Own:
        """A class of the adapter."""

    derived = family.derive(Own, family.SyncByteStream, family.AsyncByteStream)
    assert family.derive(Own, family.SyncByteStream, family.AsyncByteStream) is derived
    assert family.derive(Own, family.SyncByteStream) is not derived
    assert issubclass(derived, (Own, family.SyncByteStream))
    assert issubclass(derived, family.AsyncByteStream)
    assert (derived.__name__, derived.__module__) == ("Own", family.SyncByteStream.__module__)
