"""The API keys of one client, as hashes: the adapter sends them to the configured base URL only."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from tess_openai.edge.pacing import hash_key

_MOST_KNOWN: Final = 1000
"""Keys that are remembered; the oldest is forgotten first. A client whose key is a function may use many."""
_BEARER: Final = re.compile(r"bearer\s+", re.IGNORECASE)
_TESS_KEY: Final = re.compile(r"\d+\|")


class KnownKeys:
    """The keys of one client: the configured one, and each that was sent to the configured base URL.

    Attributes:
        has_tess_form: Whether the configured key is a number, a pipe and more, as the keys of Tess are.
        latest: Python's own hash, which is random in each process, of the header that was remembered last: a
            request with the same header need not be checked again.
        from_function: Whether the key comes from a function, so that any key may be the client's own.
    """

    def __init__(self, hashes: Iterable[bytes] = (), *, has_tess_form: bool, from_function: bool) -> None:
        self._hashes: dict[bytes, None] = dict.fromkeys(hashes)
        self.latest: int | None = None
        self.has_tess_form = has_tess_form
        self.from_function = from_function

    @classmethod
    def of(cls, api_key: object) -> KnownKeys:
        """Return the keys of a client that is made with this `api_key`, a string or a function."""
        if not isinstance(api_key, str):
            return cls(has_tess_form=False, from_function=api_key is not None)
        return cls([hash_key(api_key)], has_tess_form=has_tess_form(api_key), from_function=False)

    def __contains__(self, authorization: str) -> bool:
        return hash_key(_token(authorization)) in self._hashes

    def __reduce__(self) -> tuple[object, ...]:
        return _restore, (list(self._hashes), self.has_tess_form, self.from_function)

    def remember(self, authorization: str) -> None:
        """Remember a key that was sent to the configured base URL."""
        self.latest = hash(authorization)
        key = hash_key(_token(authorization))
        if key not in self._hashes and authorization:
            self._hashes[key] = None
            while len(self._hashes) > _MOST_KNOWN:
                self._hashes.pop(next(iter(self._hashes)), None)

    def are_in(self, headers: Mapping[str, str]) -> bool:
        """Whether any header, whatever its name, holds a known key or one of the form of Tess's keys."""
        if self.from_function and "authorization" in headers:
            return True
        return any(has_tess_form(value) or value in self for value in headers.values())


def has_tess_form(authorization: str) -> bool:
    """Whether a key, with or without `Bearer` before it, is a number, a pipe and more."""
    return _TESS_KEY.match(_token(authorization)) is not None


def _token(authorization: str) -> str:
    return _BEARER.sub("", authorization, count=1).strip()


def _restore(hashes: list[bytes], has_form: bool, from_function: bool) -> KnownKeys:  # noqa: FBT001 - for pickle
    return KnownKeys(hashes, has_tess_form=has_form, from_function=from_function)
