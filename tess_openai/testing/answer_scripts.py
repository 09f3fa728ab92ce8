"""What an agent of the simulator answers: a script, an echo, or an obedient model."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias, get_args

from tess_openai.core.jsons import JSONObject
from tess_openai.testing.agent_runs import echo
from tess_openai.testing.obedient_model import obey
from tess_openai.testing.simulated_agents import SimulatedAgent

ModelName: TypeAlias = Literal["echo", "obedient"]
"""What answers without a script: an echo of the request, or a model that follows the instructions in it."""
Script: TypeAlias = str | Sequence[str] | Callable[[JSONObject], "str | Sequence[str]"]
"""What an agent answers: a text, the exact pieces of a stream, or a function of the request body."""


@dataclass(slots=True)
class AnswerScripts:
    """The queued scripts, one for each run; not safe in several threads without a lock of the caller."""

    _queued: deque[Script] = field(default_factory=deque[Script])

    def add(self, scripts: Iterable[Script]) -> None:
        """Queue scripts for the next runs."""
        self._queued.extend(scripts)

    def next_message(self, agent: SimulatedAgent, body: JSONObject, model: ModelName) -> str | Sequence[str]:
        """Return the answer of the next script; without one, the answer of the model."""
        if self._queued:
            script = self._queued.popleft()
            return script(body) if callable(script) else script
        return obey(body) if model == "obedient" else echo(agent, body)


def check_model(model: ModelName) -> ModelName:
    """Return the model.

    Raises:
        ValueError: There is no such model.
    """
    if model not in get_args(ModelName):
        raise ValueError(f"model is one of {', '.join(get_args(ModelName))}, not {model!r}")
    return model
