"""Matches names that a model wrote in another case or with other punctuation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from functools import lru_cache


def bare_name(name: str) -> str:
    """Return a name without case and punctuation, so that `getWeather` and `get-weather` are equal."""
    if name.isascii() and name.isalnum() and name.islower():
        return name
    return "".join(char for char in name.casefold() if char.isalnum())


def bare_names(names: Iterable[str]) -> dict[str, str]:
    """Return `{bare form: name}`, without the names whose bare form is empty or that of another."""
    bare = [(bare_name(name), name) for name in names]
    counts = Counter(form for form, _ in bare)
    return {form: name for form, name in bare if form and counts[form] == 1}


def match_name(name: str, known: Iterable[str]) -> str | None:
    """Return the known name that equals `name`, or the only one that differs only in case or punctuation."""
    names = tuple(known)
    if name in names or not name:
        return name or None
    return _bare_names_of(names).get(bare_name(name))


@lru_cache(maxsize=16)
def _bare_names_of(names: tuple[str, ...]) -> dict[str, str]:
    """Return `bare_names(names)` from a cache: many words are compared with the same names."""
    return bare_names(names)
