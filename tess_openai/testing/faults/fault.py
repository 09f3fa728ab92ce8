"""The type of a fault, and how several are combined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from tess_openai.testing.agent_runs import AgentRun
from tess_openai.testing.wire import WireResponse

Struck: TypeAlias = Literal["any answer", "streams", "completions"]


def _same_run(run: AgentRun) -> AgentRun:
    return run


def _same_response(response: WireResponse) -> WireResponse:
    return response


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that goes wrong with one answer.

    Attributes:
        name: The name of the function that made it.
        strikes: The kind of answer it affects; it stays queued until such an answer is due.
        instead: Sent in place of the answer, without a run of the agent; None when the agent runs.
        on_run: Changes what the agent answers.
        on_response: Changes the HTTP response.
        then: A fault for the next answer.
    """

    name: str
    strikes: Struck = "any answer"
    instead: WireResponse | None = field(default=None, repr=False)
    on_run: Callable[[AgentRun], AgentRun] = field(default=_same_run, repr=False)
    on_response: Callable[[WireResponse], WireResponse] = field(default=_same_response, repr=False)
    then: Fault | None = None


NO_FAULT: Final = Fault(name="no fault")
"""Changes nothing."""


def together(*faults: Fault) -> Fault:
    """Combine several faults for one answer: `together(server_error(), compressed())`."""
    strikes: Struck = "any answer"
    for fault in faults:
        strikes = strikes if fault.strikes == "any answer" else fault.strikes

    def on_run(run: AgentRun) -> AgentRun:
        for fault in faults:
            run = fault.on_run(run)
        return run

    def on_response(response: WireResponse) -> WireResponse:
        for fault in faults:
            response = fault.on_response(response)
        return response

    return Fault(
        name=" + ".join(fault.name for fault in faults),
        strikes=strikes,
        instead=next((each.instead for each in faults if each.instead is not None), None),
        on_run=on_run,
        on_response=on_response,
        then=next((each.then for each in faults if each.then is not None), None),
    )
