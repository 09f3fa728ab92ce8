"""The adapter of one client: which requests it handles, the flow for each, and how it reports changes."""

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
from tess_openai.core.headers import FOREIGN, WORKSPACE, foreign_key, is_openai_key
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused
from tess_openai.core.responses.conversation_store import ResponseStore
from tess_openai.core.routes import refuse, route
from tess_openai.core.translated_chat import CHAT_PATH
from tess_openai.edge.agent_cache import AgentCache
from tess_openai.edge.answer_limits import DEFAULT_MAX_ANSWER_BYTES
from tess_openai.edge.caller_warnings import warn_changes
from tess_openai.edge.families import URL, Family, Request, pick, with_headers
from tess_openai.edge.pacing import Pacer, hash_key
from tess_openai.edge.response_stores import MemoryResponseStore

OnChange: TypeAlias = Callable[[Change], object]

logger = logging.getLogger("tess_openai")

REDIRECT_FOLLOWED: Final = "tess_openai.followed"
"""Request extension that marks a request made by following a redirect: it is not a new call."""
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

    def redirects_within_api(self, url: URL) -> bool:
        """Whether a redirect to this URL leads to a route of the API, not, for example, to a login page."""
        target = self.split(url)
        return target is not None and (target[0] != "" or _LIST_PATH.fullmatch(target[1]) is not None)


@dataclass(frozen=True, slots=True)
class Adapter:
    """What the transports of one client share; safe to use from any number of threads and tasks.

    It is immutable, except for its `agent_cache`, which has its own lock, and the parameter cache of its
    options.
    """

    origin: Origin
    options: Options
    api_key: str | None = field(default=None, repr=False)
    on_change: OnChange | None = None
    sdk_names_broken_streams: bool = True
    pacer: Pacer | None = None
    repeat_paid: bool = False
    max_answer_bytes: int | None = DEFAULT_MAX_ANSWER_BYTES
    agent_cache: AgentCache = field(default_factory=AgentCache, repr=False)
    responses_store: ResponseStore = field(default_factory=MemoryResponseStore, repr=False)
    may_be_plain: bool = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "may_be_plain", self.pacer is None and may_be_plain(self.options))

    def open(
        self, request: Request, place: tuple[str, str], body: bytes = b"", fields: JSONObject | None = None
    ) -> Flow:
        """Return the flow for a request of this adapter's origin, whose URL `Origin.split` has read.

        Args:
            request: The caller's request.
            place: What `Origin.split` returned for its URL.
            body: The body of a chat call; other calls do not need it.
            fields: The parsed body, if it is a JSON object.
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
        """Return the request for a chat call that needs only Tess's header; None for all other calls."""
        if not (self.may_be_plain and place[0].isdecimal() and place[1] == CHAT_PATH):
            return None
        if not is_plain(fields, self.options):
            return None
        headers = pick(request.headers, _DECISIVE)
        if not _HEADERS_TO_REMOVE.isdisjoint(headers):
            return None
        authorization = headers.get(b"authorization", b"").decode("latin-1")
        if is_openai_key(authorization) or self._is_foreign_key(authorization):
            return None
        workspace = self.options.workspace_id
        if workspace is None or WORKSPACE.encode() in headers:
            return request
        return with_headers(request, family, {WORKSPACE: workspace})

    def _is_foreign_key(self, authorization: str) -> bool:
        """Whether a call's key does not look like a Tess key although its client's key does."""
        given = f"Bearer {self.api_key or ''}"
        if not authorization or authorization == given:
            return False
        return bool(_TESS_KEY.match(given) and not _TESS_KEY.match(authorization))

    def key_of(self, lookup: Lookup, request: Request) -> Hashable:
        """Return the cache key of a look-up: another API key or workspace may see other agents."""
        workspace = lookup.headers.get(WORKSPACE) or request.headers.get(WORKSPACE)
        return lookup.agent, workspace, hash_key(request.headers.get("authorization", ""))

    def refuse_foreign(self, request: Request) -> Flow | None:
        """Return a refusal when a request to another origin carries this origin's credentials, else None.

        `with_options(base_url=...)` keeps the transport, and the SDK sends `Authorization` to any URL.
        """
        if self.origin.has(request.url):
            return None
        authorization = request.headers.get("authorization", "")
        known = self.api_key is not None and authorization == f"Bearer {self.api_key}"
        if not known and WORKSPACE not in request.headers and not _TESS_KEY.match(authorization):
            return None
        refused = Refused(
            f"This request goes to {request.url.host} but carries the Tess key or workspace, which are sent "
            "to the configured base URL only; it was not sent. Create a separate client for another service: "
            "openai.OpenAI(base_url=..., api_key=...).",
            param=None,
            code="foreign_origin",
        )
        return refuse(refused)

    def report(self, changes: tuple[Change, ...]) -> str | None:
        """Log the changes, call `on_change` and warn.

        Returns:
            The text of a warning that the caller's filters turned into an error, else None.
        """
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
        logger.exception("on_change raised an exception; the call continues")


def _now() -> int:
    return int(time.time())


def _new_id() -> str:
    return secrets.token_hex(12)
