"""Translate messages: every role, key and content of OpenAI's API to `system`, `user` and `assistant` text.

Source: Tess docs, open-ai-compat: roles system, user and assistant (documented). Strings are the content of
every published example (documented); lists of parts, `developer`, `tool` and other keys are undocumented.
Tess's native endpoint `/execute` refuses consecutive messages of one role (documented); whether chat
completions do is unknown. A
community integration merges them with a blank line (observed).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Final

from tess_openai.core.changes import Change, counted
from tess_openai.core.chat.message_texts import BLANK_LINE, append_texts, calls_of, text_of_part, to_text
from tess_openai.core.chat.parameters import EMULATE_REMEDY, MESSAGE_PARAMETERS
from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger
from tess_openai.core.probe_profile import NOTHING_PROVEN, TessProfile

ROLES: Final = ("system", "user", "assistant")
RESULT_ROLES: Final = ("tool", "function")
_TRANSLATED_ROLES: Final = (*ROLES, "developer", *RESULT_ROLES)
PLAIN_KEYS: Final = {"role", "content"}
MESSAGE_KEYS: Final = PLAIN_KEYS | {"refusal", "tool_calls", "function_call"}
RESULT_KEYS: Final = PLAIN_KEYS | {"name", "tool_call_id"}
TEXT_PART_KEYS: Final = frozenset(
    {"type", "text", "refusal", "annotations", "logprobs", "parsed", "id", "status"}
)
"""Keys of a text part whose loss is not recorded: its text, and what belongs to an earlier answer."""
PART_NAMES: Final = {"image_url": "image", "input_audio": "audio", "file": "file", "video_url": "video"}
_TEXT_PART_TYPES: Final = ("text", "input_text", "output_text")
_UNREADABLE: Final = "unreadable text"
_TEXT_ONLY: Final = "Tess's chat completions take text only, so the model does not see it"
_UPLOAD_REMEDY: Final = (
    'Let the adapter upload it to Tess, create_client(attachments="upload"); it must be a data: URL, since '
    'other URLs are not fetched. Or pass the id of an uploaded file: extra_body={"file_ids": [389571]}.'
)
_ALLOW_KEYS_REMEDY: Final = 'Leave it out, or allow this: create_client(unsupported={"messages": "warn"}).'
_REASONS: Final = {
    **dict.fromkeys(PART_NAMES.values(), (_TEXT_ONLY, _UPLOAD_REMEDY)),
    "part": (_TEXT_ONLY, ""),
    _UNREADABLE: (
        "the text of a text part must be a string; other values are not sent",
        "Pass a string as the text of each part, or leave the part out.",
    ),
}
"""Name of a part that is not sent -> why, and the remedy."""


def to_messages(
    given: object, ledger: Ledger, *, merge: bool, profile: TessProfile = NOTHING_PROVEN
) -> object:
    """Return the messages for Tess; the same object when nothing has to change.

    Shape: a list of `{"role": "system" | "user" | "assistant", "content": non-empty string}`. Any other value
    than a list of message objects is returned unchanged, so that Tess reports the error.

    Raises:
        Refused: A part of a message cannot be sent, and the policy is `"error"`.
    """
    messages = to_list(given)
    merge = merge and not profile.supports("messages.neighbours")
    if messages is None or need_no_translation(messages, merge=merge):
        return given
    translation = _MessageTranslation(ledger, profile)
    merged: list[object] = []
    joined: dict[int, list[str]] = {}  # index in `merged` -> the texts of several messages
    not_empty = 0
    before: JSONObject | None = None  # the last of `merged`, if another message can be joined to it
    for message in messages:
        sent = translation.translate(message)
        if sent is not None and len(sent) == len(PLAIN_KEYS):
            role, content = sent["role"], sent["content"]
            if content == "":
                translation.counts["empty"] += 1
                continue
            if before is not None and role == before["role"] and isinstance(content, str):
                joined.setdefault(len(merged) - 1, [before["content"]]).append(content)
                not_empty += 1
                continue
            before = sent if merge and isinstance(content, str) else None
        else:
            before = None
        merged.append(message if sent is None else sent)
        not_empty += 1
    if not not_empty:  # Tess reports that there is nothing to answer
        return given
    for index, texts in joined.items():
        merged[index] = {**(to_object(merged[index]) or {}), "content": BLANK_LINE.join(texts)}
    translation.record()
    if len(merged) < not_empty:
        why = "Tess may require alternating roles, so consecutive messages of one role were joined"
        ledger.mapped("messages", counted(not_empty, "message"), str(len(merged)), why)
    return merged


def need_no_translation(messages: list[object], *, merge: bool) -> bool:
    """Whether every message already has the form that Tess documents."""
    previous: object = ""
    for item in messages:
        message: JSONObject | None = item if isinstance(item, dict) else None  # pyright: ignore[reportUnknownVariableType] - `to_object`, written out: a call for each message is slow in a long chat
        if message is None or len(message) != 2:
            return False
        role, content = message.get("role"), message.get("content")
        if not isinstance(content, str) or not content or role not in ROLES or (merge and role == previous):
            return False
        previous = role
    return True


class _MessageTranslation:
    """Translates the messages of one request, and counts the changes of each kind, to record it once."""

    def __init__(self, ledger: Ledger, profile: TessProfile) -> None:
        self.ledger = ledger
        self.profile = profile
        self.counts: defaultdict[str, int] = defaultdict(int)
        self.keys: defaultdict[str, int] = defaultdict(int)  # how often each unsupported key occurs
        self.part_keys: defaultdict[str, int] = defaultdict(int)  # the same, of text parts
        self.names: dict[str, str] = {}  # tool call id -> function name

    def translate(self, given: object) -> JSONObject | None:
        """Return the message for Tess: its role, its content and the keys that are sent unchanged.

        None for a value that is sent as given: not a message, one of an unknown role, or one with tool calls
        that the policy forwards.
        """
        message = to_object(given)
        role = None if message is None else message.get("role")
        if message is None or not isinstance(role, str) or role not in _TRANSLATED_ROLES:
            return None
        content = message.get("content")
        is_text = isinstance(content, str)
        if is_text and role in ROLES and len(message) == len(PLAIN_KEYS):  # the usual case
            return message
        calls = calls_of(message) if "tool_calls" in message or "function_call" in message else []
        if calls or role in RESULT_ROLES:
            self.counts["calls"] += 1
            if self.ledger.policy.action_for("messages.tool_calls") == "forward":
                return None
        if role in RESULT_ROLES:
            return self._result_message(message)
        if role == "developer" and not self.profile.supports("role.developer"):
            self.counts["developer"] += 1
            role = "system"
        if not is_text:
            content = self._to_content(content)
        if calls or message.get("refusal"):
            content = append_texts(content, self._refusal_and_calls(message, calls))
        return self._sent(role, content, message, MESSAGE_KEYS)

    def _to_content(self, content: object) -> object:
        """Return one string for a list of parts or null; other values are returned unchanged.

        A list is returned unchanged too if Tess takes its parts, or the policy forwards them.
        """
        if content is None:
            return ""
        parts = to_list(content)
        if parts is None:
            return content
        texts: list[str] = []
        unsent: list[str] = []
        for part in parts:
            text = text_of_part(part)
            if text is None:
                kind = (to_object(part) or {}).get("type")
                name = PART_NAMES.get(str(kind), "part")
                unsent.append(_UNREADABLE if kind in _TEXT_PART_TYPES else name)
                text = f"[{name} not sent: this assistant takes text only]"
            texts.append(text)
        if unsent and (self._supports_all(unsent) or self._forwards_parts(unsent)):
            return content
        if len(parts) > len(unsent):
            self.counts["parts"] += 1
            self._count_part_keys(parts)
        return "\n".join([text for text in texts if text])

    def _count_part_keys(self, parts: list[object]) -> None:
        """Count the keys of text parts that a string cannot hold, such as `cache_control`."""
        for part in parts:
            fields = to_object(part) or {}
            if fields.keys() <= TEXT_PART_KEYS or text_of_part(part) is None:
                continue
            for key in sorted(fields.keys() - TEXT_PART_KEYS):
                if fields[key] not in (None, [], {}, "", False):
                    self.part_keys[key if key.isidentifier() and len(key) < 40 else "another key"] += 1

    def _supports_all(self, unsent: list[str]) -> bool:
        """Whether the probe proved that the agent sees all of these parts."""
        return set(unsent) == {"image"} and self.profile.supports("content.image_parts")

    def _forwards_parts(self, unsent: list[str]) -> bool:
        """Ask the policy, once for each reason, about the unsupported parts; return whether to send them."""
        reasons: dict[tuple[str, str], Counter[str]] = {}
        for name in unsent:
            reasons.setdefault(_REASONS[name], Counter())[name] += 1
        keeps = False
        for (why, remedy), names in reasons.items():
            decision = self.ledger.resolve_unsupported(
                "messages.content",
                given=", ".join(counted(number, name) for name, number in names.items()),
                sent="a note in the text",
                why=why,
                remedy=remedy,
            )
            keeps = decision == "keep"  # one policy applies to all of them
        return keeps

    def _refusal_and_calls(self, message: JSONObject, calls: list[object]) -> list[str]:
        """Return the texts that replace the fields `refusal` and `tool_calls` of a message."""
        texts = [self._call_text(call) for call in calls]
        if message.get("refusal"):
            self.counts["refusal"] += 1
            texts.insert(0, to_text(message["refusal"]))
        return texts

    def _call_text(self, given: object) -> str:
        call = to_object(given) or {}
        inner = to_object(call.get("function")) or to_object(call.get("custom"))
        if inner is None:
            return f"[Called the tool {to_text(given)}]"
        name, identifier = to_text(inner.get("name")), to_text(call.get("id") or "")
        self.names[identifier] = name
        arguments = to_text(inner.get("arguments", inner.get("input")))
        label = f"{name} ({identifier})" if identifier else name
        return f"[Called the tool {label} with {arguments}]"

    def _result_message(self, message: JSONObject) -> JSONObject:
        """Return a user message with the text of a `tool` or `function` message."""
        identifier = to_text(message.get("tool_call_id") or "")
        name = to_text(message.get("name") or self.names.get(identifier))
        label = (
            f"{name} ({identifier})" if name and identifier else name or (identifier and f"({identifier})")
        )
        text = to_text(self._to_content(message.get("content")))
        head = f"[Result of the tool {label or 'call'}]"
        return self._sent("user", f"{head}\n{text}" if text else head, message, RESULT_KEYS)

    def _sent(self, role: str, content: object, message: JSONObject, supported: set[str]) -> JSONObject:
        """Return a message for Tess; count its unsupported keys, and keep those that the policy forwards."""
        sent: JSONObject = {"role": role, "content": content}
        if message.keys() <= supported:
            return sent
        for key, value in message.items():
            if key in supported or value in (None, [], {}):
                continue
            self.keys[key] += 1
            if self.ledger.policy.action_for(f"messages.{key}") == "forward":
                sent[key] = value
        return sent

    def record(self) -> None:
        """Record the counted changes in the ledger, one entry for each kind.

        Raises:
            Refused: A part of a message is not sent, and the policy is `"error"`.
        """
        ledger, counts = self.ledger, self.counts
        if counts["developer"]:
            ledger.mapped("messages.role", "developer", "system", "Tess has no role `developer`")
        if counts["calls"]:
            ledger.resolve_unsupported(
                "messages.tool_calls",
                given=counted(counts["calls"], "message"),
                sent="text",
                why="Tess has no tool messages, so calls and their results are sent as text",
                remedy=EMULATE_REMEDY,
                recorded_as="rewritten",
            )
        if counts["parts"]:
            ledger.mapped("messages.content", "text parts", "one string", "Tess takes strings as content")
        for key, count in self.part_keys.items():
            why = "Tess takes strings as content, and a string holds only the text of a part"
            ledger.add(
                Change(
                    action="stripped",
                    param="messages.content",
                    given=f"{key} of {counted(count, 'part')}",
                    sent="",
                    why=why,
                )
            )
        if counts["refusal"]:
            ledger.mapped(
                "messages.refusal",
                counted(counts["refusal"], "refusal"),
                "content",
                "a message for Tess has no field `refusal`",
            )
        for key, count in self.keys.items():
            ledger.resolve_unsupported(
                f"messages.{key}",
                given=counted(count, "message"),
                why="Tess takes only the role and the content of a message",
                remedy="" if f"messages.{key}" in MESSAGE_PARAMETERS else _ALLOW_KEYS_REMEDY,
                quiet=True,
            )
        if counts["empty"]:
            ledger.mapped(
                "messages", counted(counts["empty"], "empty message"), "", "there was nothing to send"
            )
