"""Collects the text of one answer of Tess for emulation, from the items that `AnswerBody` reads."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.changes import Change
from tess_openai.core.chat.answer_body import AnswerBody, BodyItem
from tess_openai.core.chat.chunk_templates import MatchedChunks, unescape_json_text
from tess_openai.core.chat.chunks import Chunk
from tess_openai.core.chat.completion import Completion, contents_of
from tess_openai.core.chat.finish_reasons import FINISH_REASONS, normalise_finish_reason
from tess_openai.core.chat.stream_faults import ERROR_BESIDE_OUTPUT, StreamFault, move_error_to_tess_field
from tess_openai.core.chat.stream_filter import texts_of_chunk
from tess_openai.core.chat.usage import parse_usage
from tess_openai.core.jsons import JSONObject, to_object

NATIVE_CALLS: Final = Change(
    action="noticed",
    param="tool_calls",
    given="",
    sent="",
    why="Tess made function calls of its own, and emulation reads the text of an answer only",
    remedy='Emulate the functions too, create_client(unsupported={"tools": "emulate"}), or emulate nothing.',
    warn="answer",
)
CUT_REASONS: Final = ("length", "content_filter")
"""Finish reasons of an incomplete answer. Source: OpenAI's API reference (documented)."""


@dataclass(slots=True)
class CollectedAnswer:
    """The parts of one answer that have arrived so far.

    Attributes:
        body: Reads the bytes of the answer.
        root: The root fields of its first chunk, or of the whole answer, such as `id`, `created` and
            `model`; without `choices`, `object` and `usage`, and with the latest `tess`.
        texts: The pieces of its text.
        finish_reason: One of OpenAI's finish reasons; None until one arrives.
        usage: The token counts of Tess; empty when it gave none.
        fault: The error that arrived instead of the answer, or instead of its end.
    """

    body: AnswerBody
    root: JSONObject = field(default_factory=dict[str, object])
    texts: list[str] = field(default_factory=list[str])
    finish_reason: object = None
    usage: JSONObject = field(default_factory=dict[str, object])
    fault: StreamFault | None = None

    @property
    def ended(self) -> bool:
        """Whether the answer has ended."""
        return self.body.ended

    def feed(self, data: bytes) -> str:
        """Take the next bytes, `b""` for their end; return the text that they complete."""
        return self._take(self.body.feed(data) if data else self.body.finish())

    def _take(self, items: Iterable[BodyItem]) -> str:
        start = len(self.texts)
        for item in items:
            if isinstance(item, StreamFault):
                self.fault = item
            elif isinstance(item, MatchedChunks):
                self.texts += map(unescape_json_text, item.texts)
            elif isinstance(item, Chunk):
                self._collect(item.fields, texts_of_chunk(item.fields))
                self.usage = self.body.reader.usage
            elif isinstance(item, Completion):
                self._take_completion(item.fields)
        return "".join(self.texts[start:])

    def _take_completion(self, fields: JSONObject) -> None:
        if fields.get("error"):
            move_error_to_tess_field(fields)
            self.body.reader.record_change(ERROR_BESIDE_OUTPUT)
        for choice in fields["choices"]:
            reason = choice.get("finish_reason")
            if reason and reason not in FINISH_REASONS:
                choice["finish_reason"] = normalise_finish_reason(reason, self.body.reader.record_change)
        self._collect(fields, contents_of(fields))
        self.usage = parse_usage(fields.get("usage"))

    def _collect(self, fields: JSONObject, texts: list[str]) -> None:
        if not self.root:
            self.root = {
                key: value for key, value in fields.items() if key not in ("choices", "object", "usage")
            }
        if "tess" in fields:  # the error of an answer with text, which may arrive in a later chunk
            self.root["tess"] = fields["tess"]
        for choice in fields["choices"]:
            self.finish_reason = choice.get("finish_reason") or self.finish_reason
            if any((to_object(choice.get(key)) or {}).get("tool_calls") for key in ("delta", "message")):
                self.body.reader.record_change(NATIVE_CALLS)
        self.texts += texts
