"""The URLs of `pacing=`: `sqlite:///line.sqlite` and `redis://host:6379/0`."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from tess_openai.core.changes import quoted

SQLITE: Final = "sqlite:///"
_REDIS_SCHEMES: Final = ("redis", "rediss", "unix")


def parse_pacing_url(given: object) -> str | None:
    """Check the URL of a store, and make the path of a file absolute, so that all folders share it.

    Raises:
        ValueError: With the whole reason, which shows no password.
    """
    if given is None:
        return None
    if not isinstance(given, str) or "://" not in given:
        raise ValueError('pacing must be a URL, "sqlite:///line.sqlite" or "redis://host:6379/0", or None')
    if given.startswith(SQLITE):
        return _checked_file(given)
    scheme = given.partition("://")[0]
    if scheme == "sqlite":
        raise ValueError(
            "pacing is a URL of 'sqlite' with two slashes; a path follows three: sqlite:///line.sqlite"
        )
    if scheme not in _REDIS_SCHEMES:
        raise ValueError(
            f"pacing is a URL of {quoted(scheme)}; known are sqlite:///path for the processes of one machine "
            "and redis://host:6379/0 for several machines"
        )
    try:
        has_place = bool(urlsplit(given).hostname or urlsplit(given).path) and urlsplit(given).port != 0
    except ValueError:
        has_place = False
    if not has_place:
        raise ValueError(
            f"pacing is a URL of {quoted(scheme)} without a usable host or port: redis://host:6379/0"
        )
    if importlib.util.find_spec("redis") is None:
        raise ValueError('pacing="redis://..." needs the package redis: pip install "tess-openai[redis]"')
    return given


def path_of(url: str) -> Path:
    """Return the file that a URL of SQLite names."""
    return Path(url[len(SQLITE) :])


def has_password(url: str) -> bool:
    """Whether a URL contains what must not be written anywhere."""
    return not url.startswith(SQLITE) and ("@" in url or "?" in url)


def shown_url(url: str) -> str:
    """Return a URL without its user, password and query."""
    if url.startswith(SQLITE):
        return url
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def _checked_file(url: str) -> str:
    path = path_of(url)
    if not path.name or path.is_dir() or path.name == ":memory:":
        raise ValueError(f"pacing is {quoted(url)}, which names no file that processes can share")
    if not path.parent.is_dir():
        raise ValueError(
            f"pacing is {quoted(url)}, but there is no folder {quoted(str(path.parent))}; an absolute path "
            "begins with a fourth slash: sqlite:////var/lib/line.sqlite"
        )
    return f"{SQLITE}{path.resolve()}"
