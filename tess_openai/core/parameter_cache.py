"""A cache of translated parameters: the calls of a program repeat most of them."""

from __future__ import annotations

import marshal
from collections.abc import Callable
from typing import Any, Final, TypeVar

from tess_openai.core.jsons import JSONObject

T = TypeVar("T")
MAX_ENTRIES: Final = 64
MAX_ENTRY_BYTES: Final = 16_384
"""The largest object that is cached, in bytes."""


class ParameterCache:
    """Caches values made from JSON objects: at most `MAX_ENTRIES`, and none from a large object.

    It is safe to use from several threads; at worst a value is made twice.
    """

    def __init__(self) -> None:
        self._made: dict[bytes, Any] = {}

    def get_or_make(self, fields: JSONObject, make: Callable[[], T]) -> T:
        """Return the cached value for `fields`, or make and cache it with `make`, which must not return None.

        Objects count as equal when their JSON texts are: `1`, `1.0` and `true` differ, and so do objects with
        their keys in another order.
        """
        try:
            key = marshal.dumps(fields, 2)  # version 2 has no references: equal objects give equal bytes
        except ValueError:  # too deep
            return make()
        if len(key) > MAX_ENTRY_BYTES:
            return make()
        made: T | None = self._made.get(key)
        if made is None:
            made = make()
            if len(self._made) >= MAX_ENTRIES:
                self._made.clear()
            self._made[key] = made
        return made
