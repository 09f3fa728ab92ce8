"""Map files in messages: OpenAI's content parts to the `file_ids` of Tess.

Source: `file_ids`, a list of integers, is documented for `/execute`; that chat completions take it too is
assumed.
"""

from __future__ import annotations

from typing import Any, Final

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.ledger import Ledger

FILE_IDS: Final = "file_ids"
FILES_ONLY: Final = "See the attached files."
"""The text of a message that contained nothing but files. Source: public integrations (observed)."""
_WHY: Final = (
    "Tess takes files outside of the messages (documented for /execute, assumed for chat completions)"
)


def move_files_to_file_ids(given: JSONObject, ledger: Ledger) -> JSONObject:
    """Move the parts `{"type": "file", "file": {"file_id": "389571"}}` of all messages to `file_ids`.

    A message that has no other part gets the text `FILES_ONLY`. A part whose `file_id` is not a number, or
    that contains the file itself, stays in the message, and so do all parts under the policy `"forward"`.

    Returns:
        The request, whose messages are translated later; `given` itself when nothing was moved.
    """
    given_ids = [] if given.get(FILE_IDS) is None else to_list(given[FILE_IDS])
    if given_ids is None or ledger.policy.action_for("messages.content") == "forward":
        return given
    messages = to_list(given.get("messages")) or []
    if not _have_file(messages):
        return given
    numbers: list[int] = []
    moved = [_move_from_message(message, numbers) for message in messages]
    if not numbers:
        return given
    count = f"{len(numbers)} file{'s' if len(numbers) > 1 else ''}"
    known = {str(number) for number in given_ids}
    new = [number for number in dict.fromkeys(numbers) if str(number) not in known]
    ledger.mapped("messages.content", count, FILE_IDS, _WHY)
    return {**given, "messages": moved, FILE_IDS: [*given_ids, *new]}


def _have_file(messages: list[Any]) -> bool:
    """Whether any message has a file part; without helpers, since a long chat has many parts."""
    for message in messages:
        parts: object = message.get("content") if isinstance(message, dict) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType] - as in `to_object`
        if isinstance(parts, list):
            for part in parts:  # pyright: ignore[reportUnknownVariableType] - as above
                if isinstance(part, dict) and part.get("type") == "file":  # pyright: ignore[reportUnknownMemberType] - as above
                    return True
    return False


def _move_from_message(given: object, numbers: list[int]) -> object:
    message = to_object(given)
    parts = None if message is None else to_list(message.get("content"))
    if message is None or parts is None:
        return given
    found = {index: number for index, part in enumerate(parts) if (number := _number_of(part)) is not None}
    if not found:
        return given
    numbers += found.values()
    rest = [part for index, part in enumerate(parts) if index not in found]
    return {**message, "content": rest or [{"type": "text", "text": FILES_ONLY}]}


def _number_of(part: object) -> int | None:
    """Return Tess's number of the file that a part names; None for other parts."""
    fields = to_object(part)
    if fields is None or fields.get("type") != "file":
        return None
    number = (to_object(fields.get("file")) or {}).get("file_id")
    if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) <= 18:
        number = int(number)
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None
