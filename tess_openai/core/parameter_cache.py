"""A cache of translated parameters: the calls of a program repeat most of them."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any, Final, TypeVar

from tess_openai.core.jsons import JSONObject

T = TypeVar("T")
ENTRIES: Final = 64
LARGEST: Final = 16_384
"""The largest object that is cached, in bytes."""


class ParameterCache:
    """Caches what was made from JSON objects: a few objects, none of them large.

    Any number of threads may use it; at worst a value is made twice.
    """

    def __init__(self) -> None:
        self._made: dict[bytes, Any] = {}

    def get_or_make(self, fields: JSONObject, make: Callable[[], T]) -> T:
        """Return the value made from an equal object, or the one that `make` makes now; never None.

        Objects are equal when their JSON is: `1`, `1.0` and `true` differ, and so does another order of keys.
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
