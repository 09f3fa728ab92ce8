"""The checks without the network: SDK, key, workspace, agent, base URL, environment, proxies, TLS.

Source: the names and mistakes are those of users of Tess (observed).
"""

from __future__ import annotations

import importlib.metadata
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from tess_openai.cli.doctor.environment import judge_certificates, judge_proxies
from tess_openai.cli.doctor.verdicts import Verdict, judge
from tess_openai.core.headers import OPENAI_HEADERS, WORKSPACE_HEADER
from tess_openai.identifiers import DEFAULT_BASE_URL, to_agent_id, to_api_key, to_api_root, to_workspace_id
from tess_openai.option_checks import read_profile

KEY_NAMES: Final = (
    "TESSAI_API_KEY",
    "TESS_API_TOKEN",
    "TESS_PROXY_API_KEY",
    "PARETO_API_KEY",
    "PARETO_TOKEN",
    "VITE_TESS_API_KEY",
    "VITE_TESS_AI_KEY",
)
AGENT_NAMES: Final = ("TESSAI_AGENT_ID", "TESS_DEFAULT_AGENT_ID", "PARETO_AGENT_ID", "AGENT_ID")
WORKSPACE_NAMES: Final = ("TESSAI_WORKSPACE_ID", "PARETO_WORKSPACE_ID")
URL_NAMES: Final = ("TESS_API_BASE", "TESS_API_URL", "TESS_API_BASE_URL", "PARETO_API_URL")
OVERRIDING: Final = {"Authorization": "Tess's key", WORKSPACE_HEADER: "TESS_WORKSPACE_ID"}
"""A header in `OPENAI_CUSTOM_HEADERS` -> the setting for Tess that it replaces."""
TESS_HOSTS: Final = ("api.tess.im", "tess.pareto.io")
QUOTES: Final = "\"'`\u2018\u2019\u201c\u201d\u00ab\u00bb"
_KEY_LENGTH: Final = 30
_WITHOUT: Final = (
    "Remove them where the key is set: TESS_API_KEY='123|abc...' in a shell, which takes these quotes away; "
    "no quotes in a file that is read as it is, such as one for docker --env-file."
)
_FAMILIES: Final = ("httpx2", "httpx")
_APP_URL: Final = "Copy the number out of the address of the agent's page, .../agents/8794."


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """The settings given by options; the environment supplies the others."""

    agent: str | None = None
    workspace: str | None = None
    base_url: str | None = None

    def value(self, given: str | None, variable: str) -> str | None:
        """Return an option, else its variable, else None; a blank variable counts as absent."""
        return given if given is not None else os.environ.get(variable, "").strip() or None

    @property
    def root(self) -> str:
        """The base URL as it is given."""
        return self.value(self.base_url, "TESS_BASE_URL") or DEFAULT_BASE_URL


def offline(setup: Setup) -> Iterator[Verdict]:
    """Judge everything that is set, in the order in which it would fail."""
    yield _sdk()
    yield _key()
    yield _workspace(setup)
    root = setup.root
    judged = judge("base URL", lambda: to_api_root(root), _shown_root, _url_remedy(root))
    verdict, parsed = judged
    yield _agent(setup, None if parsed is None else parsed[1])
    yield _base_url(verdict, root)
    if profile := os.environ.get("TESS_OPENAI_PROFILE"):
        remedy = "Unset TESS_OPENAI_PROFILE, or set it to a file that tess-openai probe wrote."
        yield judge("profile", lambda: read_profile(profile), lambda _: "it is read", remedy)[0]
    yield from _environment(os.environ)
    yield judge_proxies(os.environ, root)
    yield judge_certificates(os.environ)


def _sdk() -> Verdict:
    if not _installed("openai"):
        return Verdict("SDK", "wrong", "openai is not installed", "Install it: pip install openai")
    version = importlib.metadata.version("openai")
    families = [name for name in _FAMILIES if _installed(name)]
    finding = f"openai {version} with {' and '.join(families) or 'no HTTP library'}"
    if tuple(map(int, version.split(".")[:2])) < (1, 66):
        return Verdict("SDK", "wrong", finding, "Install openai 1.66 or later: pip install -U openai")
    return (
        Verdict("SDK", "ok", finding)
        if families
        else Verdict("SDK", "wrong", finding, "pip install -U openai")
    )


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _key() -> Verdict:
    given = os.environ.get("TESS_API_KEY")
    is_absent = not (given or "").strip()
    if is_absent and (other := _other(KEY_NAMES)):
        return Verdict(
            "key", "wrong", f"TESS_API_KEY is not set, but {other} is", f"Rename {other} to TESS_API_KEY."
        )
    if is_absent and "OPENAI_API_KEY" in os.environ:
        finding = "TESS_API_KEY is not set; OPENAI_API_KEY is, but it is OpenAI's and never used"
        return Verdict(
            "key", "wrong", finding, "Make a key in Tess, user menu, API tokens, and set TESS_API_KEY."
        )
    if any(quote in (given or "").strip().strip("\"'") for quote in QUOTES):
        remedy = "Remove the quotes from the key; plain ones belong around the whole key in the shell only."
        return Verdict("key", "wrong", "there are quotes inside the key", remedy)
    remedy = (
        "Set it in quotes: export TESS_API_KEY='123|abc...' (keys are made in Tess, user menu, API tokens)."
    )
    verdict, key = judge("key", lambda: to_api_key(given), lambda _: "it looks like one of Tess's", remedy)
    if isinstance(key, str) and "|" in key and verdict.state == "warning":
        return replace(verdict, remedy=_WITHOUT)
    if not isinstance(key, str) or verdict.state != "ok":
        return verdict
    number, _, secret = key.partition("|")
    if "\\" in key:
        return Verdict("key", "wrong", "there is a backslash in the key", "Set it without, in quotes.")
    if not number.isdigit():
        finding = "a key begins with a number and a pipe, 123|abc...; this one does not"
        return Verdict("key", "warning", finding, "Copy the key alone, whole, and set it in quotes.")
    if len(secret) < _KEY_LENGTH:
        finding = f"the key is a number, a pipe and usually about 48 characters; this one has {len(secret)}"
        return Verdict("key", "warning", finding, "Copy it again, whole, and set it in quotes.")
    return verdict


def _workspace(setup: Setup) -> Verdict:
    given = setup.value(setup.workspace, "TESS_WORKSPACE_ID")
    if given is None and (other := _other(WORKSPACE_NAMES)):
        finding = f"TESS_WORKSPACE_ID is not set, but {other} is"
        return Verdict("workspace", "wrong", finding, f"Rename {other} to TESS_WORKSPACE_ID.")
    remedy = "Set TESS_WORKSPACE_ID to the number under Settings, Workspace (also in the address, ?w=...)."
    verdict, _ = judge("workspace", lambda: to_workspace_id(given), lambda found: f"{found}", remedy)
    return verdict


def _agent(setup: Setup, in_url: int | None) -> Verdict:
    given = setup.value(setup.agent, "TESS_AGENT_ID")
    if given is None and in_url is None:
        if other := _other(AGENT_NAMES):
            return Verdict("agent", "wrong", f"TESS_AGENT_ID is not set, but {other} is", f"Rename {other}.")
        return Verdict("agent", "wrong", "no agent is named", f"Set TESS_AGENT_ID or use --agent. {_APP_URL}")
    if given is None:
        return Verdict("agent", "ok", f"{in_url}, named by the base URL")
    verdict, agent = judge("agent", lambda: to_agent_id(given), str, _APP_URL)
    if agent is not None and in_url is not None and str(agent) != str(in_url):
        finding = f"TESS_AGENT_ID says {agent} and the base URL says {in_url}"
        return Verdict("agent", "wrong", finding, "Name the agent once; the base URL need not.")
    return verdict


def _shown_root(parsed: tuple[str, int | None]) -> str:
    return parsed[0]


def _url_remedy(root: str) -> str:
    if root.rstrip("/").endswith(("/execute", "/v1", "/chat/completions")) or "/agents" in root:
        return f"Set only the root, TESS_BASE_URL={DEFAULT_BASE_URL}; the agent's path is added."
    return f"Leave TESS_BASE_URL out, or set {DEFAULT_BASE_URL}."


def _base_url(verdict: Verdict, root: str) -> Verdict:
    host = (urlsplit(root).hostname or "") if verdict.state == "ok" else ""
    if verdict.state == "ok" and (other := _other(URL_NAMES)) and "TESS_BASE_URL" not in os.environ:
        return Verdict("base URL", "warning", f"{other} is set and not read", "Rename it to TESS_BASE_URL.")
    if verdict.state != "ok" or host in (*TESS_HOSTS, "localhost") or host.startswith(("127.", "::1")):
        return verdict
    finding = f"{host} is not one of the hosts that Tess names ({', '.join(TESS_HOSTS)})"
    return Verdict("base URL", "warning", finding, f"Leave TESS_BASE_URL out, or set {DEFAULT_BASE_URL}.")


def _environment(variables: Mapping[str, str]) -> Iterator[Verdict]:
    headers = _header_names(variables.get("OPENAI_CUSTOM_HEADERS", ""))
    for name, instead in OVERRIDING.items():
        if name.lower() in headers:
            finding = f"OPENAI_CUSTOM_HEADERS holds {name}, which newer SDKs put in the place of {instead}"
            yield Verdict("environment", "wrong", finding, f"Take {name} out of OPENAI_CUSTOM_HEADERS.")
            return
    if others := [name for name in headers if name not in OPENAI_HEADERS]:
        finding = f"OPENAI_CUSTOM_HEADERS: newer SDKs send {', '.join(others)} to Tess too"
        yield Verdict("environment", "warning", finding, "Unset it where Tess need not know them.")
        return
    unread = [
        name for name in ("OPENAI_BASE_URL", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID") if variables.get(name)
    ]
    finding = f"{', '.join(unread)}: set, and not used for Tess" if unread else "nothing of OpenAI's gets in"
    yield Verdict("environment", "ok", finding)


def _header_names(lines: str) -> list[str]:
    """Return the names, in lower case, of `Name: value` on lines of their own, as the SDK reads them."""
    pairs = (line.partition(":") for line in lines.splitlines())
    return [name.strip().lower() for name, colon, _ in pairs if colon and name.strip()]


def _other(names: tuple[str, ...]) -> str | None:
    return next((name for name in names if os.environ.get(name)), None)
