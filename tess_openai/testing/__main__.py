"""`python -m tess_openai.testing`: the simulator on a loopback port, until interrupted."""

from __future__ import annotations

import argparse
import inspect
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final, get_args

from tess_openai.core.jsons import parse_json, to_list
from tess_openai.testing import SIMULATOR_API_KEY, Fault, Profile, RecordedRequest, TessSimulator
from tess_openai.testing.answer_scripts import ModelName
from tess_openai.testing.faults import FAULTS
from tess_openai.testing.stop_signals import stop_on_signals, wait_until_set

PROFILES: Final[Mapping[str, Callable[[], Profile]]] = {
    "strict": Profile.strict,
    "documented": Profile.documented,
    "lenient": Profile.lenient,
}


def parse_value(text: str) -> object:
    """Parse a value: JSON where it is JSON (a list becomes a set), else the text itself."""
    value = parse_json(text)
    items = to_list(value)
    if items is not None:
        return frozenset(items)
    return text if value is None and text != "null" else value


def parse_pairs(text: str) -> dict[str, object]:
    """Parse `name=value,name=value`."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair]
    return {name.strip().replace("-", "_"): parse_value(value.strip()) for name, _, value in pairs}


def parse_fault(text: str) -> tuple[Fault, int]:
    """Parse `name` or `name:option=value,times=3` into the fault and the number of answers it affects."""
    name, _, rest = text.partition(":")
    make = FAULTS.get(name.replace("-", "_"))
    if make is None:
        raise argparse.ArgumentTypeError(f"no fault {name!r}; there are {', '.join(FAULTS)}")
    options: dict[str, Any] = parse_pairs(rest)
    times = options.pop("times", 1)
    known = [*inspect.signature(make).parameters, "times"]
    for option in options:
        if option not in known:
            message = f"{name} has no option {option!r}; it has {', '.join(known)}"
            raise argparse.ArgumentTypeError(message)
    try:
        return make(**options), int(times)
    except (TypeError, ValueError, KeyError) as error:
        raise argparse.ArgumentTypeError(f"{name}: {error}") from error


def parse_switch(text: str) -> tuple[str, object]:
    """Parse `name=value`, a switch of the profile."""
    name, _, value = text.partition("=")
    known = [switch.name for switch in fields(Profile)]
    if name.replace("-", "_") not in known:
        raise argparse.ArgumentTypeError(f"no switch {name!r}; there are {', '.join(known)}")
    return name.replace("-", "_"), parse_value(value)


def build_parser() -> argparse.ArgumentParser:
    """Build the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tess_openai.testing",
        description="A local Tess on 127.0.0.1: a model of documented and reported behaviour, "
        "strict by default. It is not Tess and says so in the header x-tess-simulator.",
        epilog=f"faults: {', '.join(FAULTS)}",
    )
    parser.add_argument("--port", type=int, default=8765, help="0 takes a free one (default: 8765)")
    parser.add_argument(
        "--profile", choices=PROFILES, default="strict", help="which reading of Tess (default: strict)"
    )
    parser.add_argument(
        "--set",
        type=parse_switch,
        action="append",
        default=[],
        metavar="SWITCH=VALUE",
        help='a switch of the profile: workspace_header=optional, roles=["user","assistant"]; repeatable',
    )
    parser.add_argument(
        "--fault",
        type=parse_fault,
        action="append",
        default=[],
        metavar="NAME[:OPTION=VALUE,...]",
        help="a fault for the next good chat answers: rate_limited:header=true,times=3; repeatable",
    )
    parser.add_argument(
        "--model",
        choices=get_args(ModelName),
        default="echo",
        help="what answers: an echo, or a model that follows the instructions in the prompt (default: echo)",
    )
    parser.add_argument("--key", action="append", help="an accepted API key; repeatable (default: made up)")
    parser.add_argument("--quiet", action="store_true", help="do not show the requests")
    return parser


def show_request(record: RecordedRequest) -> None:
    """Print one line for a request: no key, no body."""
    fault = f" by the fault {record.fault}" if record.fault else ""
    reason = f": {record.reason}" if record.reason else ""
    print(f"{record.method} {record.path} -> {record.status}{fault}{reason}", flush=True)


def describe(simulator: TessSimulator) -> str:
    """Describe what is served and how to reach it, as lines that a shell can run."""
    profile = simulator.profile
    is_own = SIMULATOR_API_KEY in simulator.api_keys
    lines = [
        "A simulated Tess: a model of documented and reported behaviour, not the service.",
        _setting("TESS_BASE_URL", simulator.base_url),
        _setting("TESS_API_KEY", SIMULATOR_API_KEY) if is_own else "# TESS_API_KEY: the key that you gave",
        *(_setting("TESS_WORKSPACE_ID", number) for number in sorted(profile.workspace_ids)[:1]),
        *(_setting("TESS_AGENT_ID", number) for number in list(simulator.agents)[:1]),
        *(f"  agent {agent.id:<12} {agent.title}" for agent in simulator.agents.values()),
        "Stop it with Ctrl-C.",
    ]
    return "\n".join(lines)


def _setting(name: str, value: object) -> str:
    """Return the line that sets a variable: for PowerShell on Windows, elsewhere for any shell of Unix."""
    if os.name == "nt" and "SHELL" not in os.environ:
        return f"$env:{name} = '{value}'"
    return f"export {name}={shlex.quote(str(value))}"


def main(arguments: list[str] | None = None) -> int:
    """Serve until interrupted."""
    parser = build_parser()
    options = parser.parse_args(arguments)
    try:
        profile = replace(PROFILES[options.profile](), **dict(options.set))
    except (TypeError, ValueError) as error:
        parser.error(str(error))
    simulator = TessSimulator(
        profile=profile,
        api_keys=options.key,
        on_request=None if options.quiet else show_request,
        model=options.model,
    )
    for fault, times in options.fault:
        simulator.fault(fault, times=times)
    with stop_on_signals() as stop, simulator:
        try:
            simulator.serve(options.port)
        except OSError as error:
            parser.error(f"port {options.port}: {error.strerror}; --port 0 takes a free one")
        print(describe(simulator), flush=True)
        wait_until_set(stop)
        print("stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
