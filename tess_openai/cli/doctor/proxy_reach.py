"""Check whether the proxy of the environment accepts connections, else its failure would look like Tess's."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from tess_openai.cli.doctor.environment import address_of_proxy, proxy_for
from tess_openai.cli.doctor.verdicts import Verdict

PORTS: Final = {"http": 80, "https": 443, "socks5": 1080, "socks5h": 1080}
_LONGEST_SECONDS: Final = 5.0


def judge_reach(root: str, timeout: float, variables: Mapping[str, str] = os.environ) -> Verdict | None:
    """Connect to the proxy through which `root` is reached.

    Returns:
        The verdict on an unreachable proxy; None when there is no proxy, or it accepts the connection.
    """
    name = proxy_for(urlsplit(root), variables)
    if name is None:
        return None
    host, port, scheme = address_of_proxy(name, variables)
    port = port or PORTS[scheme]
    try:
        socket.create_connection((host, port), min(timeout, _LONGEST_SECONDS)).close()
    except OSError as error:
        finding = f"the proxy of {name}, {host}:{port}, cannot be reached: {error.strerror or error}"
        remedy = f"Start the proxy, correct {name}, or unset it if you need none. Tess was not asked."
        return Verdict("proxies", "wrong", finding, remedy)
    return None
