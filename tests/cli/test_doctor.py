"""`tess-openai doctor` recognises each mistake that users of Tess were seen with, and says how to fix it."""

from __future__ import annotations

import importlib.metadata
import json
import socket
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
from programs import Program

from tess_openai.cli import main
from tess_openai.cli.doctor import server_clock
from tess_openai.cli.error_messages import to_problem
from tess_openai.testing import SIMULATOR_API_KEY, Fault, Profile, TessSimulator, faults

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


@pytest.fixture
def tess_simulator(mistake: Mistake) -> Iterator[TessSimulator]:
    """Serve a Tess that behaves as the mistake has it."""
    with TessSimulator(profile=mistake.profile) as simulator:
        for fault in mistake.faults:
            simulator.fault(fault, on="any" if mistake.on == "any" else "chat")
        simulator.serve()
        yield simulator


@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_recognised(
    mistake: Mistake,
    tess_simulator: TessSimulator,
    simulated: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is named at its step with the remedy; no earlier step fails, and no key is shown."""
    root = tess_simulator.base_url
    places = {"{root}": root, "{tls}": root.replace("http://", "https://")}
    variables = dict(mistake.variables)
    for place, real in places.items():
        variables = {name: value and value.replace(place, real) for name, value in variables.items()}
    for name, value in {"SSL_CERT_FILE": None, **simulated, **variables}.items():
        monkeypatch.delenv(name, raising=False) if value is None else monkeypatch.setenv(name, value)
    status = main(["doctor", "--json", *mistake.options])
    shown, errors = capsys.readouterr()
    assert errors == ""
    report = json.loads(shown)
    found = [each for each in report["steps"] if each["step"] == mistake.step and each["state"] != "ok"]
    assert found, report
    verdict = found[-1]
    assert verdict["state"] == mistake.state
    assert mistake.finding in verdict["finding"]
    assert mistake.remedy in verdict["remedy"]
    good = {each["step"] for each in report["steps"] if each["state"] == "ok"}
    assert mistake.step not in good - {"base URL"}  # another server may answer the calls only
    wrong = [each["step"] for each in report["steps"] if each["state"] == "wrong"]
    assert wrong == ([mistake.step] if mistake.state == "wrong" else wrong)
    assert status == (1 if wrong else 0)
    assert "hidden" not in shown
    assert KEY not in shown


def steps_of(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, str]]:
    """Run the doctor and return its verdicts by their steps."""
    main(["doctor", "--json"])
    return {each["step"]: each for each in json.loads(capsys.readouterr().out)["steps"]}


@pytest.mark.parametrize("mistake", [Mistake(step="", finding="")], ids=["none"])
@pytest.mark.parametrize(
    ("ahead", "state", "finding"),
    [
        (0, "ok", "it agrees"),
        (50, "ok", "it agrees"),
        (300, "warning", "5 minutes ahead of the server's"),
        (-8000, "warning", "2 hours behind the server's"),
    ],
)
def test_the_clock_is_compared_with_the_servers(
    *,
    ahead: float,
    state: str,
    finding: str,
    simulated: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The `Date` of an answer gives the server's time; a wrong clock is a warning."""
    for name, value in simulated.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(server_clock, "time", SimpleNamespace(time=lambda: time.time() + ahead))
    clock = steps_of(capsys)["clock"]
    assert clock["state"] == state
    assert finding in clock["finding"]


@pytest.mark.parametrize(
    "date", ["", "soon", "Thu, 99 Nov 2026 00:00:00 GMT", "Thu, 26 Nov 99999999 00:00:00 GMT"]
)
def test_a_date_that_is_none_is_not_compared(date: str) -> None:
    """Nothing is known then."""
    assert server_clock.seconds_ahead(date, 0.0) is None


@pytest.mark.parametrize("mistake", [Mistake(step="", finding="")], ids=["none"])
def test_a_missing_sdk_is_a_finding(
    simulated: dict[str, str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The doctor reports it, and other commands end with one line instead of a traceback."""
    for name, value in simulated.items():
        monkeypatch.setenv(name, value)
    real = importlib.metadata.version

    def version(name: str) -> str:
        if name == "openai":
            raise importlib.metadata.PackageNotFoundError(name)
        return real(name)

    monkeypatch.setattr(importlib.metadata, "version", version)
    assert main(["doctor", "--json"]) == 1
    steps = {each["step"]: each for each in json.loads(capsys.readouterr().out)["steps"]}
    assert steps["SDK"]["state"] == "wrong"
    assert steps["SDK"]["remedy"] == "Install it: pip install openai"
    assert steps["network"]["state"] == "skipped"
    problem = to_problem(ModuleNotFoundError("No module named 'openai'", name="openai"))
    assert problem is not None
    assert "pip install openai" in str(problem)


WRONG_SURROUNDINGS = [
    ("SSL_CERT_FILE", __file__, "not name a file of certificates"),
    ("SSL_CERT_FILE", ".", "not name a file of certificates"),
    ("HTTPS_PROXY", "http://h:notaport", "not the address of a proxy"),
    ("HTTPS_PROXY", "http://[::1", "not the address of a proxy"),
    ("ALL_PROXY", "socks4://h:1080", "not the address of a proxy"),
    ("ALL_PROXY", "socks5://user:hidden@h:1080", "socksio is not installed"),
]


@pytest.mark.parametrize("mistake", [Mistake(step="", finding="")], ids=["none"])
@pytest.mark.parametrize(("name", "value", "words"), WRONG_SURROUNDINGS)
def test_proxies_and_certificates_are_no_bug_of_other_commands(
    name: str, value: str, words: str, tess_openai: Program
) -> None:
    """One line that names the variable, without a password; nothing was sent."""
    ended = tess_openai("agents", **{name: value})
    assert ended.returncode == 2
    assert ended.stderr.startswith(f"tess-openai: {name} ")
    assert ended.stderr.count("\n") == 1
    assert words in ended.stderr
    assert "hidden" not in ended.stderr


@pytest.mark.parametrize("mistake", [Mistake(step="", finding="")], ids=["none"])
class TestAllIsWell:
    """Nothing is wrong."""

    def test_everything_is_ok(self, tess_openai: Program, tess_simulator: TessSimulator) -> None:
        """Each step says so; the calls are two."""
        ended = tess_openai("doctor", SSL_CERT_FILE=None)
        assert ended.returncode == 0, ended.stdout
        assert [line.split()[0] for line in ended.stdout.splitlines()] == ["ok"] * 12
        assert len(tess_simulator.calls) == 2

    @pytest.mark.parametrize("agent", ["45", "48"])
    def test_an_agent_with_fields_of_its_own_is_asked_with_them(
        self, agent: str, tess_openai: Program, tess_simulator: TessSimulator
    ) -> None:
        """`--field` gives their values; without them, Tess refuses the call."""
        name = "audience" if agent == "48" else "nome-da-empresa"
        fields = ("--field", f"{name}=all")
        assert tess_openai("doctor", "--agent", agent, *fields, SSL_CERT_FILE=None).returncode == 0
        assert len(tess_simulator.calls) == 2
        assert tess_openai("doctor", "--agent", agent, SSL_CERT_FILE=None).returncode == 1

    @pytest.mark.parametrize(("option", "requests"), [("--offline", 0), ("--no-calls", 1)])
    def test_it_asks_no_more_than_wanted(
        self, option: str, requests: int, tess_openai: Program, tess_simulator: TessSimulator
    ) -> None:
        """Options avoid all requests, or those that cost credits."""
        assert tess_openai("doctor", option, SSL_CERT_FILE=None).returncode == 0
        assert len(tess_simulator.requests) == requests

    def test_causes_stand_before_consequences(
        self, tess_openai: Program, tess_simulator: TessSimulator
    ) -> None:
        """Without a key nothing is sent, and the report says why."""
        ended = tess_openai("doctor", TESS_API_KEY=None, TESS_WORKSPACE_ID="x", SSL_CERT_FILE=None)
        states = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert states[1] == ["wrong", "key"]
        assert states[2] == ["wrong", "workspace"]
        assert states[-1] == ["skipped", "network"]
        assert tess_simulator.requests == []

    @pytest.mark.parametrize("option", ["--offline", "--no-calls"])
    def test_a_missing_workspace_is_reported_once(self, option: str, tess_openai: Program) -> None:
        """Tess's own answer reports it, or else the check of the settings."""
        ended = tess_openai("doctor", option, TESS_WORKSPACE_ID=None, SSL_CERT_FILE=None)
        finding = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert [state for state, step in finding if step == "workspace"] == [
            "warning" if option == "--offline" else "wrong"
        ]

    def test_a_missing_workspace_is_reported_with_other_mistakes(self, tess_openai: Program) -> None:
        """It is reported even if another mistake prevents the request to Tess."""
        ended = tess_openai("doctor", TESS_WORKSPACE_ID=None, TESS_AGENT_ID=None, SSL_CERT_FILE=None)
        finding = [line.split()[:2] for line in ended.stdout.splitlines() if not line.startswith(" ")]
        assert [state for state, step in finding if step == "workspace"] == ["warning"]
