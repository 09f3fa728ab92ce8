"""Endpoints that Tess lacks, answered by another client, as in `others={"embeddings": openai.OpenAI()}`.

That client builds the request, so its base URL, its key and its own hooks apply, also those of `AzureOpenAI`,
and its http client sends it. Body and answer are passed on unchanged. Neither the key nor the workspace of
Tess is sent.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote

import openai
from openai._models import FinalRequestOptions

from tess_openai.core.headers import OPENAI_HEADERS, WORKSPACE_HEADER
from tess_openai.core.jsons import parse_object
from tess_openai.core.routes import OTHER_ENDPOINTS
from tess_openai.edge.families import FAMILY_NAMES, Family, Kind, Request, Response, load_family
from tess_openai.edge.known_keys import KnownKeys
from tess_openai.edge.origins import ApiPath

OtherClients = Mapping[str, Any]
"""Name of an endpoint, `"embeddings"` -> the client that answers it."""
KINDS: Final[Mapping[Kind, type[Any]]] = {"sync": openai.OpenAI, "async": openai.AsyncOpenAI}
_WITHHELD_HEADERS: Final = frozenset(
    {
        *OPENAI_HEADERS,
        WORKSPACE_HEADER,
        "api-key",
        "authorization",
        "connection",
        "cookie",
        "host",
        "proxy-authorization",
        "x-api-key",
    }
)
"""Headers that belong to the connection with Tess, or hold a credential."""
_SAFE_IN_PATHS: Final = "/:@!$&'()*+,;=~"
"""Characters that need no escape in a path. Source: RFC 3986, 3.3."""
_BODY_HEADERS: Final = ("content-type", "content-length", "transfer-encoding")


class PassedBody:
    """The body of a request or an answer of another HTTP family; errors become those of this family."""

    def __init__(self, source: Any, family: Family) -> None:
        self._source = source
        self._family = family

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._source
        except Exception as error:
            raise _to_own_error(error, self._family) from error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            async for piece in self._source:
                yield piece
        except Exception as error:
            raise _to_own_error(error, self._family) from error

    def close(self) -> None:
        """Close the source, if it can be closed."""
        close = getattr(self._source, "close", None)
        if close is not None:
            close()

    async def aclose(self) -> None:
        """Async counterpart of `close`."""
        close = getattr(self._source, "aclose", None)
        if close is not None:
            await close()


class OtherEndpoints:
    """The other clients of one transport."""

    def __init__(self, clients: OtherClients, base: type[Any], keys: KnownKeys, family: Family) -> None:
        """Use the clients that are sync or async as the transport is.

        Args:
            clients: The clients by the name of their endpoint.
            base: The family's base class of the transport.
            keys: The keys of Tess, which are sent to no other service.
            family: The family of the transport.
        """
        kind: Kind = "async" if base is family.AsyncBaseTransport else "sync"
        self._clients = {name: each for name, each in clients.items() if isinstance(each, KINDS[kind])}
        self._keys = keys
        self._family = family

    def client_for(self, api_path: ApiPath) -> Any:
        """Return the client that answers requests for such a path; None where Tess does."""
        if not api_path.agent:
            return None
        name, *segments = api_path.path.lstrip("/").split("/")
        leads_out = not {".", ".."}.isdisjoint(segments)
        return self._clients.get(name) if name in OTHER_ENDPOINTS and not leads_out else None

    def send(self, client: Any, request: Request, path: str) -> Response:
        """Send a request to another client's service and return the answer unchanged."""
        body = request.read() if _is_json(request) else b""
        try:
            options = client._prepare_options(self._to_options(request, path, body))  # noqa: SLF001 - only the SDK builds them
            made = self._to_request(client._build_request(options), request)  # noqa: SLF001
            client._prepare_request(made)  # noqa: SLF001
            return self._to_response(client._client.send(made, stream=True, **_auth(client)))  # noqa: SLF001
        except Exception as error:
            raise _to_own_error(error, self._family) from error

    async def async_send(self, client: Any, request: Request, path: str) -> Response:
        """Async counterpart of `send`."""
        body = await request.aread() if _is_json(request) else b""
        try:
            options = await client._prepare_options(self._to_options(request, path, body))  # noqa: SLF001 - only the SDK builds them
            made = self._to_request(client._build_request(options), request)  # noqa: SLF001
            await client._prepare_request(made)  # noqa: SLF001
            answer = await client._client.send(made, stream=True, **_auth(client))  # noqa: SLF001
            return self._to_response(answer)
        except Exception as error:
            raise _to_own_error(error, self._family) from error

    def _to_options(self, request: Request, path: str, body: bytes) -> FinalRequestOptions:
        """Return the call from which the other client builds its own request.

        `AzureOpenAI` needs the fields of a JSON body to choose the URL; the bytes sent are the caller's own.
        `path` is unescaped.
        """
        headers = {
            name: value
            for name, value in request.headers.items()
            if not (name in _WITHHELD_HEADERS or name in _BODY_HEADERS or self._keys.are_in({name: value}))
        }
        return FinalRequestOptions.construct(
            method=request.method.lower(),
            url=quote(path, safe=_SAFE_IN_PATHS),
            headers=headers,
            json_data=parse_object(body),
        )

    def _to_request(self, built: Any, request: Request) -> Any:
        """Return the other client's request with the caller's query, body and timeout."""
        family = load_family(_family_name(built))
        raw_path: bytes = built.url.raw_path
        if request.url.query:
            raw_path += (b"&" if b"?" in raw_path else b"?") + request.url.query
        made = family.Request(
            built.method,
            built.url.copy_with(raw_path=raw_path),
            headers=built.headers,
            stream=_to_passed_body(request.stream, family),
            extensions={**built.extensions, "timeout": request.extensions.get("timeout", {})},
        )
        for name in _BODY_HEADERS:
            made.headers.pop(name, None)
            if name in request.headers:
                made.headers[name] = request.headers[name]
        return made

    def _to_response(self, answer: Any) -> Response:
        known = ("http_version", "reason_phrase")
        response: Response = self._family.Response(
            answer.status_code,
            headers=answer.headers.raw,
            stream=_to_passed_body(answer.stream, self._family),
            extensions={name: value for name, value in answer.extensions.items() if name in known},
        )
        return response


def _to_passed_body(stream: Any, family: Family) -> Any:
    return family.derive(PassedBody, family.SyncByteStream, family.AsyncByteStream)(stream, family)


def _is_json(request: Request) -> bool:
    return request.headers.get("content-type", "").startswith("application/json")


def _auth(client: Any) -> dict[str, Any]:
    auth: Any = client.custom_auth
    return {} if auth is None else {"auth": auth}


def _family_name(request: object) -> Any:
    return type(request).__module__.partition(".")[0]


def _to_own_error(error: Exception, family: Family) -> Exception:
    """Return an error of the other HTTP family as this family's, which the SDK understands."""
    origin = type(error).__module__.partition(".")[0]
    if origin not in FAMILY_NAMES or origin == family.name:
        return error
    names = {base.__name__ for base in type(error).__mro__}
    kind = family.ReadTimeout if "TimeoutException" in names else family.ReadError
    return kind(str(error) or type(error).__name__)
