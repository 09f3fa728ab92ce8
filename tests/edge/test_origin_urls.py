"""Which URLs are the configured API's, how their paths are sent, and which redirects may be followed."""

from __future__ import annotations

from typing import Any, Final

import pytest

from tess_openai.edge.families import Family
from tess_openai.edge.origins import MAX_REDIRECTS, REDIRECT_FOLLOWED, ApiPath, Origin, followed

TESS: Final = Origin("https", "tess.example", None, "")
BELOW: Final = Origin("http", "::1", 8080, "/api")
CHAT: Final = "/agents/42/openai/chat/completions"


def request_to(family: Family, url: str, redirects: object = None) -> Any:
    """Build a request, of which so many redirects were followed."""
    extensions = {} if redirects is None else {REDIRECT_FOLLOWED: redirects}
    return family.Request("POST", url, extensions=extensions)


def test_an_origin_is_shown_as_the_beginning_of_its_urls() -> None:
    """An IPv6 address is in brackets."""
    assert [str(TESS), str(BELOW)] == ["https://tess.example", "http://[::1]:8080/api"]


@pytest.mark.parametrize(
    ("url", "has"),
    [
        ("https://tess.example/x", True),
        ("https://TESS.example:443/x", True),
        ("https://tess.example:8443/x", False),
        ("http://tess.example/x", False),
        ("https://tess.example.evil.example/x", False),
        ("https://tess.example@evil.example/x", False),
    ],
)
def test_scheme_host_and_port_are_an_origin(family: Family, url: str, has: bool) -> None:
    """A request to any other is not Tess's, and nothing of Tess's is sent with it."""
    request = request_to(family, url)
    assert TESS.has(request.url) is has
    assert (TESS.to_api_request(request)[1] is not None) is has


@pytest.mark.parametrize(
    ("path", "sent", "place"),
    [
        (CHAT, CHAT, ApiPath("42", "/chat/completions", "")),
        (f"{CHAT}?a=1&b=%20", f"{CHAT}?a=1&b=%20", ApiPath("42", "/chat/completions", "a=1&b=%20")),
        ("//agents/42/openai//chat///completions", CHAT, ApiPath("42", "/chat/completions", "")),
        ("/agents/42/openai/v1/chat/completions", CHAT, ApiPath("42", "/chat/completions", "")),
        ("/agents/42/openai/v1", "/agents/42/openai", ApiPath("", "/agents/42/openai", "")),
        ("/agents/my%20bot/openai/x", "/agents/my%20bot/openai/x", ApiPath("my bot", "/x", "")),
        (
            "/agents/42/openai/v1beta/x",
            "/agents/42/openai/v1beta/x",
            ApiPath("42", "/v1beta/x", ""),
        ),
        ("/agents/42?next=//x", "/agents/42?next=//x", ApiPath("", "/agents/42", "next=//x")),
        ("/files", "/files", ApiPath("", "/files", "")),
    ],
)
def test_a_path_is_sent_as_tess_knows_it(family: Family, path: str, sent: str, place: ApiPath) -> None:
    """Programs join base URLs in many ways; a query is never changed."""
    given = request_to(family, f"https://tess.example{path}", redirects=1)
    request, found = TESS.to_api_request(given)
    assert (request.url.raw_path.decode(), found) == (sent, place)
    assert given.url.raw_path.decode() == path
    assert (request is given) is (sent == path)
    assert followed(request) == 1


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (f"/api{CHAT}", ApiPath("42", "/chat/completions", "")),
        ("/api/files", ApiPath("", "/files", "")),
        (CHAT, None),
        ("/api", None),
        ("/apis/files", None),
        ("/other/api/files", None),
    ],
)
def test_a_prefix_is_the_beginning_of_every_path(family: Family, path: str, place: ApiPath | None) -> None:
    """Beside it, another program may answer."""
    assert BELOW.to_api_request(request_to(family, f"http://[::1]:8080{path}"))[1] == place


@pytest.mark.parametrize(
    ("location", "follows"),
    [
        ("/agents/43/openai/chat/completions", True),
        ("https://tess.example/agents/43/openai/chat/completions", True),
        ("HTTPS://Tess.Example:443/agents/43/openai/x", True),
        ("/agents", True),
        ("/agents/", True),
        ("/agents/43", True),
        ("/agents/43/", True),
        ("/agents/43/openai", False),
        ("/agents/43/settings", False),
        ("/login", False),
        ("/", False),
        ("", False),
        ("agents/43", False),
        ("//evil.example/agents/43", False),
        ("///evil.example/agents/43", False),
        ("/\\evil.example/agents/43", False),
        ("https:/agents/43", False),
        ("https://tess.example@evil.example/agents/43", False),
        ("https://evil.example/agents/43", False),
        ("http://tess.example/agents/43", False),
        ("http://tess.example:443/agents/43", False),
        ("https://tess.example:8443/agents/43", False),
        ("https://tess.example:99999/agents/43", False),
        ("https://[::1]/agents/43", False),
        ("/agents/43 ", False),
        ("/agents/43\n", False),
        ("/agents/é", False),
    ],
)
def test_a_redirect_is_followed_within_the_agents_only(family: Family, location: str, follows: bool) -> None:
    """The request carries the key and the prompt, so a URL that parsers read differently is not followed."""
    assert TESS.follows(location, request_to(family, f"https://tess.example{CHAT}"), family) is follows


@pytest.mark.parametrize(
    ("location", "follows"),
    [
        ("http://[::1]:8080/api/agents/43", True),
        ("/api/agents/43", True),
        ("/agents/43", False),
        ("http://[::1]/api/agents/43", False),
        ("http://[::2]:8080/api/agents/43", False),
        ("https://[::1]:8080/api/agents/43", False),
    ],
)
def test_a_redirect_is_followed_below_the_prefix_only(family: Family, location: str, follows: bool) -> None:
    """The port is compared too."""
    assert BELOW.follows(location, request_to(family, f"http://[::1]:8080/api{CHAT}"), family) is follows


@pytest.mark.parametrize(
    ("redirects", "follows"),
    [(None, True), (MAX_REDIRECTS - 1, True), (MAX_REDIRECTS, False), ("many", True)],
)
def test_a_call_follows_a_few_redirects(family: Family, redirects: object, follows: bool) -> None:
    """A server may redirect without end."""
    request = request_to(family, f"https://tess.example{CHAT}", redirects)
    assert TESS.follows("/agents/43", request, family) is follows
