"""Recognises events of a stream that differ from an earlier one only in their text, without parsing them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tess_openai.core.jsons import JSONObject, parse_json, parse_object
from tess_openai.core.sse import ServerSentEvent


class MatchedChunks(NamedTuple):  # made for each piece: half the cost of a frozen dataclass
    """Events that differ from an earlier complete chunk in their texts only.

    Attributes:
        texts: Their texts as JSON string bodies, still escaped.
        events: The bytes of the events.
        choice: The index of their choice.
    """

    texts: list[bytes]
    events: bytes
    choice: int = 0


_JSON_STRING_BODY: Final = re.compile(
    rb"""[\x20\x21\x23-\x5b\x5d-\x7f]*(?:(?:
        \\["\\/bfnrt] | \\u(?:[0-9A-CEFa-cef][0-9A-Fa-f]{3} | [Dd][0-7][0-9A-Fa-f]{2})
        | \\u[Dd][89ABab][0-9A-Fa-f]{2}\\u[Dd][C-Fc-f][0-9A-Fa-f]{2}
        | [\xc2-\xdf][\x80-\xbf]
        | \xe0[\xa0-\xbf][\x80-\xbf] | \xed[\x80-\x9f][\x80-\xbf] | [\xe1-\xec\xee\xef][\x80-\xbf]{2}
        | \xf0[\x90-\xbf][\x80-\xbf]{2} | [\xf1-\xf3][\x80-\xbf]{3} | \xf4[\x80-\x8f][\x80-\xbf]{2}
    )[\x20\x21\x23-\x5b\x5d-\x7f]*)*""",
    re.VERBOSE,
)
"""The body of a JSON string in UTF-8, without its quotes and without half a surrogate pair.

Source: RFC 8259, section 7; RFC 3629, section 4.
"""


def unescape_json_text(text: bytes) -> str:
    """Decode the body of a JSON string."""
    return str(parse_json(b'"%b"' % text)) if b"\\" in text else text.decode()


class Template(NamedTuple):
    """The bytes around the text of a complete chunk.

    Attributes:
        before: The bytes of its event before the text.
        after: The bytes of its event after the text.
        choice: The index of its choice.
        fields: The fields of the chunk, with an empty text; must not be mutated.
    """

    before: bytes
    after: bytes
    choice: int
    fields: JSONObject

    def texts_of(self, events: bytes) -> list[bytes] | None:
        """Return the texts of events that differ from the chunk only in their text; None for other events."""
        before, after, _, _ = self
        if not (events.startswith(before) and events.endswith(after)):
            return None
        if len(events) < len(before) + len(after):  # one quote would both open and close the text
            return None
        texts = events[len(before) : -len(after)].split(after + before)
        if _JSON_STRING_BODY.fullmatch(b" ".join(texts)) is None:
            return None
        return texts

    def with_text(self, text: bytes) -> JSONObject:
        """Return the fields of a chunk with this text, a JSON string body."""
        choice = self.fields["choices"][0]
        delta = {**choice["delta"], "content": unescape_json_text(text)}
        return {**self.fields, "choices": [{**choice, "delta": delta}]}


def template_of(fields: JSONObject, event: ServerSentEvent) -> Template | None:
    """Return the template of a complete chunk; None when its text cannot be located with certainty.

    A chunk with more than a text has none either: events that match a template are passed on unparsed, so a
    role would be repeated, and other fields would not be read.

    Args:
        fields: Of the chunk, as the caller gets it.
        event: The chunk as Tess sent it.
    """
    data = event.data
    choices = fields["choices"]
    if len(choices) != 1 or choices[0]["finish_reason"] is not None or fields.get("usage"):
        return None
    delta: JSONObject = choices[0]["delta"]
    if "role" in delta or any(value for key, value in delta.items() if key != "content"):
        return None
    text = delta.get("content")
    quoted = b'"%b"' % text.encode(errors="surrogatepass") if isinstance(text, str) and text else b""
    if not quoted or event.event or b"\n" in data or data.count(quoted) != 1:
        return None
    before, _, after = data.partition(quoted)
    blank_fields = {**fields, "choices": [{**choices[0], "delta": {**delta, "content": ""}}]}
    if parse_object(before + b'""' + after) != blank_fields:  # the bytes are another field's, or were changed
        return None
    return Template(b"data: " + before + b'"', b'"' + after + b"\n\n", choices[0]["index"], blank_fields)
