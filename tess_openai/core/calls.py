"""The plain data that `core/` and `edge/` exchange, and the protocol of a flow.

A flow is a generator in the manner of httpx's `auth_flow`: it does no I/O but yields steps, and a
driver in `edge/` carries them out and sends back the results.

| the flow yields          | the driver                                          | the flow receives         |
|--------------------------|-----------------------------------------------------|---------------------------|
| `Outgoing`               | closes the current response, makes one exchange     | `Incoming` (head only)    |
| `READ`                   | reads the next piece of the current response        | `bytes`, `b""` at its end |
| `READ_LAST`              | reads it too, but waits two seconds at most         | as for `READ`             |
| `READ_REST`              | drains the rest briefly, to reuse the connection    | None                      |
| `ReadAll(limit)`         | reads the response to its end or to `limit`         | `bytes`                   |
| `PauseKey(seconds)`      | pauses all paced calls of the API key               | None                      |
| `LimitAnswer(seconds)`   | reads answers as streams, all within that time      | None                      |
| `Lookup(agent)`          | runs the look-up once for all calls that ask        | `LookupResult`            |
| `Upload(...)`            | uploads a file once for all calls that need it      | `UploadResult`            |
| `Sleep(seconds)`         | waits                                               | None                      |
| `StoreAccess(...)`       | reads or changes the store of responses             | `StoreResult`             |
| `ReportChanges(changes)` | warns at the caller's line, logs, calls `on_change` | None, or an error text    |
| `Answer(body=...)`       | returns a whole response; the flow ends             | nothing                   |
| `Answer(body=None)`      | returns a response; its body follows                | None                      |
| `bytes`                  | (after `Answer(body=None)`) passes on a piece       | None                      |
| `Agent`, `AgentNotFound` | (in a look-up) completes the look-up; the flow ends | nothing                   |
| `UploadedFile`           | (in an upload) completes the upload; the flow ends  | nothing                   |

When a connection breaks, times out or delivers bytes that cannot be decoded, the driver throws
`ConnectionError` into the flow, at any of these steps. A flow that already has a complete answer catches it;
otherwise the caller gets the SDK's own exception. A request that may have been executed and is not idempotent
is not sent again, unless the client was created with `repeat_paid=True`.

One mechanism serves plain answers, streams, repairs that send a further request in the middle of a stream,
and answers that end early: when the flow ends, the driver closes the response that is still open.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias

from tess_openai.core.agents import Agent
from tess_openai.core.changes import Change
from tess_openai.core.jsons import JSONObject

NO_HEADERS: Final[Mapping[str, str | None]] = {}


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class Call:
    """One HTTP request of the SDK, as plain data.

    Attributes:
        method: Upper case, `"POST"`.
        path: The path below the agent's OpenAI root, `"/chat/completions"`. For a request that is not below
            an agent, the path below the API root, `"/agents/42"`. It contains no query.
        headers: The request headers that the core reads, with names in lower case.
        body: The bytes of the body; `b""` when there is none, or when no flow for this path reads it.
        attempt: 0 for the first try, 1 and more when the same request is sent again: a retry, a redirect.
        now: Returns the seconds since the epoch; called only when a timestamp has to be made.
        new_id: Returns a new identifier of 24 hexadecimal digits; called only when one has to be made.
        agent: The agent in the URL, a number or a slug; `""` for a request below the API root.
        query: The query of the URL, without `?`.
        fields: The body of a chat call as a JSON object, if it was parsed before; must not be mutated.
    """

    method: str
    path: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    attempt: int
    now: Callable[[], int]
    new_id: Callable[[], str]
    agent: str = ""
    query: str = ""
    fields: JSONObject | None = field(default=None, repr=False)


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class Outgoing:
    """One HTTP request for Tess, given as its difference from the caller's request.

    Attributes:
        body: The new body; None sends the caller's body, byte for byte.
        headers: Headers to set or, with None, to remove; all others stay as the caller sent them.
        method: None keeps the caller's method.
        path: Path below the API root, `"/agents/42"`; None keeps the caller's whole URL.
        query: Query of the new path, without `?`; None keeps the caller's. Ignored when `path` is None.
        with_first_piece: Whether to read the first piece of a successful answer along with its head: most
            whole answers are one piece, and each step takes time.
    """

    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str | None] = field(default_factory=lambda: NO_HEADERS, repr=False)
    method: str | None = None
    path: str | None = None
    query: str | None = None
    with_first_piece: bool = False


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class Incoming:
    """The head of an HTTP answer of Tess.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        redirects_within_api: Whether it is a redirect that the http client may follow.
        redirects: How many redirects led to this answer.
        first_piece: The first piece of the body, `b""` for an empty body, if it was read along with the head.
        is_read: Whether that was the whole body, and its end was read too.
    """

    status: int
    headers: Mapping[str, str]
    redirects_within_api: bool = False
    redirects: int = 0
    first_piece: bytes | None = field(default=None, repr=False)
    is_read: bool = False


class Read(Enum):
    """What to read of the current response.

    `PIECE` is the next piece, `LAST` a piece without which the answer is complete already, and `REST` what
    follows a complete answer, which is read only so that the connection can be reused.
    """

    PIECE = "piece"
    LAST = "last"
    REST = "rest"


READ: Final = Read.PIECE
READ_LAST: Final = Read.LAST
READ_REST: Final = Read.REST


@dataclass(frozen=True, slots=True)
class ReadAll:
    """Read the rest of the current response, decoded, at most `limit` bytes of it (None: all).

    With `allow_truncation`, a connection that breaks, hangs or cannot be decoded ends the body instead of
    raising. Error answers are read in this way: their status matters even if their text is incomplete.
    """

    limit: int | None = None
    allow_truncation: bool = False


@dataclass(frozen=True, slots=True)
class PauseKey:
    """Pause all paced calls of the caller's API key, as Tess asked, or briefly if it gave no time."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LimitAnswer:
    """Read the answers of this call as streams, also where the caller gets a whole answer.

    The caller's read timeout then limits the wait for each piece instead of the wait for the whole answer.

    Attributes:
        seconds: The time for all of these answers together, from now on; None sets no limit. When it has
            passed, the connection fails as on a timeout, and nothing further is sent.
    """

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """Ask what an agent offers.

    Attributes:
        agent: Its number or its slug.
        headers: Headers to set or to remove, as in `Outgoing`.
        max_retry_wait_seconds: As in the client's options.
        is_hint: Whether the result only adds a hint to an error that is already known. Such a look-up does
            not wait long, and its own failure is not shown.
    """

    agent: int | str
    headers: Mapping[str, str | None] = field(repr=False)
    max_retry_wait_seconds: float
    is_hint: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """Upload a file to Tess, and wait until it is processed.

    Attributes:
        digest: The hash of its bytes: equal files are uploaded once.
        filename: The name that Tess shows.
        media_type: The media type of its bytes, `"image/png"`.
        data: Its bytes.
        headers: Headers to set or to remove, as in `Outgoing`.
        max_retry_wait_seconds: As in the client's options.
    """

    digest: str
    filename: str = field(repr=False)
    media_type: str
    data: bytes = field(repr=False)
    headers: Mapping[str, str | None] = field(repr=False)
    max_retry_wait_seconds: float


@dataclass(frozen=True, slots=True)
class UploadedFile:
    """A file that Tess has processed; `number` is what `file_ids` takes."""

    number: int


@dataclass(frozen=True, slots=True)
class Sleep:
    """Wait. The wait ends with an error when the caller disconnects, or at the limit set by `LimitAnswer`."""

    seconds: float


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class StoreAccess:
    """Call a method of the store of earlier responses; the method may block.

    Attributes:
        method: The method of the store to call.
        key: The key of the entry in the store.
        value: The value to save; unused by the other methods.
    """

    method: Literal["load", "save", "delete"]
    key: str = field(repr=False)
    value: bytes = field(default=b"", repr=False)


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class StoreResult:
    """The result of a `StoreAccess`.

    Attributes:
        value: The loaded value; None when there is no such entry.
        problem: The name of the exception that the store raised; `""` without one.
    """

    value: bytes | None = field(default=None, repr=False)
    problem: str = ""


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class ReportChanges:
    """Report changes to the caller before the request is sent."""

    changes: tuple[Change, ...]


@dataclass(slots=True)  # made for every call: creating a frozen dataclass takes twice as long
class Answer:
    """The answer that the caller's SDK receives.

    Attributes:
        status: HTTP status.
        headers: Headers to set or, with None, to remove, on top of `base`.
        body: The whole body; None when the flow yields it afterwards, piece by piece.
        base: What the response is made from. `"incoming"`: the headers of the current response, without its
            encoding and length. `"none"`: no headers. `"as read"` and `"as is"`: the current response
            itself, with its own status and headers. With `"as read"`, `body` is what was read of it; if
            `body` is only a part of that, or the response was compressed, the answer is made as with
            `"incoming"`. With `"as is"` its body is still unread, and the flow may yield it piece by piece.
        fields: The body as a JSON object, if it was parsed: equal to what parsing it again gives, and
            referred to by nothing else, since a translator of the answer or the caller may mutate it.
    """

    status: int
    headers: Mapping[str, str | None] = field(default_factory=lambda: NO_HEADERS)
    body: bytes | None = field(default=None, repr=False)
    base: Literal["incoming", "none", "as read", "as is"] = "incoming"
    fields: JSONObject | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class AgentNotFound:
    """A look-up that found no agent.

    Attributes:
        answer: The error answer for the caller's SDK.
        why: The reason as one clause, without a key or a text of the caller.
        is_permanent: Whether a further look-up would soon give the same result.
    """

    answer: Answer
    why: str
    is_permanent: bool = True


LookupResult: TypeAlias = Agent | AgentNotFound
UploadResult: TypeAlias = UploadedFile | Answer
"""An `Answer` is the error that the caller gets."""
ResultStep: TypeAlias = Answer | bytes | LookupResult | UploadedFile
"""What a flow results in: an answer, a piece of its body, the result of a look-up or of an upload."""
ServiceStep: TypeAlias = (
    ReadAll | PauseKey | LimitAnswer | Lookup | Upload | Sleep | StoreAccess | ReportChanges
)
"""What a driver does for a flow, besides sending requests and reading pieces."""
Step: TypeAlias = Outgoing | Read | ServiceStep | ResultStep
Event: TypeAlias = Incoming | bytes | str | LookupResult | UploadResult | StoreResult | None
Flow: TypeAlias = Generator[Step, Event, None]
