"""Proxies and certificates that the HTTP client reads from the environment, checked without the network.

Source: httpx and httpx2, read: they read these variables, accept these schemes (not socks4) and need
`socksio` for SOCKS.
"""

from __future__ import annotations

import importlib.util
import os
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import SplitResult, urlsplit

from tess_openai.cli.doctor.verdicts import Verdict

PROXIES: Final = ("HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY")
SOCKS: Final = frozenset({"socks5", "socks5h"})
PROXY_SCHEMES: Final = frozenset({"http", "https", *SOCKS})
_CERTIFICATES_REMEDY: Final = "Unset {0}, or set it to your organisation's certificates."


def what_is_wrong(variables: Mapping[str, str] = os.environ) -> Verdict | None:
    """Return the first verdict on proxies or certificates with which no HTTP client can be made."""
    judged = (judge_proxies(variables, ""), judge_certificates(variables))
    return next((verdict for verdict in judged if verdict.state == "wrong"), None)


def judge_proxies(variables: Mapping[str, str], root: str) -> Verdict:
    """Check the addresses of proxies; a password in one is never shown."""
    found = {name: value for name in PROXIES if (value := variables.get(name) or variables.get(name.lower()))}
    for name, value in found.items():
        parts = _parts_of(value)
        if parts is None or parts.scheme not in PROXY_SCHEMES or not parts.hostname:
            finding = f"{name} is not the address of a proxy"
            return Verdict("proxies", "wrong", finding, f"Set it as {name}=http://host:port, or unset it.")
        if parts.scheme in SOCKS and importlib.util.find_spec("socksio") is None:
            finding = f"{name} names a SOCKS proxy, for which socksio is not installed"
            return Verdict("proxies", "wrong", finding, "Install it: pip install socksio")
    if not found:
        return Verdict("proxies", "ok", "none")
    shown = ", ".join(f"{name} {_host_of(value)}" for name, value in found.items())
    skips = _is_exempt(urlsplit(root).hostname or "", variables)
    return Verdict("proxies", "ok", f"{shown}{', but NO_PROXY exempts this host' if skips else ''}")


def proxy_for(root: SplitResult, variables: Mapping[str, str]) -> str | None:
    """Return the variable that names the proxy for an address; None when it is reached without one."""
    if _is_exempt(root.hostname or "", variables):
        return None
    names = (f"{root.scheme.upper()}_PROXY", "ALL_PROXY")
    return next((name for name in names if variables.get(name) or variables.get(name.lower())), None)


def address_of_proxy(name: str, variables: Mapping[str, str]) -> tuple[str, int | None, str]:
    """Return host, port and scheme of a proxy whose address is valid."""
    parts = _parts_of(variables.get(name) or variables.get(name.lower()) or "")
    if parts is None:
        return "", None, "http"
    return parts.hostname or "", parts.port, parts.scheme


def judge_certificates(variables: Mapping[str, str]) -> Verdict:
    """Check the certificates that replace the default ones."""
    for name, finding in _wrong_certificates(variables):
        return Verdict("TLS", "wrong", finding, _CERTIFICATES_REMEDY.format(name))
    own = [name for name in ("SSL_CERT_FILE", "SSL_CERT_DIR") if variables.get(name)]
    return Verdict("TLS", "ok", f"certificates of {' and '.join(own)}" if own else "the default certificates")


def _wrong_certificates(variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    if file := variables.get("SSL_CERT_FILE"):
        if not Path(file).exists():
            yield "SSL_CERT_FILE", "SSL_CERT_FILE names a file that does not exist"
        else:
            try:
                ssl.create_default_context(cafile=file)
            except OSError:  # not PEM, a folder, or not readable
                yield "SSL_CERT_FILE", "SSL_CERT_FILE does not name a file of certificates (PEM)"
    if (folder := variables.get("SSL_CERT_DIR")) and not any(map(os.path.isdir, folder.split(os.pathsep))):
        yield "SSL_CERT_DIR", "SSL_CERT_DIR names a folder that does not exist"


def _is_exempt(host: str, variables: Mapping[str, str]) -> bool:
    exempt = variables.get("NO_PROXY") or variables.get("no_proxy") or ""
    names = (each.strip().lstrip(".") for each in exempt.split(","))
    return exempt == "*" or any(host.endswith(name) for name in names if name)


def _host_of(value: str) -> str:
    """Return the host and port of a proxy, without the password that its address may contain."""
    parts = _parts_of(value)
    if parts is None:
        return ""
    return (parts.hostname or "") + (f":{parts.port}" if parts.port else "")


def _parts_of(value: str) -> SplitResult | None:
    """Return the parts of an address; None when it is invalid, its port included."""
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        _ = parts.port
    except ValueError:
        return None
    return parts
