"""Writes the event stream of a response from the chunks of a chat.

Source: OpenAI's API reference, responses, streaming events (documented): `event:` and `data:` lines, sequence
numbers without a gap, no `[DONE]`. The SDK raises an exception for the field `error` of an event (measured).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.chat.chunk_templates import unescape_json_text
from tess_openai.core.jsons import JSONObject, dump_json, to_object
from tess_openai.core.responses.response_object import (
    INCOMPLETE_REASONS,
    ResponseDraft,
    arguments_key,
    call_arguments,
    call_item,
    calls_of,
    message_item,
    refusal_part,
    text_part,
)


@dataclass(slots=True)
class _OpenItem:
    """An item of the output that is being written.

    Attributes:
        item: The item. Its first event shows it empty; parts or arguments are added to it when they end.
        position: Its position in the output.
        pieces: The pieces of a call's arguments, or of the open part of a message.
        part: The type of the open part of a message, `"output_text"` or `"refusal"`; `""` for none.
        delta_event: The bytes of a delta event of the open part: those before its sequence number, and those
            between the number and the text.
    """

    item: JSONObject
    position: int
    pieces: list[str] = field(default_factory=list[str])
    part: str = ""
    delta_event: tuple[bytes, bytes] = (b"", b"")

    def take_part(self) -> JSONObject:
        """Close the open part of a message: move it to the content of the item, and return it."""
        text = "".join(self.pieces)
        part = text_part(text) if self.part == "output_text" else refusal_part(text)
        self.item["content"].append(part)
        self.part, self.pieces = "", []
        return part


class ResponseEventWriter:
    """Writes the events of one response.

    The text of a choice is written to one message item, which ends when a call of the choice begins, or else
    at the end of the response. Calls end only there, since pieces of several calls may arrive in any order.
    """

    def __init__(self, draft: ResponseDraft) -> None:
        self.draft = draft
        self._number = 0  # the sequence number of the next event
        self._messages: dict[int, _OpenItem] = {}  # by the index of the choice
        self._calls: dict[tuple[int, object], _OpenItem] = {}  # by the indices of choice and call
        self._reasons: dict[int, object] = {}  # the finish reason of each choice
        self._last: dict[int, JSONObject] = {}  # the last item of each choice

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
            choice, delta, reason = given["index"], given["delta"], given["finish_reason"]
            if reason is not None:
                self._reasons[choice] = reason
            if delta.get("content"):
                self._add_text(choice, "output_text", delta["content"], out)
            if delta.get("refusal"):
                self._add_text(choice, "refusal", delta["refusal"], out)
            if delta.get("tool_calls") or delta.get("function_call"):
                for list_index, call in enumerate(map(to_object, calls_of(delta))):
                    self._add_call(choice, call or {}, list_index, out)
        return b"".join(out)

    def texts(self, choice: int, texts: list[bytes]) -> bytes:
        """Return the events for texts of a choice: JSON string bodies, which are written unchanged."""
        out: list[bytes] = []
        texts = [text for text in texts if text]
        if not texts:
            return b""
        message = self._messages.get(choice)
        if message is None or message.part != "output_text":
            message = self._begin_part(choice, "output_text", out)
        message.pieces.append(unescape_json_text(b"".join(texts)))
        before, between = message.delta_event
        first, self._number = self._number, self._number + len(texts)
        out += [
            b'%b%d%b"%b"}\n\n' % (before, number, between, text) for number, text in enumerate(texts, first)
        ]
        return b"".join(out)

    def end(self) -> tuple[bytes, str | None]:
        """End all items; return the events for that, and why the response is incomplete, or else None."""
        out: list[bytes] = []
        incomplete: str | None = None
        for choice in sorted(self._reasons) or [0]:
            if choice not in self._last:  # an answer without text becomes a message with an empty text
                self._begin_part(choice, "output_text", out)
            reason = INCOMPLETE_REASONS.get(self._reasons.get(choice))
            if reason is not None:  # the item that the answer was cut in
                self._last[choice]["status"] = "incomplete"
            incomplete = incomplete or reason
        for choice in list(self._messages):
            self._end_message(choice, out)
        for call in self._calls.values():
            self._end_call(call, out)
        return b"".join(out), incomplete

    def last(self, response: bytes, status: str) -> bytes:
        """Return the event that ends the stream; `response` is the whole response as JSON."""
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
        # OpenAI documents these fields at the root of the event; its server sends them under `error`.
        event = {"code": code, "message": message, "param": param, "error": {"type": "server_error", **error}}
        return self._event("response.failed", {"response": failed}) + self._event("error", event)

    def _abandon_items(self) -> None:
        """Add to unfinished items the part of them that arrived, and give them the status `"incomplete"`."""
        for message in self._messages.values():
            if message.part:
                message.take_part()
        for call in self._calls.values():
            call.item[arguments_key(call.item)] = "".join(call.pieces)
        for item in self.draft.output:
            if item["status"] == "in_progress":
                item["status"] = "incomplete"

    def _event(self, name: str, fields: JSONObject) -> bytes:
        data = dump_json({"type": name, "sequence_number": self._number, **fields})
        self._number += 1
        return b"event: %b\ndata: %b\n\n" % (name.encode(), data)

    def _add_text(self, choice: int, part: str, text: str, out: list[bytes]) -> None:
        message = self._messages.get(choice)
        if message is None or message.part != part:
            message = self._begin_part(choice, part, out)
        message.pieces.append(text)
        before, between = message.delta_event
        number, self._number = self._number, self._number + 1
        out.append(b"%b%d%b%b}\n\n" % (before, number, between, dump_json(text)))

    def _begin_part(self, choice: int, part: str, out: list[bytes]) -> _OpenItem:
        message = self._messages.get(choice)
        if message is None:
            position = len(self.draft.output)
            message = _OpenItem(message_item(self.draft.item_id("msg", position)), position)
            self._messages[choice] = message
            self._add_item(choice, message, out)
        self._end_part(message, out)
        message.part = part
        place = _place_of_part(message)
        blank = text_part("") if part == "output_text" else refusal_part("")
        out.append(self._event("response.content_part.added", {**place, "part": blank}))
        name = f"response.{part}.delta"
        rest: JSONObject = {**place, "logprobs": []} if part == "output_text" else place
        head = f'event: {name}\ndata: {{"type":"{name}","sequence_number":'
        message.delta_event = head.encode(), b',%b,"delta":' % dump_json(rest)[1:-1]
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

    def _end_message(self, choice: int, out: list[bytes]) -> None:
        message = self._messages.pop(choice, None)
        if message is None:
            return
        self._end_part(message, out)
        out.append(self._end_item(message))

    def _add_call(self, choice: int, given: JSONObject, list_index: int, out: list[bytes]) -> None:
        key = choice, given.get("index", list_index)
        call = self._calls.get(key)
        if call is None:
            self._end_message(choice, out)
            position = len(self.draft.output)
            call = self._calls[key] = _OpenItem(call_item(given, self.draft, position), position)
            self._add_item(choice, call, out)
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

    def _add_item(self, choice: int, opened: _OpenItem, out: list[bytes]) -> None:
        self.draft.output.append(opened.item)
        self._last[choice] = opened.item
        out.append(self._event("response.output_item.added", _item_fields(opened)))

    def _end_item(self, opened: _OpenItem) -> bytes:
        if opened.item["status"] == "in_progress":
            opened.item["status"] = "completed"
        return self._event("response.output_item.done", _item_fields(opened))


_CALL_EVENTS: Final = {
    "custom_tool_call": "custom_tool_call_input",
    "function_call": "function_call_arguments",
}
"""Type of a call item -> what is between `response.` and `.delta` or `.done` in the names of its events."""


def _item_fields(opened: _OpenItem) -> JSONObject:
    return {"output_index": opened.position, "item": opened.item}


def _place_of_part(message: _OpenItem) -> JSONObject:
    content_index = len(message.item["content"])
    return {"item_id": message.item["id"], "output_index": message.position, "content_index": content_index}
