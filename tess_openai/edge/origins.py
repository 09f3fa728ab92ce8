"""The configured base URL: which URLs belong to it, how they are sent, and which redirects stay there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from tess_openai.edge.families import URL, Family, Request

MAX_REDIRECTS: Final = 5
"""Redirects in a row that one call follows; an http client alone would follow 20 in each try of the SDK."""
REDIRECT_FOLLOWED: Final = "tess_openai.followed"
"""Request extension: how many redirects led to this request. Such a request is not a new call."""
_AGENT_PATH: Final = re.compile(r"/agents/([^/]+)/openai(?=/)")
_LIST_PATH: Final = re.compile(r"/agents(?:/[^/]+)?/?")
_VERSION: Final = re.compile(rb"(/agents/[^/]+/openai)/v1(?=/|$)")
_LOCATION: Final = re.compile(
    r"(?:(https?)://(\[[0-9a-f:.]+\]|[a-z0-9.-]+)(?::([0-9]{1,5}))?)?/(?!/)[!-\[\]-~]*", re.IGNORECASE
)
"""A URL, or a path with one slash in front, that has one reading only."""
_DEFAULT_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the key, the workspace and the prompts may go.

    Attributes:
        scheme: `"https"`, or `"http"` on loopback.
        host: In lower case, an IPv6 address without brackets.
        port: None for the default port of the scheme.
        prefix: What every path begins with, `""` or `"/api"`.
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

    def split(self, url: URL) -> tuple[str, str] | None:
        """Split a URL into the agent and the path below its OpenAI root; None when it is outside the API.

        `("42", "/chat/completions")`; a URL outside an agent's OpenAI root gives `("", "/agents/42")`.
        """
        if not self.has(url):
            return None
        path = url.path
        if not path.startswith(f"{self.prefix}/"):
            return None
        match = _AGENT_PATH.match(path, len(self.prefix))
        return ("", path[len(self.prefix) :]) if match is None else (match[1], path[match.end() :])

    def to_canonical(self, request: Request) -> Request:
        """Return a request without empty path segments and without OpenAI's `/v1` below an agent.

        Frameworks and programs join base URLs in many ways; Tess knows one. `//chat` and `/openai/v1/chat`
        become `/chat` and `/openai/chat`. All other requests are returned as they are.
        """
        raw = request.url.raw_path
        if b"//" not in raw and b"/openai/v1" not in raw:
            return request
        path, mark, query = raw.partition(b"?")
        canonical = _VERSION.sub(rb"\1", re.sub(rb"/{2,}", b"/", path))
        if canonical == path or not self.has(request.url):
            return request
        made: Request = object.__new__(type(request))
        vars(made).update(vars(request))  # one body, and one `extensions`, in which a redirect is counted
        made.url = request.url.copy_with(raw_path=canonical + mark + query)
        return made

    def is_within_api(self, url: URL) -> bool:
        """Whether a redirect to this URL leads to a route of the API, not, for example, to a login page."""
        target = self.split(url)
        return target is not None and (target[0] != "" or _LIST_PATH.fullmatch(target[1]) is not None)

    def follows(self, location: str, request: Request, family: Family) -> bool:
        """Whether the http client may follow a redirect to this `location`.

        Readings of an odd URL differ: `http:/path`, `//host`, `https://@/` and backslashes lead one parser
        here and another one elsewhere. Only what has one reading is followed, and the request that
        the client then makes is checked once more, by the URL that the client itself has read.
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


def followed(request: Request) -> int:
    """Return how many redirects led to this request."""
    count: object = request.extensions.get(REDIRECT_FOLLOWED, 0)
    return count if isinstance(count, int) else 0
