"""Joins the answers to several requests into one stream: an answer that was cut, and its continuations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from tess_openai.core.chat.answer_body import AnswerBody, BodyItem, to_stream_items
from tess_openai.core.chat.chunk_templates import MatchedChunks, unescape_json_text
from tess_openai.core.chat.chunks import OUTPUT_KEYS, Chunk, StreamEnd
from tess_openai.core.chat.completion import Completion
from tess_openai.core.chat.stream_faults import TRUNCATED, StreamFault, diverged_fault, truncated_fault
from tess_openai.core.chat.stream_filter import texts_of_chunk
from tess_openai.core.chat.usage import UsageSum
from tess_openai.core.jsons import JSONObject, dump_json, to_object
from tess_openai.core.long_answers.continuation_joiner import ContinuationJoiner, GrowingText, WordBuffer
from tess_openai.core.sse import DONE_EVENT, encode_event


class JoinedAnswer:
    """Converts the events of one or several answers of Tess to those of one complete stream.

    Attributes:
        body: Reads the answer that is currently received.
        out: The events that are ready to be read.
        is_over: Whether the last event of the stream is ready.
        cut: Why the current answer is incomplete: it was cut, or diverged. None before, and once the stream
            is over.
        fault: The fault that ended the stream; None without one.
        is_cut_by_length: Whether it was the model's length limit that cut an answer that is to be continued.
        has_diverged: Whether the model wrote another text instead of continuing the answer.
        is_single_text: Whether the answer is one choice with text only, which can be continued.
        continuations: How many requests have continued it.
    """

    def __init__(self, body: AnswerBody, prompts: Sequence[str] | None, *, continues: bool) -> None:
        """Begin with the answer to the first request.

        Args:
            body: Reads the answer.
            prompts: The texts of the prompt, to estimate a missing usage; None estimates nothing.
            continues: Whether to continue the answer if it is cut; text is then returned in whole words.
        """
        self.body = body
        self.out = bytearray()
        self.is_over = False
        self.cut: StreamFault | None = None
        self.fault: StreamFault | None = None
        self.is_cut_by_length = self.has_diverged = False
        self.is_single_text = True
        self.continuations = 0
        self._continues = continues
        self._prompts = prompts
        self._text = GrowingText()
        self._words = WordBuffer()
        self._joiner = ContinuationJoiner("")
        self._answer_texts: list[str] = []  # the texts of the current answer
        self._length_before = 0  # of the text, before the current answer
        self._dropped = ""  # the incomplete word that the current answer should repeat
        self._usage = UsageSum()

    @property
    def text(self) -> str:
        """The text of all events so far."""
        return str(self._text)

    @property
    def whole_text(self) -> str:
        """All text so far, including a last word that may be incomplete."""
        return self.text + (self._words.held or (self._dropped if not self.has_grown else ""))

    @property
    def has_grown(self) -> bool:
        """Whether the current answer is the first or added text; if not, no further one is requested."""
        return not self.continuations or len(self._text) > self._length_before

    def take_events(self) -> bytes:
        """Return and remove the events that are ready."""
        out, self.out = self.out, bytearray()
        return bytes(out)

    def feed(self, piece: bytes) -> None:
        """Process the next bytes of the current answer; `b""` marks their end."""
        self._take(self.body.feed(piece) if piece else self.body.finish())

    def continue_with(self, body: AnswerBody, prompts: Sequence[str] | None) -> None:
        """Continue with the answer to a request for the rest of the text."""
        self._add_usage()
        self._dropped = self._words.finish()
        self._joiner = ContinuationJoiner(self.text)
        self._length_before = len(self._text)
        self._answer_texts, self._prompts, self.body = [], prompts, body
        self.cut, self.is_cut_by_length, self.has_diverged = None, False, False
        self.continuations += 1

    def end(self, reason: str | None = None) -> None:
        """End the stream; `reason` is the finish reason if the answer had none."""
        rest = self._flush()
        if rest or reason is not None:
            delta: JSONObject = {"content": rest} if rest else {}
            choice: JSONObject = {"index": 0, "delta": delta, "finish_reason": reason}
            self._write(self.body.reader.new_chunk([choice]))
        usage = self.body.reader.usage or None
        if self.continuations:
            self._add_usage()
            usage = self._usage.total()
        if self._continues and usage is not None:
            self._write({**self.body.reader.new_chunk([]), "usage": usage})
        self.out += DONE_EVENT
        self.cut, self.is_over = None, True

    def fail(self, fault: StreamFault | None = None) -> None:
        """End the stream with `fault`, or else with the fault that cut the answer."""
        self.fault = fault or self.cut or truncated_fault()
        error = to_object(self.fault.envelope.get("error")) or {}
        # An error of Tess is written as Tess sent it; the flow that reads this stream parses it again.
        self._write(to_object(error.get("tess")) or self.fault.envelope)
        self.cut, self.is_over = None, True

    def _take(self, items: Iterable[BodyItem]) -> None:
        for item in items:
            if self.is_over or self.cut is not None:
                return
            if isinstance(item, Completion):
                self._take(to_stream_items(item, self.body.reader))
            elif isinstance(item, MatchedChunks):
                self._take_texts(item)
            elif isinstance(item, Chunk):
                self._take_chunk(item)
            elif isinstance(item, StreamEnd):
                self._take_end()
            elif (to_object(item.envelope.get("error")) or {}).get("code") == TRUNCATED:
                self.cut = item
            else:
                self.fail(item)

    def _take_texts(self, item: MatchedChunks) -> None:
        text = "".join(map(unescape_json_text, item.texts))
        if not self._continues or not self.is_single_text:
            self._text.add(text)
            self.out += item.events
            return
        joined = self._join(text)
        if joined:
            choice: JSONObject = {"index": 0, "delta": {"content": joined}, "finish_reason": None}
            self._write(self.body.reader.new_chunk([choice]))

    def _take_chunk(self, chunk: Chunk) -> None:
        fields, choices = chunk.fields, chunk.fields["choices"]
        text = "".join(texts_of_chunk(fields))
        self.is_single_text = self.is_single_text and len(choices) < 2 and all(map(_is_single_text, choices))
        if not self._continues or not self.is_single_text:
            rest = self._flush() if self._continues else ""
            if rest:
                choice: JSONObject = {"index": 0, "delta": {"content": rest}, "finish_reason": None}
                self._write(self.body.reader.new_chunk([choice]))
            self._text.add(text)
            self.out += encode_event(chunk.data if chunk.untouched else dump_json(fields))
            return
        if not choices:
            return  # token counts: `end` writes their sum
        (choice,) = choices
        joined, reason = self._join(text), choice.get("finish_reason")
        if reason == "length":
            self.is_cut_by_length, reason = True, None
        elif reason is not None:
            joined += self._flush()
        delta: JSONObject = choice["delta"]
        if joined or "content" in delta:
            delta = {**delta, "content": joined}
        self._write(
            {
                **{name: value for name, value in fields.items() if name != "usage"},
                "choices": [{**choice, "delta": delta, "finish_reason": reason}],
            }
        )

    def _take_end(self) -> None:
        if self.is_cut_by_length:
            self.cut = truncated_fault()
        else:
            self.end()

    def _join(self, text: str) -> str:
        """Return the new part of the current answer's next text, up to the end of a word."""
        self._answer_texts.append(text)
        joined = self._words.feed(self._joiner.feed(text))
        self._text.add(joined)
        if self._joiner.diverged:
            self.cut, self.has_diverged = diverged_fault(), True
        return joined

    def _flush(self) -> str:
        """Return the text that is held; if a continuation added none, the incomplete word dropped for it."""
        rest = self._words.feed(self._joiner.finish()) + self._words.finish()
        self._text.add(rest)
        if not self.has_grown:
            rest, self._dropped = self._dropped, ""
            self._text.add(rest)
        return rest

    def _add_usage(self) -> None:
        self._usage.add(self.body.reader.usage or None, self._prompts, "".join(self._answer_texts))

    def _write(self, fields: JSONObject) -> None:
        self.out += encode_event(dump_json(fields))


def _is_single_text(choice: JSONObject) -> bool:
    """Whether a choice of a chunk is the first, and contains only text."""
    delta = choice["delta"]
    return not choice["index"] and not any(delta.get(key) for key in OUTPUT_KEYS if key != "content")
