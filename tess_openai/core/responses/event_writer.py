"""Writes the event stream of a response from the chunks of a chat.

Source: OpenAI's API reference, responses, streaming events (documented): `event:` and `data:` lines, sequence
numbers without a gap, no `[DONE]`. The SDK raises an exception for the field `error` of an event (measured).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.chat.chunk_templates import unescape_json_text
from tess_openai.core.jsons import JSONObject, dump_json, to_list, to_object
from tess_openai.core.responses.response_object import (
    INCOMPLETE_REASONS,
    ResponseDraft,
    arguments_key,
    call_arguments,
    call_item,
    message_item,
    refusal_part,
    text_part,
)


@dataclass(slots=True)
class _OpenItem:
    """An item of the output that is being written.

    Attributes:
        item: The item as its first event showed it, with its initial content and status.
        position: Its position in the output.
        pieces: The pieces of a call's arguments, or of the open part of a message.
        part: The open part of a message, `"output_text"` or `"refusal"`; `""` for none.
    """

    item: JSONObject
    position: int
    pieces: list[str] = field(default_factory=list[str])
    part: str = ""

    def take_part(self) -> JSONObject:
        """Close the open part of a message: move it to the content of the item, and return it."""
        text = "".join(self.pieces)
        part = text_part(text) if self.part == "output_text" else refusal_part(text)
        self.item["content"].append(part)
        self.part, self.pieces = "", []
        return part


class ResponseEventWriter:
    """Writes the events of one response.

    Text is written to one message item until a call begins. Calls are ended at the end of the response, since
    the pieces of several calls may arrive in any order.
    """

    def __init__(self, draft: ResponseDraft) -> None:
        self.draft = draft
        self.finish_reason: object = None
        self._number = 0  # the sequence number of the next event
        self._message: _OpenItem | None = None
        self._calls: dict[object, _OpenItem] = {}
        self._delta_event = b"", b""  # the bytes of a delta event before its number, and before its text

    def begin(self) -> bytes:
        """Return the events with which every response begins."""
        response = self.draft.to_json("in_progress")
        created = self._event("response.created", {"response": response})
        return created + self._event("response.in_progress", {"response": response})

    def chunk(self, fields: JSONObject) -> bytes:
        """Return the events for one chunk of the chat."""
        self.draft.read_root(fields)
        out: list[bytes] = []
        for given in fields["choices"]:
            delta = given["delta"]
            reason = given["finish_reason"]
            if reason is not None:
                self.finish_reason = reason
            content, calls = delta.get("content"), delta.get("tool_calls")
            if content:
                self._add_text("output_text", content, out)
            if delta.get("refusal"):
                self._add_text("refusal", delta["refusal"], out)
            for place, call in enumerate(map(to_object, to_list(calls) or [])):
                self._add_call(call or {}, place, out)
        return b"".join(out)

    def texts(self, texts: list[bytes]) -> bytes:
        """Return the events for texts, which are JSON string bodies and are written unchanged."""
        out: list[bytes] = []
        texts = [text for text in texts if text]
        message = self._message
        if texts and (message is None or message.part != "output_text"):
            message = self._begin_part("output_text", out)
        if message is not None:
            message.pieces.append(unescape_json_text(b"".join(texts)))
        before, between = self._delta_event
        first, self._number = self._number, self._number + len(texts)
        out += [
            b'%b%d%b"%b"}\n\n' % (before, number, between, text) for number, text in enumerate(texts, first)
        ]
        return b"".join(out)

    def end(self) -> tuple[bytes, str | None]:
        """End all items; return the events for that, and the reason of an incomplete response, else None."""
        out: list[bytes] = []
        if not self.draft.output:  # an answer without text becomes a message with an empty text
            self._begin_part("output_text", out)
        incomplete = INCOMPLETE_REASONS.get(self.finish_reason)
        if incomplete is not None:  # the item that the answer was cut in
            self.draft.output[-1]["status"] = "incomplete"
        self._end_message(out)
        for call in self._calls.values():
            self._end_call(call, out)
        return b"".join(out), incomplete

    def last(self, response: bytes, status: str) -> bytes:
        """Return the event that ends the stream with the whole response, which is already JSON."""
        name = f"response.{status}"
        head = f'event: {name}\ndata: {{"type":"{name}","sequence_number":{self._number},"response":'
        return b"%b%b}\n\n" % (head.encode(), response)

    def fail(self, envelope: JSONObject) -> bytes:
        """Return the events of a response that failed; `envelope` is OpenAI's error envelope."""
        error = to_object(envelope.get("error")) or {}
        message = str(error.get("message") or "the answer failed without a reason")
        self._abandon_items()
        failed = self.draft.to_json("failed", error={"code": "server_error", "message": message})
        code, param = error.get("code"), error.get("param")
        # OpenAI documents the fields at the root; its server sends those under `error`.
        event = {"code": code, "message": message, "param": param, "error": {"type": "server_error", **error}}
        return self._event("response.failed", {"response": failed}) + self._event("error", event)

    def _abandon_items(self) -> None:
        """Give the items that are still in progress what arrived of them, and the status `"incomplete"`."""
        if self._message is not None and self._message.part:
            self._message.take_part()
        for call in self._calls.values():
            call.item[arguments_key(call.item)] = "".join(call.pieces)
        for item in self.draft.output:
            if item["status"] == "in_progress":
                item["status"] = "incomplete"

    def _event(self, name: str, fields: JSONObject) -> bytes:
        data = dump_json({"type": name, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)

    def _add_text(self, part: str, text: str, out: list[bytes]) -> None:
        message = self._message
        if message is None or message.part != part:
            message = self._begin_part(part, out)
        message.pieces.append(text)
        before, between = self._delta_event
        number, self._number = self._number, self._number + 1
        out.append(b"%b%d%b%b}\n\n" % (before, number, between, dump_json(text)))

    def _begin_part(self, part: str, out: list[bytes]) -> _OpenItem:
        message = self._message
        if message is None:
            position = len(self.draft.output)
            message = self._message = _OpenItem(message_item(self.draft.item_id("msg", position)), position)
            self._add_item(message, out)
        self._end_part(message, out)
        message.part = part
        place = _place_of_part(message)
        blank = text_part("") if part == "output_text" else refusal_part("")
        out.append(self._event("response.content_part.added", {**place, "part": blank}))
        name = f"response.{part}.delta"
        rest: JSONObject = {**place, "logprobs": []} if part == "output_text" else place
        head = f'event: {name}\ndata: {{"type":"{name}","sequence_number":'
        self._delta_event = head.encode(), b',%b,"delta":' % dump_json(rest)[1:-1]
        return message

    def _end_part(self, message: _OpenItem, out: list[bytes]) -> None:
        if not message.part:
            return
        place = _place_of_part(message)
        part = message.take_part()
        if part["type"] == "output_text":
            done = self._event("response.output_text.done", {**place, "text": part["text"], "logprobs": []})
        else:
            done = self._event("response.refusal.done", {**place, "refusal": part["refusal"]})
        out += (done, self._event("response.content_part.done", {**place, "part": part}))

    def _end_message(self, out: list[bytes]) -> None:
        message, self._message = self._message, None
        if message is None:
            return
        self._end_part(message, out)
        out.append(self._end_item(message))

    def _add_call(self, given: JSONObject, place: int, out: list[bytes]) -> None:
        index = given.get("index", place)
        call = self._calls.get(index)
        if call is None:
            self._end_message(out)
            position = len(self.draft.output)
            call = self._calls[index] = _OpenItem(call_item(given, self.draft, position), position)
            self._add_item(call, out)
        piece = call_arguments(given)
        if piece:
            call.pieces.append(piece)
            fields = {"item_id": call.item["id"], "output_index": call.position, "delta": piece}
            out.append(self._event(f"response.{_CALL_EVENTS[call.item['type']]}.delta", fields))

    def _end_call(self, call: _OpenItem, out: list[bytes]) -> None:
        item, arguments = call.item, "".join(call.pieces)
        key = arguments_key(item)
        item[key] = arguments
        fields = {"item_id": item["id"], "output_index": call.position, key: arguments}
        if key == "arguments":
            fields["name"] = item["name"]
        out.append(self._event(f"response.{_CALL_EVENTS[item['type']]}.done", fields))
        out.append(self._end_item(call))

    def _add_item(self, opened: _OpenItem, out: list[bytes]) -> None:
        self.draft.output.append(opened.item)
        out.append(self._event("response.output_item.added", _of_item(opened)))

    def _end_item(self, opened: _OpenItem) -> bytes:
        if opened.item["status"] == "in_progress":
            opened.item["status"] = "completed"
        return self._event("response.output_item.done", _of_item(opened))


_CALL_EVENTS: Final = {
    "custom_tool_call": "custom_tool_call_input",
    "function_call": "function_call_arguments",
}


def _of_item(opened: _OpenItem) -> JSONObject:
    return {"output_index": opened.position, "item": opened.item}


def _place_of_part(message: _OpenItem) -> JSONObject:
    content_index = len(message.item["content"])
    return {"item_id": message.item["id"], "output_index": message.position, "content_index": content_index}
