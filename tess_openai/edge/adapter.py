"""The adapter of one client: which requests it handles, the flow for each, and how it reports changes."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from dataclasses import fields as fields_of
from typing import Any, Final, TypeAlias

from tess_openai.core.calls import Call, Flow, Lookup
from tess_openai.core.changes import Change
from tess_openai.core.headers import (
    WORKSPACE_HEADER,
    is_openai_key,
    is_sendable,
    key_of_another_service,
    unsendable_header,
)
from tess_openai.core.jsons import JSONObject
from tess_openai.core.options import Options
from tess_openai.core.refusals import Refused, redirected_outside, refuse
from tess_openai.core.responses.conversation_store import ResponseStore
from tess_openai.core.routes import is_openai_path, outside_agent, route
from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.edge.agent_cache import AgentCache, UploadCache
from tess_openai.edge.answer_limits import DEFAULT_MAX_ANSWER_BYTES
from tess_openai.edge.caller_warnings import warn_changes
from tess_openai.edge.families import Request, to_dict
from tess_openai.edge.known_keys import KnownKeys, has_tess_form
from tess_openai.edge.origins import REDIRECT_FOLLOWED, ApiPath, Origin, followed
from tess_openai.edge.pacing import Pacer, hash_key, new_pacer
from tess_openai.edge.patterns import pattern_compiler
from tess_openai.edge.random_ids import new_random_id
from tess_openai.edge.response_stores import MemoryResponseStore
from tess_openai.exceptions import TessConfigurationError

NO_OTHERS: Final[Mapping[str, Any]] = {}
OnChange: TypeAlias = Callable[[Change], object]

logger = logging.getLogger("tess_openai")


@dataclass(frozen=True, slots=True)
class Adapter:
    """What the transports of one client share; safe to use from any number of threads and tasks.

    It is immutable, except for its `agent_cache`, its `uploads` and the parameter cache of its options, which
    have locks of their own, and `keys`, which learns each key that is sent.

    Attributes:
        warns: Whether changes are reported at the caller's line; in a gateway there is none.
    """

    origin: Origin
    options: Options
    keys: KnownKeys = field(default_factory=lambda: KnownKeys.of(None), repr=False)
    on_change: OnChange | None = None
    pacer: Pacer | None = None
    repeat_paid: bool = False
    max_answer_bytes: int | None = DEFAULT_MAX_ANSWER_BYTES
    warns: bool = True
    agent_cache: AgentCache = field(default_factory=AgentCache, repr=False)
    uploads: UploadCache = field(default_factory=UploadCache, repr=False)
    responses_store: ResponseStore = field(default_factory=MemoryResponseStore, repr=False)
    others: Mapping[str, Any] = field(default_factory=lambda: NO_OTHERS, repr=False)

    def __deepcopy__(self, memo: dict[int, object]) -> Adapter:
        """Return this adapter: the copies of a client share its caches."""
        return self

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the settings and the hashes of the keys; no key, no cached agent and no stored answer.

        Raises:
            TessConfigurationError: Other clients, which hold their keys, answer some endpoints.
        """
        if self.others:
            raise TessConfigurationError(
                "the clients in others= hold their API keys, so they are not pickled. Make the client in "
                "each process: connection(8794)"
            )
        store = None if isinstance(self.responses_store, MemoryResponseStore) else self.responses_store
        pacing = None if self.pacer is None else self.pacer.settings()
        names = ("origin", "keys", "on_change", "repeat_paid", "max_answer_bytes")
        settings = {name: getattr(self, name) for name in names}
        options = {each.name: getattr(self.options, each.name) for each in fields_of(Options) if each.init}
        del options["schemas"]  # a cache of compiled schemas; `_restore_adapter` makes a new one
        return _restore_adapter, (settings, options, pacing, store)

    def flow_for(
        self, request: Request, api_path: ApiPath, body: bytes = b"", fields: JSONObject | None = None
    ) -> Flow:
        """Return the flow for a request to this adapter's origin.

        Args:
            request: The caller's request.
            api_path: What its URL names, from `Origin.to_api_request`.
            body: The body of a chat call; other calls do not need it.
            fields: The parsed body, if it is a JSON object.
        """
        try:
            headers = to_dict(request.headers)
            authorization = headers.get("authorization", "")
            if hash(authorization) != self.keys.latest or WORKSPACE_HEADER in headers:
                refused = self._refuse_headers(authorization, headers.get(WORKSPACE_HEADER, ""))
                if refused is not None:
                    return refuse(refused)
            retries = headers.get("x-stainless-retry-count", "0")
            attempt = int(retries) if retries.isdecimal() else 0
            if REDIRECT_FOLLOWED in request.extensions:
                attempt += followed(request)
            agent, path, query = api_path
            call = Call(
                request.method, path, headers, body, attempt, _now, new_random_id, agent, query, fields
            )
            return route(call, self.options)
        except Exception as error:  # noqa: BLE001 - an error raised here would look like a broken connection
            return _failing(error)

    def _refuse_headers(self, authorization: str, workspace: str) -> Refused | None:
        """Return a refusal for headers that cannot be sent, or for a key of another service.

        A key belongs to another service if it lacks the form of Tess's keys and the client's own has it.
        """
        if not is_sendable(authorization):
            return unsendable_header("authorization")
        if is_openai_key(authorization):
            return key_of_another_service()
        is_odd = authorization and self.keys.has_tess_form and not has_tess_form(authorization)
        if is_odd and authorization not in self.keys:
            return key_of_another_service()
        if not is_sendable(workspace):
            return unsendable_header(WORKSPACE_HEADER)
        self.keys.remember(authorization)
        return None

    def lookup_key(self, lookup: Lookup, request: Request) -> Hashable:
        """Return the cache key of a look-up: another API key or workspace may see other agents."""
        workspace = lookup.headers.get(WORKSPACE_HEADER) or request.headers.get(WORKSPACE_HEADER)
        return lookup.agent, workspace, hash_key(request.headers.get("authorization", ""))

    def refuse_outside(self, request: Request) -> Flow | None:
        """Return a refusal for a request outside the API that must not be sent, else None.

        `with_options(base_url=...)` keeps the transport, and the SDK sends `Authorization` to any URL. A
        request that follows a redirect carries the prompt.
        """
        headers = to_dict(request.headers)
        if not is_sendable(headers.get("authorization", "")):
            return refuse(unsendable_header("authorization"))
        if followed(request):
            return refuse(redirected_outside())
        if self.origin.has(request.url):
            return refuse(outside_agent(request.url.path)) if is_openai_path(request.url.path) else None
        if WORKSPACE_HEADER not in headers and not self.keys.are_in(headers):
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
        return warn_changes(changes) if self.warns else None


def _restore_adapter(
    settings: dict[str, Any],
    options: dict[str, Any],
    pacing: tuple[float, float, str | None] | None,
    store: ResponseStore | None,
) -> Adapter:
    if store is not None:
        settings = {**settings, "responses_store": store}
    made = Options(**options, schemas=SchemaCache(pattern_compiler()))
    return Adapter(options=made, pacer=None if pacing is None else new_pacer(*pacing), **settings)


def _failing(error: Exception) -> Flow:
    """Raise the error at the first step, as a bug in a flow would."""
    raise error
    yield  # type: ignore[unreachable] # makes this function a generator


def _call_on_change(change: Change, on_change: OnChange) -> None:
    try:
        on_change(change)
    except Exception:
        logger.exception("on_change raised an exception; the call continues")


def _now() -> int:
    return int(time.time())
