"""One client's adapter: which requests are its own, the flow for each, and the telling of changes."""

from __future__ import annotations

import logging
import re
import secrets
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tess_openai.core.calls import Call, Flow, Lookup
from tess_openai.core.changes import Change
from tess_openai.core.chat.fast_path import is_plain, may_be_plain
from tess_openai.core.headers import FOREIGN, WORKSPACE, foreign_key, is_openais
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused
from tess_openai.core.routes import refuse, route
from tess_openai.edge.agent_cache import AgentCache
from tess_openai.edge.caller_warnings import warn_changes
from tess_openai.edge.families import URL, Family, Request, pick, with_headers
from tess_openai.edge.pacing import Pacer, hash_key

OnChange: TypeAlias = Callable[[Change], object]

logger = logging.getLogger("tess_openai")

REDIRECT_FOLLOWED: Final = "tess_openai.followed"
"""Extension of a request that the http client makes anew from one that was redirected: it is no new call."""
_HEADERS_TO_REMOVE: Final = frozenset(name.encode() for name in FOREIGN)
_DECISIVE: Final = _HEADERS_TO_REMOVE | {b"authorization", b"x-stainless-retry-count", WORKSPACE.encode()}
_AGENT_PATH: Final = re.compile(r"/agents/([^/]+)/openai(?=/)")
_LIST_PATH: Final = re.compile(r"/agents(?:/[^/]+)?/?")
_TESS_KEY: Final = re.compile(r"bearer\s+\d+\|", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Origin:
    """Where the key, the workspace and the prompts may go.

    Attributes:
        scheme: `"https"`, or `"http"` on loopback.
        host: In lower case.
        port: None for the scheme's own.
        prefix: Of every path, `""` or `"/api"`.
    """

    scheme: str
    host: str
    port: int | None
    prefix: str

    def has(self, url: URL) -> bool:
        """Whether a URL is of this origin."""
        return url.host == self.host and url.port == self.port and url.scheme == self.scheme

    def split(self, url: URL) -> tuple[str, str] | None:
        """Return the agent in a URL and the path below its OpenAI root; None when the URL is none of ours.

        `("42", "/chat/completions")`; for all that is not below an agent's OpenAI root, `("", "/agents/42")`.
        """
        if not self.has(url):
            return None
        path = url.path
        if not path.startswith(f"{self.prefix}/"):
            return None
        match = _AGENT_PATH.match(path, len(self.prefix))
        return ("", path[len(self.prefix) :]) if match is None else (match[1], path[match.end() :])

    def redirects_within_api(self, url: URL) -> bool:
        """Whether a redirect to this URL leads to the API, and not to a page to log in, for one."""
        place = self.split(url)
        return place is not None and (place[0] != "" or _LIST_PATH.fullmatch(place[1]) is not None)


@dataclass(frozen=True, slots=True)
class Adapter:
    """What the transports of one client share; any number of threads and tasks may use it.

    Immutable, but for what its `directory` learns of agents, which has a lock of its own, and for what its
    options remember of calls.
    """

    origin: Origin
    options: Options
    api_key: str | None = field(default=None, repr=False)
    on_change: OnChange | None = None
    sdk_names_broken_streams: bool = True
    pacer: Pacer | None = None
    agent_cache: AgentCache = field(default_factory=AgentCache, repr=False)
    may_be_plain: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "may_be_plain", self.pacer is None and may_be_plain(self.options))

    def open(
        self, request: Request, place: tuple[str, str], body: bytes = b"", fields: JSONObject | None = None
    ) -> Flow:
        """Return the flow for a request of this adapter's origin, whose URL `Origin.split` has read.

        Args:
            request: The caller's.
            place: Of its URL.
            body: Of a chat call; of others it is not needed.
            fields: What is in the body, if that is a JSON object.
        """
        picked = pick(request.headers, _DECISIVE)
        headers = {name.decode(): value.decode("latin-1") for name, value in picked.items()}
        if self._is_foreign_key(headers.get("authorization", "")):
            yield foreign_key().to_answer()
            return
        retries = headers.get("x-stainless-retry-count", "0")
        attempt = int(retries) if retries.isdecimal() else 0
        call = Call(
            method=request.method,
            path=place[1],
            headers=headers,
            body=body,
            attempt=attempt + (REDIRECT_FOLLOWED in request.extensions),
            now=_now,
            new_id=_new_id,
            agent=place[0],
            query=request.url.query.decode(),
            fields=fields,
        )
        yield from route(call, self.options)

    def to_plain(
        self, request: Request, place: tuple[str, str], fields: JSONObject, family: Family
    ) -> Request | None:
        """Return what to send of a chat call that needs nothing but Tess's header; None for all others."""
        if not (self.may_be_plain and place[0].isdecimal() and is_plain(fields, self.options)):
            return None
        headers = pick(request.headers, _DECISIVE)
        if not _HEADERS_TO_REMOVE.isdisjoint(headers):
            return None
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        if is_openais(authorization) or self._is_foreign_key(authorization):
            return None
        workspace = self.options.workspace_id
        if workspace is None or WORKSPACE.encode() in headers:
            return request
        return with_headers(request, family, {WORKSPACE: workspace})

    def _is_foreign_key(self, authorization: str) -> bool:
        """Whether a call has a key of no Tess form although its client has one that is."""
        given = f"Bearer {self.api_key or ''}"
        if not authorization or authorization == given:
            return False
        return bool(_TESS_KEY.match(given) and not _TESS_KEY.match(authorization))

    def key_of(self, lookup: Lookup, request: Request) -> Hashable:
        """Return under what a look-up is kept: another key, or another workspace, may see other agents."""
        workspace = lookup.headers.get(WORKSPACE) or request.headers.get(WORKSPACE)
        return lookup.agent, workspace, hash_key(request.headers.get("authorization", ""))

    def refuse_foreign(self, request: Request) -> Flow | None:
        """Return a refusal when a request for elsewhere carries what is this origin's only; None when not.

        `with_options(base_url=...)` keeps the transport, and the SDK sends `Authorization` to any URL.
        """
        if self.origin.has(request.url):
            return None
        authorization = request.headers.get("authorization", "")
        known = self.api_key is not None and authorization == f"Bearer {self.api_key}"
        if not known and WORKSPACE not in request.headers and not _TESS_KEY.match(authorization):
            return None
        refused = Refused(
            f"This request goes to {request.url.host} but carries the key or the workspace of Tess, which "
            "are sent to the configured base URL only. Use a client of its own for another service.",
            param=None,
            code="foreign_origin",
        )
        return refuse(refused)

    def report(self, changes: tuple[Change, ...]) -> str | None:
        """Log, call `on_change`, warn; the text of a warning that the caller's filters turn into an error."""
        if logger.isEnabledFor(logging.DEBUG):
            logger.debug("%s", ", ".join(f"{change.action} {change.param}" for change in changes))
        if self.on_change is not None:
            for change in changes:
                _call_on_change(change, self.on_change)
        return warn_changes(changes)


def _call_on_change(change: Change, on_change: OnChange) -> None:
    try:
        on_change(change)
    except Exception:
        logger.exception("on_change failed; the call goes on")


def _now() -> int:
    return int(time.time())


def _new_id() -> str:
    return secrets.token_hex(12)
