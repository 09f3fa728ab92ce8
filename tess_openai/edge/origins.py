"""The configured base URL: which URLs belong to it, how they are sent, and which redirects are followed."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, NamedTuple
from urllib.parse import unquote

from tess_openai.edge.families import URL, Family, Request

MAX_REDIRECTS: Final = 5
"""Redirects that one call follows; an http client alone would follow 20 in each attempt of the SDK."""
REDIRECT_FOLLOWED: Final = "tess_openai.followed"
"""Request extension: how many redirects led to this request. Such a request is not a new call."""
_AGENT_PATH: Final = re.compile(r"/agents/([^/]+)/openai(?=/)")
_LIST_PATH: Final = re.compile(r"/agents(?:/[^/]+)?/?")
_VERSION: Final = re.compile(rb"(/agents/[^/]+/openai)/v1(?=/|$)")
_LOCATION: Final = re.compile(
    r"(?:(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?)?/(?!/)[!-\[\]-~]*", re.IGNORECASE
)
"""A URL, or a path with one slash in front, that all parsers read alike."""
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


class ApiPath(NamedTuple):
    """What a URL of the API names.

    Attributes:
        agent: A number or a slug; `""` outside an agent's OpenAI root.
        path: Relative to that root, `"/chat/completions"`, or to the root of the API, `"/agents/42"`.
        query: Without `?`.
    """

    agent: str
    path: str
    query: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the key, the workspace and the prompts may go.

    Attributes:
        scheme: `"https"`, or `"http"` on loopback.
        host: In lower case, an IPv6 address without brackets.
        port: None for the default port of the scheme.
        prefix: The beginning of every path, `""` or `"/api"`.
    """

    scheme: str
    host: str
    port: int | None
    prefix: str

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}{'' if self.port is None else f':{self.port}'}{self.prefix}"

    def has(self, url: URL) -> bool:
        """Whether a URL belongs to this origin."""
        return url.host == self.host and url.port == self.port and url.scheme == self.scheme

    def to_api_request(self, request: Request) -> tuple[Request, ApiPath | None]:
        """Return a request with a path that Tess knows, and what its URL names; None when outside the API.

        Frameworks and programs join base URLs in many ways, of which Tess knows one: `//chat` and
        `/openai/v1/chat` become `/chat` and `/openai/chat`. All other requests are returned unchanged.
        """
        url = request.url
        if url.host != self.host or url.port != self.port or url.scheme != self.scheme:
            return request, None
        canonical, api_path = _canonical(self.prefix, url.raw_path)
        if canonical is not None:
            given, request = request, object.__new__(type(request))
            vars(request).update(vars(given))  # shares `extensions`, in which redirects are counted
            request.url = url.copy_with(raw_path=canonical)
        return request, api_path

    def is_within_api(self, url: URL) -> bool:
        """Whether a redirect to this URL leads to a route of the API, not, for example, to a login page."""
        target = _to_api_path(self.prefix, url.raw_path) if self.has(url) else None
        return target is not None and (target.agent != "" or _LIST_PATH.fullmatch(target.path) is not None)

    def follows(self, location: str, request: Request, family: Family) -> bool:
        """Whether the http client may follow a redirect to this `location`.

        Parsers read `http:/path`, `//host`, `https://@/` and backslashes differently. Only a URL that all
        parsers read alike is followed, and the client's next request is checked again, by its parsed URL.
        """
        match = _LOCATION.fullmatch(location)
        if match is None or followed(request) >= MAX_REDIRECTS:
            return False
        scheme, host, port = match.groups()
        if scheme is not None:
            default = _DEFAULT_PORTS[scheme.lower()]
            given = (scheme.lower(), host.strip("[]").lower(), default if port is None else int(port))
            own = _DEFAULT_PORTS[self.scheme] if self.port is None else self.port
            if given != (self.scheme, self.host, own):
                return False
        try:
            return self.is_within_api(request.url.join(location))
        except (family.InvalidURL, ValueError):
            return False


@lru_cache(maxsize=64)  # a program calls few different paths
def _canonical(prefix: str, raw_path: bytes) -> tuple[bytes | None, ApiPath | None]:
    """Return the path that Tess knows, if it is another one, and what it names."""
    given, mark, query = raw_path.partition(b"?")
    path = _VERSION.sub(rb"\1", re.sub(rb"/{2,}", b"/", given))
    canonical = path + mark + query
    return None if path == given else canonical, _to_api_path(prefix, canonical)


def _to_api_path(prefix: str, raw_path: bytes) -> ApiPath | None:
    raw, _, query = raw_path.partition(b"?")
    path = unquote(raw.decode())
    if not path.startswith(f"{prefix}/"):
        return None
    match = _AGENT_PATH.match(path, len(prefix))
    agent, start = ("", len(prefix)) if match is None else (match[1], match.end())
    return ApiPath(agent, path[start:], query.decode())


def followed(request: Request) -> int:
    """Return how many redirects led to this request."""
    count: object = request.extensions.get(REDIRECT_FOLLOWED, 0)
    return count if isinstance(count, int) else 0
