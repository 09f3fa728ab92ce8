"""Random identifiers, from randomness that is read from the system for many of them at once.

A read costs little on most systems and a millisecond on some that are sandboxed, which would be more than all
else that the adapter does for a call.
"""

from __future__ import annotations

import os
from typing import Final

_BYTES: Final = 12
_AT_ONCE: Final = 64
_pool: list[str] = []


def new_random_id() -> str:
    """Return 24 hexadecimal digits that nobody can guess; any number of threads may ask."""
    try:
        return _pool.pop()  # one step, so no two threads get the same
    except IndexError:
        data = os.urandom(_BYTES * _AT_ONCE).hex()
        width = 2 * _BYTES
        new, *others = [data[start : start + width] for start in range(0, len(data), width)]
        _pool.extend(others)
        return new


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.clear)  # a child must not use what its parent will
