"""The parts of a reply that a profile needs; its texts are not stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tess_openai.core.jsons import JSONObject, parse_object, to_list, to_object
from tess_openai.core.sse import EventDecoder

_TELLING = ("ratelimit", "retry", "request-id", "credit")


@dataclass(frozen=True, slots=True)
class Reply:
    """One HTTP answer, parsed.

    Attributes:
        status: HTTP status.
        headers: Names in lower case.
        objects: The JSON objects of the body: one of a completion or an error, several of a stream.
        is_stream: Whether it was streamed.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    objects: tuple[JSONObject, ...] = field(repr=False)
    is_stream: bool = False

    @property
    def choices(self) -> list[JSONObject]:
        """The choices of all objects."""
        found = (choice for each in self.objects for choice in to_list(each.get("choices")) or [])
        return [choice for choice in map(to_object, found) if choice is not None]

    @property
    def messages(self) -> list[JSONObject]:
        """The messages or deltas of all choices."""
        found = (to_object(choice.get("message", choice.get("delta"))) for choice in self.choices)
        return [message for message in found if message is not None]

    @property
    def text(self) -> str:
        """All text."""
        contents = (message.get("content") for message in self.messages)
        return "".join(content for content in contents if isinstance(content, str))

    @property
    def shape(self) -> tuple[str, ...]:
        """The names of the root fields that have a value."""
        return tuple(
            sorted({name for each in self.objects for name, value in each.items() if value is not None})
        )

    @property
    def telling_headers(self) -> tuple[str, ...]:
        """The names of headers about limits, waiting and cost."""
        return tuple(sorted(name for name in self.headers if any(word in name for word in _TELLING)))

    @property
    def tokens(self) -> int:
        """The total of tokens; 0 when the answer does not count them."""
        counts = ((to_object(each.get("usage")) or {}).get("total_tokens") for each in self.objects)
        return max((count for count in counts if isinstance(count, int)), default=0)

    @property
    def retry_after_seconds(self) -> float:
        """The wait that a 429 asks for; 1 when it asks for none."""
        given = next((each["retry_after"] for each in self.objects if "retry_after" in each), None)
        given = self.headers.get("retry-after") if given is None else given
        try:
            return max(float(given), 0.0) if given is not None else 1.0
        except (TypeError, ValueError):
            return 1.0


def read_reply(status: int, headers: Mapping[str, str], body: bytes) -> Reply:
    """Parse one HTTP answer."""
    is_stream = headers.get("content-type", "").startswith("text/event-stream")
    if not is_stream:
        fields = parse_object(body)
        return Reply(status, headers, () if fields is None else (fields,))
    decoder = EventDecoder()
    events = [*decoder.feed(body), *decoder.finish()]
    found = (parse_object(event.data) for event in events)
    return Reply(status, headers, tuple(each for each in found if each is not None), is_stream=True)
