"""What need not be worked out twice: a program asks for the same over and over."""

from __future__ import annotations

import marshal
from typing import Final

from tess_openai.core.jsons import JSONObject

_ENTRIES: Final = 64
_LARGEST: Final = 16_384


class Memory:
    """Keeps what was made of a JSON object; of few objects, and of none that is large.

    Any number of threads may use it: at worst something is made twice.
    """

    def __init__(self) -> None:
        self._made: dict[bytes, object] = {}

    @staticmethod
    def key(fields: JSONObject) -> bytes | None:
        """Return what tells an object from all others, also by the order of keys and the types of values.

        None for one that is too large to be kept, or too deep.
        """
        try:
            key = marshal.dumps(fields, 2)  # a version without references: equal objects give equal bytes
        except ValueError:
            return None
        return key if len(key) <= _LARGEST else None

    def get(self, key: bytes | None) -> object:
        """Return what is kept; None for nothing."""
        return None if key is None else self._made.get(key)

    def keep(self, key: bytes | None, made: object) -> None:
        """Keep what was made."""
        if key is not None:
            if len(self._made) >= _ENTRIES:
                self._made.clear()
            self._made[key] = made
