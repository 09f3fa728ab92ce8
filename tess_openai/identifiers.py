"""Validate what users copy from Tess before any request: agents, workspaces, keys and base URLs."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias, cast
from urllib.parse import SplitResult, urlsplit

from tess_openai.core.changes import quoted
from tess_openai.core.chat.target import is_slug
from tess_openai.core.options import AgentRef
from tess_openai.edge.caller_warnings import warn
from tess_openai.exceptions import TessConfigurationError, TessConfigurationWarning

ApiKey: TypeAlias = str | Callable[[], str] | Callable[[], Awaitable[str]]
DEFAULT_BASE_URL: Final = "https://api.tess.im"
"""Source: Tess docs, open-ai-compat (documented). `https://tess.pareto.io/api`: old docs (documented), in use
in 2026 (observed)."""
_BEARER: Final = re.compile(r"bearer\s+", re.IGNORECASE)
_TESS_HOSTS: Final = ("tess.im", "pareto.io", "tess.ai")
_NUMBER: Final = re.compile("0*[1-9][0-9]{0,17}")
_AGENT_IN_PATH: Final = re.compile(r"/agents/([1-9][0-9]{0,17})(?=/|$)")
_PLAIN_PATH: Final = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._~-]+)*")
_OPENAI_ROOT: Final = re.compile(r"/agents/0*([1-9][0-9]{0,17})/openai(?:/v1)?(?:/chat/completions)?/?$")
_VERSION: Final = re.compile(r"/v1(?:/chat/completions)?$")


def to_agent_id(given: int | str) -> AgentRef:
    """Parse an agent: its number, digits, a URL of Tess's app or API that contains it, or a slug.

    Raises:
        TessConfigurationError: It has none of these forms.
    """
    if isinstance(given, int) and not isinstance(given, bool) and given > 0:
        return given
    if isinstance(given, str):
        text = given.strip()
        if _NUMBER.fullmatch(text):
            return int(text)
        parts = _split(text)
        match = _AGENT_IN_PATH.search(parts.path)
        if match and parts.scheme in ("http", "https") and _is_tess_or_loopback(parts.hostname or ""):
            return int(match[1])
        if is_slug(text) and not text.startswith("sk-"):
            return text
    raise TessConfigurationError(
        f"agent_id is {quoted(given)}; it must be the agent's number, such as 8794, a Tess URL that contains "
        "/agents/8794, or its slug, such as my-agent-AbC12d. Copy it from the agent's page in Tess"
    )


def to_workspace_id(given: int | str | None) -> str | None:
    """Return the value of `x-workspace-id`; give a warning and return None when no workspace is given.

    Raises:
        TessConfigurationError: It is not a number.

    Source:
        "From 2026-09-01 every authenticated request without it gets 422" (reported by users who quote the
        docs; not confirmed).
    """
    if given is None:
        warn(
            "No workspace is named: users report that Tess refuses such requests with 422 since 2026-09-01. "
            "Pass create_client(workspace_id=1234) or set TESS_WORKSPACE_ID to the number of the workspace "
            "that your key belongs to.",
            TessConfigurationWarning,
        )
        return None
    text = str(given).strip()
    if isinstance(given, bool) or not (text.isascii() and text.isdigit()):
        raise TessConfigurationError(
            f"workspace_id is {quoted(given)}; it must be a number, such as 1234. "
            "See Settings, Workspace in Tess"
        )
    return text


def to_api_key(given: ApiKey | None) -> ApiKey:
    """Return a key that a header can carry, without surrounding quotes and white space.

    Raises:
        TessConfigurationError: It is None, empty, an OpenAI key, or has characters that no header can carry.

    Warns:
        TessConfigurationWarning: Quotes or white space were removed, or the key has no pipe.

    Source:
        Keys are a number, a pipe and about 48 letters and digits (observed, many users).
    """
    if given is None:
        raise TessConfigurationError(
            "no API key: pass api_key= or set TESS_API_KEY. OPENAI_API_KEY is never used, so that it cannot "
            "leak to another service"
        )
    if callable(given):
        return given
    if not isinstance(cast("object", given), str):
        raise TessConfigurationError(
            f"api_key is a {type(given).__name__}; it must be a string or a function that gives one"
        )
    key = _BEARER.sub("", given.strip().strip("\"'").strip())
    if not key:
        raise TessConfigurationError("the API key is empty; pass api_key= or set TESS_API_KEY")
    if key.startswith("sk-"):
        raise TessConfigurationError(
            "the API key is an OpenAI key (sk-...); pass a Tess key, which you create in Tess's settings"
        )
    if not (key.isascii() and key.isprintable()) or " " in key:
        raise TessConfigurationError(
            "the API key has characters that no header can carry; copy it again from Tess"
        )
    if key != given:
        warn("Quotes, white space or 'Bearer' around the API key were removed.", TessConfigurationWarning)
    if "|" not in key:
        warn(
            "The API key has no pipe: Tess keys look like 123|abc..., and a shell ends an unquoted word at "
            "the pipe. Quote the key where you set it.",
            TessConfigurationWarning,
        )
    return key


def to_api_root(given: str) -> tuple[str, int | None]:
    """Return the API root (scheme, host, path prefix), and the agent if the URL names one.

    `"https://api.tess.im"`, `"https://tess.pareto.io/api"`, or a complete `.../agents/8794/openai`. Empty
    path segments, and OpenAI's `/v1` behind an agent, are left out.

    Raises:
        TessConfigurationError: It is not such a URL, or it is plain http to a host other than loopback.
    """
    parts = _split(given.strip())
    host = (parts.hostname or "").lower()
    if parts.scheme not in ("http", "https") or not host:
        raise _bad_url(given, "it must start with https:// and name a host")
    if parts.username is not None or parts.query or parts.fragment:
        raise _bad_url(given, "it must have no user, query or fragment", shown=False)
    if parts.scheme == "http" and not _is_loopback(host):
        raise _bad_url(given, "plain http would send the key in the clear; use https")
    path, agent = re.sub("/{2,}", "/", parts.path), None
    match = _OPENAI_ROOT.search(path)
    if match:
        path, agent = path[: match.start()], int(match[1])
    path = path.rstrip("/")
    if path == "" and host == "tess.pareto.io":
        warn(
            "https://tess.pareto.io serves its API below /api, which was added. Pass "
            'base_url="https://tess.pareto.io/api".',
            TessConfigurationWarning,
        )
        path = "/api"
    version = _VERSION.search(path)
    if version is not None:
        path = path[: version.start()]
        root = f"{parts.scheme}://{parts.netloc}{path}" if _PLAIN_PATH.fullmatch(path) else DEFAULT_BASE_URL
        raise _bad_url(given, f'it must be the API\'s root, "{root}", without /v1, which is a path of OpenAI')
    if "/agents" in path or path.endswith(("/openai", "/chat/completions")):
        raise _bad_url(given, "it must be the API's root; the agent's path is added")
    if not _PLAIN_PATH.fullmatch(path):  # httpx would escape it, and its requests would not be recognised
        raise _bad_url(given, "its path must be plain words between single slashes")
    port = port_of(parts)
    shown_host = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown_host}{'' if port is None else f':{port}'}{path}", agent


def names_agent(base_url: str) -> bool:
    """Whether a base URL names an agent, `.../agents/8794/openai`."""
    return _OPENAI_ROOT.search(re.sub("/{2,}", "/", _split(base_url.strip()).path)) is not None


def port_of(parts: SplitResult) -> int | None:
    """Return the port of a URL; None for the scheme's default port.

    Raises:
        TessConfigurationError: The port is not a number from 0 to 65535.
    """
    try:
        port = parts.port
    except ValueError:
        raise TessConfigurationError("the port in base_url must be a number from 0 to 65535") from None
    return None if port == {"https": 443, "http": 80}.get(parts.scheme) else port


def _is_tess_or_loopback(host: str) -> bool:
    name = host.lower()
    return _is_loopback(name) or any(name == known or name.endswith("." + known) for known in _TESS_HOSTS)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _bad_url(given: str, why: str, *, shown: bool = True) -> TessConfigurationError:
    subject = f"base_url is {quoted(given)}" if shown else "base_url cannot be used"
    return TessConfigurationError(f"{subject}: {why}. Example: {DEFAULT_BASE_URL}")


def _split(url: str) -> SplitResult:
    try:
        return urlsplit(url)
    except ValueError:  # for example an incomplete IPv6 address
        return SplitResult("", "", "", "", "")
