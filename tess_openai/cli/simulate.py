"""`tess-openai simulate`: a local Tess with a live log."""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias, TypeVar

import typer
from rich.text import Text

from tess_openai.cli import console
from tess_openai.cli.error_messages import ProblemError
from tess_openai.cli.help import worded
from tess_openai.core.changes import describe, quoted
from tess_openai.core.jsons import to_object
from tess_openai.option_checks import read_profile
from tess_openai.testing import Fault, RecordedRequest, TessSimulator
from tess_openai.testing.__main__ import PROFILES, parse_fault, parse_switch
from tess_openai.testing.__main__ import describe as describe_simulator
from tess_openai.testing.answer_scripts import ModelName
from tess_openai.testing.faults import FAULTS
from tess_openai.testing.profile_from_probe import to_simulator_profile
from tess_openai.testing.stop_signals import stop_on_signals, wait_until_set

ProfileName: TypeAlias = Literal["strict", "documented", "lenient"]
T = TypeVar("T")
_LONGEST_NAME: Final = 60

HELP = worded(
    "Serve a local Tess: no key, no network, no credits.",
    "A model of documented and reported behaviour, strict by default, that can misbehave on demand. It shows "
    "each request when it arrives: fields and sizes, the model's name, why it was refused and the fault that "
    "changed its answer; never a key and never a text.",
    examples={
        "tess-openai simulate": "on port 8765",
        "tess-openai simulate --profile lenient": "ignore what the strict one refuses",
        "tess-openai simulate --fault rate_limited:times=3": "the first calls get 429",
        "tess-openai simulate --set chunks=minimal": "one switch of the profile",
        "tess-openai simulate --model obedient": "an agent that calls functions",
    },
    epilogue=f"Faults: {', '.join(FAULTS)}. Exit status: 0 when stopped with Ctrl-C.",
)


def simulate(
    *,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8765,
    profile: Annotated[ProfileName, typer.Option(help="How strict the simulated Tess is.")] = "strict",
    load: Annotated[Path | None, typer.Option(help="A file of tess-openai probe to behave like.")] = None,
    switches: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="SWITCH=VALUE", help="A switch of it; repeatable."),
    ] = None,
    faults: Annotated[
        list[str] | None,
        typer.Option("--fault", metavar="NAME:OPTION=VALUE,...", help="A fault to cause; repeatable."),
    ] = None,
    model: Annotated[
        ModelName, typer.Option(help="Who answers: an echo, or a model that does what the prompt says.")
    ] = "echo",
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", metavar="KEY", help="An accepted key; repeatable. Default: a made-up one."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Do not show the requests.")] = False,
) -> None:
    """Serve until interrupted."""
    chosen = PROFILES[profile]() if load is None else to_simulator_profile(read_profile(load))
    given: dict[str, Any] = dict(_parse(parse_switch, switch) for switch in switches or [])
    try:
        chosen = replace(chosen, **given)
    except (TypeError, ValueError) as error:
        raise ProblemError(str(error)) from error
    queued = [_parse(parse_fault, fault) for fault in faults or []]
    on_request = None if quiet else show_request
    serve(TessSimulator(profile=chosen, api_keys=keys, on_request=on_request, model=model), queued, port)


def serve(simulator: TessSimulator, faults: list[tuple[Fault, int]], port: int) -> None:
    """Serve a simulator and its faults until interrupted."""
    with stop_on_signals() as stop, simulator:
        for fault, times in faults:
            simulator.fault(fault, times=times)
        try:
            simulator.serve(port)
        except OSError as error:
            raise ProblemError(f"port {port}: {error.strerror}; --port 0 takes a free one") from error
        console.out().print(describe_simulator(simulator), soft_wrap=True)
        wait_until_set(stop)
        console.out().print("stopped")


def show_request(record: RecordedRequest) -> None:
    """Print one request: time, status, path, its fields by kind and size, and why it was refused."""
    good = record.status < 400
    text = Text(time.strftime("%H:%M:%S "), "dim")
    text.append(f"{record.status} ", "green" if good else "bold red")
    text.append(f"{record.method} {record.path}")
    fields = to_object(record.json) or {}
    shown = ", ".join(f"{name}: {_describe(name, value)}" for name, value in fields.items())
    text.append(f"  {shown}" if shown else "", "dim")
    if record.fault:
        text.append(f"  fault: {record.fault}", "yellow")
    if record.reason:
        text.append(f"  refused: {record.reason}", "red")
    console.out().print(text, soft_wrap=True)


def _describe(name: str, value: object) -> str:
    """Return the name of a model, and of other values only the kind and the size."""
    is_name = name == "model" and isinstance(value, str) and len(value) <= _LONGEST_NAME
    return quoted(value) if is_name else describe(value)


def _parse(parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except argparse.ArgumentTypeError as error:
        raise ProblemError(str(error)) from error
