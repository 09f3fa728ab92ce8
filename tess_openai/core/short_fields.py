"""Fields of a stream that are repeated with each of its chunks, and therefore must be short."""

from __future__ import annotations

from typing import Final

from tess_openai.core.jsons import JSONObject, dump_json

MAX_REPEATED_LENGTH: Final = 2000
"""How many bytes of one chunk may be repeated with later chunks, which may each have only a short text."""


class ShortFields:
    """Keeps the latest value of each field, as long as all of them together are short.

    Attributes:
        fields: The fields that are kept.
    """

    def __init__(self) -> None:
        self.fields: JSONObject = {}
        self._lengths: dict[str, int] = {}
        self._length = 0

    def keep(self, given: JSONObject) -> None:
        """Keep the fields of an object; one for which there is no room keeps its earlier value, if any."""
        for name, value in given.items():
            if name in self.fields and self.fields[name] is value:
                continue
            length = len(name) + len(dump_json(value))
            total = self._length - self._lengths.get(name, 0) + length
            if total <= MAX_REPEATED_LENGTH:
                self.fields[name] = value
                self._lengths[name], self._length = length, total
