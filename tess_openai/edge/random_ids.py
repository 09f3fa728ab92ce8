"""Random identifiers, made in batches from one read of the system's randomness.

Such a read is fast on most systems but takes a millisecond in some sandboxes, more than the adapter's whole
work for a call.
"""

from __future__ import annotations

import os
from typing import Final

_BYTES: Final = 12
_BATCH_SIZE: Final = 64
_pool: list[str] = []


def new_random_id() -> str:
    """Return 24 hexadecimal digits that cannot be guessed; safe in any number of threads."""
    try:
        return _pool.pop()  # atomic, so no two threads get the same
    except IndexError:
        data = os.urandom(_BYTES * _BATCH_SIZE).hex()
        width = 2 * _BYTES
        new, *others = [data[start : start + width] for start in range(0, len(data), width)]
        _pool.extend(others)
        return new


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.clear)  # else the child would use the same identifiers
