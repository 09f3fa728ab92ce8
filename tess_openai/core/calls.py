"""The plain data that crosses between the core and the edge, and the protocol of a flow.

A flow is a generator in the manner of httpx's `auth_flow`: it does no I/O but yields steps, and a
driver at the edge carries them out and sends back what came of them.

| the flow yields          | the driver                                          | the flow receives         |
|--------------------------|-----------------------------------------------------|---------------------------|
| `Outgoing`               | closes the current response, makes one exchange     | `Incoming` (head only)    |
| `READ`                   | reads the next piece of the current response        | `bytes`, `b""` at its end |
| `READ_LAST`              | the same, but waits for it for two seconds only     | the same                  |
| `READ_REST`              | reads its end for a moment, to reuse the connection | None                      |
| `ReadAll(limit)`         | reads it to its end or to `limit`                   | `bytes`                   |
| `PauseKey(seconds)`      | pauses all paced calls of the key                   | None                      |
| `LimitAnswer(seconds)`   | reads answers as streams, all within that time      | None                      |
| `Lookup(agent)`          | runs the look-up once for all who ask               | `LookupResult`            |
| `Upload(...)`            | uploads a file once for all who need it             | `UploadResult`            |
| `Sleep(seconds)`         | waits                                               | None                      |
| `StoreAccess(...)`       | reads or changes the store of responses             | `StoreResult`             |
| `ReportChanges(changes)` | warns at the caller's line, logs, calls `on_change` | None, or an error text    |
| `Answer(body=...)`       | returns a whole response; the flow ends             | nothing                   |
| `Answer(body=None)`      | returns a response; its body follows                | None                      |
| `bytes`                  | (after `Answer(body=None)`) passes on a piece       | None                      |
| `Agent`, `AgentNotFound` | (in a look-up) completes it; the flow ends          | nothing                   |
| `UploadedFile`           | (in an upload) completes it; the flow ends          | nothing                   |

When a connection breaks, times out or brings what cannot be decoded, the driver throws `ConnectionError` into
the flow, at any of these steps. A flow that has a whole answer all the same catches it; otherwise the caller
gets the SDK's own exception, and what may have been executed is not sent again.

One mechanism serves plain answers, streams, repairs that must ask again in the middle of a stream,
and answers cut early: when the flow ends, the driver closes whatever is still open.
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


@dataclass(slots=True)  # each call makes them: frozen, they would take twice as long to make
class Call:
    """One HTTP request of the SDK, as plain data.

    Attributes:
        method: Upper case, `"POST"`.
        path: Below the agent's OpenAI root, `"/chat/completions"`, or, for a request that is not below one,
            below the API root, `"/agents/42"`; never a query.
        headers: Those that decide anything here, names in lower case.
        body: The bytes of the body; `b""` when there is none or it is not JSON.
        attempt: 0 for the first try, 1 and more when the SDK sends the same again: a retry, a redirect.
        now: Seconds since the epoch; called only when a timestamp must be made up.
        new_id: A fresh identifier of letters and digits; called only when one must be made up.
        agent: The agent in the URL, a number or a slug; `""` for a request below the API root.
        query: Of the URL, without `?`.
        fields: The body of a chat call as a JSON object, if somebody has read it already; not to be changed.
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


@dataclass(slots=True)  # each call makes them: frozen, they would take twice as long to make
class Outgoing:
    """One HTTP request for Tess, given as its difference from the caller's own.

    Attributes:
        body: New body; None sends the caller's own, byte for byte.
        headers: To set, or with None to remove; all others are the caller's.
        method: None keeps the caller's.
        path: Below the API root, `"/agents/42"`; None keeps the caller's whole URL.
        query: Of the new path, without `?`; None keeps the caller's. Ignored when `path` is None.
        with_first_piece: Whether to read the first piece of a successful answer along with its head: most
            whole answers are one piece, and each step costs.
    """

    body: bytes | None = field(default=None, repr=False)
    headers: Mapping[str, str | None] = field(default_factory=lambda: NO_HEADERS, repr=False)
    method: str | None = None
    path: str | None = None
    query: str | None = None
    with_first_piece: bool = False


@dataclass(slots=True)  # each call makes them: frozen, they would take twice as long to make
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
    """Ask for the next piece of the current response, or for its end behind all that is needed of it."""

    PIECE = "piece"
    LAST = "last"
    REST = "rest"


READ: Final = Read.PIECE
READ_LAST: Final = Read.LAST
READ_REST: Final = Read.REST


@dataclass(frozen=True, slots=True)
class ReadAll:
    """Ask for the rest of the current response, decoded, at most `limit` bytes of it (None: all).

    With `allow_truncation`, what came before the connection broke, hung or could not be decoded is enough:
    for an answer whose status says enough, and which must not be lost with its text.
    """

    limit: int | None = None
    allow_truncation: bool = False


@dataclass(frozen=True, slots=True)
class PauseKey:
    """Say that Tess asks this key to wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class LimitAnswer:
    """Say that the answers of this call come as streams, whatever the caller gets.

    The caller's timeout then bounds each silence and not the whole.

    Attributes:
        seconds: For all of them together, from now on; None sets no limit. When it is over, the connection
            breaks as by a timeout, and nothing further is sent.
    """

    seconds: float | None


@dataclass(frozen=True, slots=True)
class Lookup:
    """Ask what an agent offers.

    Attributes:
        agent: Its number or its slug.
        headers: To set or remove on the caller's own, as in `Outgoing`.
        max_retry_wait_seconds: As in the client's options.
        is_hint: Whether it only adds to an error that is known; then it is not worth a long wait, and
            nothing that goes wrong with it may show.
    """

    agent: int | str
    headers: Mapping[str, str | None] = field(repr=False)
    max_retry_wait_seconds: float
    is_hint: bool = False


@dataclass(frozen=True, slots=True)
class Upload:
    """Upload a file to Tess, and wait until it is processed.

    Attributes:
        digest: Of its bytes: equal files are uploaded once.
        filename: The name that Tess shows.
        media_type: Of its bytes, `"image/png"`.
        data: Its bytes.
        headers: To set or remove on the caller's own, as in `Outgoing`.
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
    """Wait, for as long as the caller is there and the time for the answers of this call allows."""

    seconds: float


@dataclass(frozen=True, slots=True)
class StoreAccess:
    """Use the store of earlier responses, which may block.

    Attributes:
        method: Of the store.
        key: Of the entry.
        value: To save.
    """

    method: Literal["load", "save", "delete"]
    key: str = field(repr=False)
    value: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class StoreResult:
    """What came of using the store.

    Attributes:
        value: What was loaded; None when there is no such entry.
        problem: The name of the exception that the store raised; `""` for none.
    """

    value: bytes | None = field(default=None, repr=False)
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ReportChanges:
    """Tell the caller of changes before the request is sent."""

    changes: tuple[Change, ...]


@dataclass(slots=True)  # each call makes them: frozen, they would take twice as long to make
class Answer:
    """What the caller's SDK gets.

    Attributes:
        status: HTTP status.
        headers: To set, or with None to remove, on top of `base`.
        body: The whole body; None when the flow goes on to yield it piece by piece.
        base: `"incoming"` starts from the headers of the current response (without its encoding and
            length), `"none"` from no headers. `"as read"` returns the current response, `body` being what
            was read of it; `"as is"` returns it with its body unread, after which the flow may yield that
            piece by piece. Status and headers are then its own.
        fields: The body as a JSON object, if it has been parsed; whoever translates the answer may change it.
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
        answer: What says so to the caller's SDK.
        why: One clause, without anything of the caller's.
        lasts: Whether asking again soon would find no more.
    """

    answer: Answer
    why: str
    is_permanent: bool = True


LookupResult: TypeAlias = Agent | AgentNotFound
UploadResult: TypeAlias = UploadedFile | Answer
"""An answer is the error that the caller gets."""
Step: TypeAlias = (
    Outgoing
    | Read
    | ReadAll
    | PauseKey
    | LimitAnswer
    | Lookup
    | Upload
    | Sleep
    | StoreAccess
    | ReportChanges
    | Answer
    | bytes
    | LookupResult
    | UploadedFile
)
Event: TypeAlias = Incoming | bytes | str | LookupResult | UploadResult | StoreResult | None
Flow: TypeAlias = Generator[Step, Event, None]


def drive(flow: Flow, take: Callable[[Step], Generator[Step, Event, Event]]) -> Flow:
    """Run a flow inside another one.

    Args:
        flow: To run.
        take: Carries out one step of it and returns what it receives; what `take` raises is thrown into it.
    """
    event: Event = None
    error: Exception | None = None
    try:
        while True:
            try:
                step = flow.send(event) if error is None else flow.throw(error)
            except StopIteration:
                return
            event = error = None
            try:
                event = yield from take(step)
            except Exception as broken:  # noqa: BLE001 - whatever it is, it is the inner flow's
                error = broken
    finally:
        flow.close()


def exchange(outgoing: Outgoing) -> Generator[Step, Event, Incoming]:
    """Send `outgoing` and wait for the head of its answer."""
    return to_head((yield outgoing))


def to_head(event: Event) -> Incoming:
    """Return the head of an answer, with which a driver answers `Outgoing`."""
    if not isinstance(event, Incoming):
        raise TypeError(f"a driver answers Outgoing with Incoming, not {type(event).__name__}")
    return event


def read_piece(*, may_be_missing: bool = False) -> Generator[Step, Event, bytes]:
    """Read the next piece of the current response; `b""` at its end.

    Args:
        may_be_missing: Whether the answer is complete without it. A server that holds the connection open is
            then not waited for long, which ends in `b""` or `ConnectionError`.
    """
    event = yield READ_LAST if may_be_missing else READ
    if not isinstance(event, bytes):
        raise TypeError(f"a driver answers READ with bytes, not {type(event).__name__}")
    return event


def read_rest() -> Generator[Step, Event, None]:
    """Read what follows the end of an answer, for a tenth of a second: then its connection can be reused.

    Nothing that goes wrong there matters any more.
    """
    yield READ_REST


def read_all(limit: int | None = None, *, allow_truncation: bool = False) -> Generator[Step, Event, bytes]:
    """Read the rest of the current response, at most `limit` bytes; `allow_truncation` ends it at a break."""
    event = yield ReadAll(limit, allow_truncation)
    if not isinstance(event, bytes):
        raise TypeError(f"a driver answers ReadAll with bytes, not {type(event).__name__}")
    return event


def look_up(lookup: Lookup) -> Generator[Step, Event, LookupResult]:
    """Ask what an agent offers."""
    event = yield lookup
    if not isinstance(event, Agent | AgentNotFound):
        raise TypeError(f"a driver answers Lookup with an agent or Unfound, not {type(event).__name__}")
    return event


def upload(file: Upload) -> Generator[Step, Event, UploadResult]:
    """Upload a file, unless this client has uploaded it before."""
    event = yield file
    if not isinstance(event, UploadedFile | Answer):
        raise TypeError(f"a driver answers Upload with its result, not {type(event).__name__}")
    return event


def use_store(access: StoreAccess) -> Generator[Step, Event, StoreResult]:
    """Read or change the store of responses."""
    event = yield access
    if not isinstance(event, StoreResult):
        raise TypeError(f"a driver answers StoreAccess with StoreResult, not {type(event).__name__}")
    return event
