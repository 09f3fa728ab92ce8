"""The mistakes that users of Tess were seen with, and what the doctor has to say about each."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field

from tess_openai.testing import SIMULATOR_API_KEY, Fault, Profile, faults

KEY = SIMULATOR_API_KEY


@dataclass(frozen=True, kw_only=True)
class Mistake:
    """One mistake, or one thing that is wrong with Tess.

    Attributes:
        variables: Environment variables; None unsets one. `{root}` is the address of the simulator.
        options: Of the command.
        profile: How Tess behaves.
        faults: What befalls the calls.
        on: Which answers they strike.
        step: Where the doctor must find it.
        finding: Words of the finding.
        remedy: Words of the remedy.
        state: How bad it is.
    """

    step: str
    finding: str
    remedy: str = ""
    state: str = "wrong"
    variables: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    options: tuple[str, ...] = ()
    profile: Profile | None = None
    faults: tuple[Fault, ...] = ()
    on: str = "chat"


_bound = socket.socket()  # it does not listen, and while it is open, no other program gets its port

_bound.bind(("127.0.0.1", 0))

CLOSED_PORT = int(_bound.getsockname()[1])
"""A port that refuses connections."""

MISTAKES = {
    "no key": Mistake(
        variables={"TESS_API_KEY": None}, step="key", finding="no API key", remedy="TESS_API_KEY="
    ),
    "the key under another name": Mistake(
        variables={"TESS_API_KEY": None, "PARETO_API_KEY": KEY},
        step="key",
        finding="TESS_API_KEY is not set, but PARETO_API_KEY is",
        remedy="Rename",
    ),
    "only OpenAI's key": Mistake(
        variables={"TESS_API_KEY": None, "OPENAI_API_KEY": "sk-x"},
        step="key",
        finding="never used",
        remedy="Make a key",
    ),
    "a key of OpenAI's": Mistake(variables={"TESS_API_KEY": "sk-abc"}, step="key", finding="an OpenAI key"),
    "an empty key": Mistake(variables={"TESS_API_KEY": "''"}, step="key", finding="empty", remedy="quotes"),
    "a key in quotes": Mistake(
        variables={"TESS_API_KEY": f'"{KEY}"'},
        step="key",
        finding="API key were removed",
        remedy="Remove them",
        state="warning",
    ),
    "a key with quotes inside": Mistake(
        variables={"TESS_API_KEY": KEY.replace("|", "|'")},
        step="key",
        finding="quotes inside the key",
        remedy="Remove the quotes",
    ),
    "a key with typographic quotes": Mistake(
        variables={"TESS_API_KEY": f"\u201c{KEY}\u201d"}, step="key", finding="quotes", remedy="Remove"
    ),
    "a key with Bearer": Mistake(
        variables={"TESS_API_KEY": f"Bearer {KEY}"},
        step="key",
        finding="Bearer",
        remedy="Remove them where the key is set",
        state="warning",
    ),
    "a key with its name before it": Mistake(
        variables={"TESS_API_KEY": f"TESS_API_KEY={KEY}"},
        step="key",
        finding="Unauthenticated; a key begins with a number",
        remedy="Copy the key alone",
    ),
    "a key cut at its pipe": Mistake(
        variables={"TESS_API_KEY": "123"},
        options=("--offline",),
        step="key",
        finding="no pipe",
        remedy="quotes",
        state="warning",
    ),
    "a key cut short": Mistake(
        variables={"TESS_API_KEY": "123|abcdef"},
        options=("--offline",),
        step="key",
        finding="this one has 6",
        state="warning",
    ),
    "a key with a backslash": Mistake(
        variables={"TESS_API_KEY": KEY.replace("|", "\\|")}, step="key", finding="backslash", remedy="without"
    ),
    "a refused key": Mistake(
        variables={"TESS_API_KEY": "9|" + "x" * 48},
        step="key",
        finding="Unauthenticated",
        remedy="Make a new key",
    ),
    "a refused key, in the words of the documentation": Mistake(
        variables={"TESS_API_KEY": "9|" + "x" * 48},
        profile=Profile.documented(),
        step="key",
        finding="Invalid authentication",
        remedy="Make a new key",
    ),
    "no workspace": Mistake(
        variables={"TESS_WORKSPACE_ID": None},
        step="workspace",
        finding="header is required",
        remedy="Set TESS_W",
    ),
    "the workspace under another name": Mistake(
        variables={"TESS_WORKSPACE_ID": None, "TESSAI_WORKSPACE_ID": "7001"},
        step="workspace",
        finding="but TESSAI_WORKSPACE_ID is",
        remedy="Rename",
    ),
    "a workspace that is not a number": Mistake(
        variables={"TESS_WORKSPACE_ID": "my-team"},
        step="workspace",
        finding="must be a number",
        remedy="Settings",
    ),
    "a workspace of another user": Mistake(
        options=("--workspace", "12"),
        step="workspace",
        finding="do not have access",
        remedy="the key belongs to",
    ),
    "no agent": Mistake(
        variables={"TESS_AGENT_ID": None}, step="agent", finding="no agent", remedy="--agent"
    ),
    "the agent under another name": Mistake(
        variables={"TESS_AGENT_ID": None, "AGENT_ID": "42"},
        step="agent",
        finding="but AGENT_ID is",
        remedy="Rename",
    ),
    "an agent's UUID": Mistake(
        options=("--agent", "123e4567-e89b-12d3-a456-426614174000"),
        step="agent",
        finding="must be",
        remedy="Copy",
    ),
    "an unknown agent": Mistake(
        options=("--agent", "99"), step="agent", finding="does not know this agent", remedy="such as 42"
    ),
    "a private agent": Mistake(
        options=("--agent", "46"), step="agent", finding="does not know", remedy="private"
    ),
    "an agent that is no chat agent": Mistake(
        options=("--agent", "47"), step="agent", finding="of the type image", remedy="type chat"
    ),
    "two agents": Mistake(
        variables={"TESS_BASE_URL": "{root}/agents/43/openai"},
        step="agent",
        finding="42 and the base URL says 43",
    ),
    "an agent with fields of its own": Mistake(
        options=("--agent", "48"),
        step="call",
        finding="asks for audience",
        remedy="here with --field audience",
    ),
    "an empty key beside one under another name": Mistake(
        variables={"TESS_API_KEY": "", "TESS_API_TOKEN": KEY},
        step="key",
        finding="but TESS_API_TOKEN is",
        remedy="Rename TESS_API_TOKEN",
    ),
    "a profile that is not there": Mistake(
        variables={"TESS_OPENAI_PROFILE": "/nowhere"},
        step="profile",
        finding="cannot be read",
        remedy="Unset TESS_OPENAI_PROFILE",
    ),
    "OpenAI's path": Mistake(
        variables={"TESS_BASE_URL": "{root}/v1"},
        step="base URL",
        finding="API's root",
        remedy="Set only the root",
    ),
    "the path of a call": Mistake(
        variables={"TESS_BASE_URL": "{root}/chat/completions"},
        step="base URL",
        finding="root",
        remedy="only the root",
    ),
    "the path of an execution": Mistake(
        variables={"TESS_BASE_URL": "{root}/agents/42/execute"},
        step="base URL",
        finding="root",
        remedy="only the root",
    ),
    "no scheme": Mistake(
        variables={"TESS_BASE_URL": "api.tess.im"},
        step="base URL",
        finding="https://",
        remedy="https://api.tess.im",
    ),
    "plain http": Mistake(
        variables={"TESS_BASE_URL": "http://api.tess.im"},
        step="base URL",
        finding="in the clear",
        remedy="https",
    ),
    "a path that is not the API's": Mistake(
        variables={"TESS_BASE_URL": "{root}/wrong"}, step="base URL", finding="no Tess API", remedy="/api"
    ),
    "another host": Mistake(
        variables={"TESS_BASE_URL": "https://api.example.com"},
        options=("--offline",),
        step="base URL",
        finding="not one of the hosts",
        state="warning",
    ),
    "the base URL under another name": Mistake(
        variables={"TESS_BASE_URL": None, "TESS_API_URL": "{root}"},
        options=("--offline",),
        step="base URL",
        finding="TESS_API_URL is set and not read",
        state="warning",
    ),
    "a port on which no program listens": Mistake(
        variables={"TESS_BASE_URL": f"http://127.0.0.1:{CLOSED_PORT}"},
        step="connection",
        finding="the connection fails",
        remedy="host and port",
    ),
    "TLS where there is none": Mistake(
        variables={"TESS_BASE_URL": "{tls}"}, step="TLS", finding="does not speak TLS", remedy="http://"
    ),
    "OpenAI's key in the environment's headers": Mistake(
        variables={"OPENAI_CUSTOM_HEADERS": "X: y\nAuthorization: Bearer sk-x"},
        step="environment",
        finding="in the place of Tess's key",
        remedy="Take Authorization out",
    ),
    "another workspace in the environment's headers": Mistake(
        variables={"OPENAI_CUSTOM_HEADERS": "X-Workspace-ID: 99"},
        step="environment",
        finding="x-workspace-id, which newer SDKs put in the place of TESS_WORKSPACE_ID",
        remedy="Take x-workspace-id out",
    ),
    "other headers in the environment": Mistake(
        variables={"OPENAI_CUSTOM_HEADERS": "OpenAI-Project: p\nX-Trace: hidden"},
        step="environment",
        finding="send x-trace to Tess too",
        remedy="Unset",
        state="warning",
    ),
    "a proxy that is none": Mistake(
        variables={"HTTPS_PROXY": "nonsense://"},
        step="proxies",
        finding="not the address",
        remedy="http://host:port",
    ),
    **{
        f"the address {value} of a proxy": Mistake(
            variables={name: value},
            step="proxies",
            finding=f"{name} is not the address",
            remedy=f"{name}=http://host",
        )
        for name, value in (
            ("HTTPS_PROXY", "http://hidden:notaport"),
            ("HTTPS_PROXY", "http://[::1"),
            ("HTTP_PROXY", "http://h:99999"),
            ("ALL_PROXY", "socks4://h:1080"),
        )
    },
    "a SOCKS proxy without socksio": Mistake(
        variables={"ALL_PROXY": "socks5://user:hidden@h:1080"},
        step="proxies",
        finding="socksio is not installed",
        remedy="pip install socksio",
    ),
    "a proxy that does not answer": Mistake(
        variables={"ALL_PROXY": f"http://user:hidden@127.0.0.1:{CLOSED_PORT}"},
        step="proxies",
        finding="the proxy of ALL_PROXY, 127.0.0.1:",
        remedy="Start the proxy",
    ),
    "certificates that are not there": Mistake(
        variables={"SSL_CERT_FILE": "missing.pem"},
        step="TLS",
        finding="does not exist",
        remedy="Unset SSL_CERT_FILE",
    ),
    "certificates that are none": Mistake(
        variables={"SSL_CERT_FILE": __file__},
        step="TLS",
        finding="not name a file of certificates",
        remedy="Unset SSL_C",
    ),
    "a folder in the place of certificates": Mistake(
        variables={"SSL_CERT_FILE": "."},
        step="TLS",
        finding="not name a file of certificates",
        remedy="Unset SSL_C",
    ),
    "a folder of certificates that is not there": Mistake(
        variables={"SSL_CERT_DIR": "missing"},
        step="TLS",
        finding="does not exist",
        remedy="Unset SSL_CERT_DIR",
    ),
    "a login page": Mistake(
        faults=(faults.login_page(),),
        on="any",
        step="base URL",
        finding="HTML",
        remedy="Something else than Tess",
    ),
    "a redirect": Mistake(
        faults=(faults.redirect(),), step="base URL", finding="redirect", remedy="Something else"
    ),
    "no credits": Mistake(
        faults=(faults.no_credits(),), step="credits", finding="no credits", remedy="Add credits"
    ),
    "too many requests": Mistake(
        faults=(faults.rate_limited(retry_after_seconds=90),),
        step="call",
        finding="limit",
        remedy="less often",
    ),
    "an execution that takes too long": Mistake(
        faults=(faults.gateway_timeout(),), step="call", finding="524", remedy="system message"
    ),
    "Tess in trouble": Mistake(
        faults=(faults.server_error(),), step="call", finding="Internal", remedy="Try again"
    ),
    "an empty answer": Mistake(
        faults=(faults.empty_content(),), step="call", finding="empty", state="warning"
    ),
    "an answer that never comes": Mistake(
        faults=(faults.hang(),),
        options=("--timeout", "0.5"),
        step="call",
        finding="in time",
        remedy="--timeout",
    ),
    "a stream that breaks off": Mistake(
        faults=(faults.slow(delay_seconds=0), faults.breaks_off()), step="stream", finding="", remedy=""
    ),
}
