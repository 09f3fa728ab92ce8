"""What need not be worked out twice: a program asks for the same over and over."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any, Final, TypeVar

from tess_openai.core.jsons import JSONObject

T = TypeVar("T")
ENTRIES: Final = 64
LARGEST: Final = 16_384
"""Of an object that is remembered, in bytes."""


class ParameterCache:
    """Keeps what was made of JSON objects; of few objects, and of none that is large.

    Any number of threads may use it: at worst something is made twice.
    """

    def __init__(self) -> None:
        self._made: dict[bytes, Any] = {}

    def get_or_make(self, fields: JSONObject, make: Callable[[], T]) -> T:
        """Return what `make` made of an equal object, else what it makes of this one; never None.

        Equal is what JSON calls so: `1`, `1.0` and `true` are three, and the order of keys counts.
        """
        try:
            key = marshal.dumps(fields, 2)  # a version without references: equal objects give equal bytes
        except ValueError:  # too deep
            return make()
        if len(key) > LARGEST:
            return make()
        made: T | None = self._made.get(key)
        if made is None:
            made = make()
            if len(self._made) >= ENTRIES:
                self._made.clear()
            self._made[key] = made
        return made
