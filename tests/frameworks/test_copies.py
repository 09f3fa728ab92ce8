"""What each framework makes of a model that is copied, pickled or written to a dictionary."""

from __future__ import annotations

import copy
import importlib
import pickle
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any, Final

import openai
import pytest

from tess_openai import TessConfigurationError, presets
from tess_openai.testing import TessSimulator

HELLO: Final = [{"role": "user", "content": "hello"}]


@dataclass(frozen=True)
class Case:
    """One framework.

    Attributes:
        module: Its module.
        make: Makes its model for agent 42.
        ask: Asks the model.
        is_copied: Whether a copy works.
        pickled: What a pickle ends in: None where it works.
        read_back: Makes the model from its own dictionary; None where it has none.
    """

    module: str
    make: Callable[..., Any]
    ask: Callable[[Any], object]
    is_copied: bool = True
    pickled: type[Exception] | None = TessConfigurationError
    read_back: Callable[[Any], Any] | None = None


def _langchain(**tess: Any) -> Any:
    module: Any = importlib.import_module("langchain_openai")
    return module.ChatOpenAI(model="tess-6", **presets.langchain(42, **tess))


def _llama_index(**tess: Any) -> Any:
    module: Any = importlib.import_module("llama_index.llms.openai_like")
    return module.OpenAILike(model="tess-6", **presets.llama_index(42, **tess))


def _ask_agents_sdk(model: Any) -> object:
    agents: Any = importlib.import_module("agents")
    agents.set_tracing_disabled(True)
    return agents.Runner.run_sync(agents.Agent(name="Guide", model=model), "hello").final_output


def _ask_pydantic_ai(model: Any) -> object:
    module: Any = importlib.import_module("pydantic_ai")
    return module.Agent(model).run_sync("hello").output


def _ask_litellm(arguments: Any) -> object:
    module: Any = importlib.import_module("litellm")
    return module.completion(model="openai/tess-6", messages=HELLO, **arguments)


def _ask_instructor(client: Any) -> object:
    return client.chat.completions.create(model="tess-6", messages=HELLO, response_model=None)


CASES: Final = (
    Case(
        "langchain_openai",
        _langchain,
        lambda model: model.invoke("hello"),
        pickled=None,
        read_back=lambda model: type(model)(**model.model_dump()),
    ),
    Case(
        "llama_index.llms.openai_like",
        _llama_index,
        lambda model: model.complete("hello"),
        pickled=openai.UnprocessableEntityError,
        read_back=lambda model: type(model).from_dict(model.to_dict()),
    ),
    Case("agents", lambda **tess: presets.openai_agents(42, model="tess-6", **tess), _ask_agents_sdk),
    Case("pydantic_ai", lambda **tess: presets.pydantic_ai(42, model="tess-6", **tess), _ask_pydantic_ai),
    Case("instructor", lambda **tess: presets.instructor(42, **tess), _ask_instructor, is_copied=False),
    Case("litellm", lambda **tess: presets.litellm(42, **tess), _ask_litellm),
    Case(
        "crewai",
        lambda **tess: presets.crewai(42, model="tess-6", **tess),
        lambda model: model.call("hello"),
        read_back=lambda model: type(model)(**model.model_dump()),
    ),
)


def _is_installed(module: str) -> bool:
    return find_spec(module.partition(".")[0]) is not None and find_spec(module) is not None


INSTALLED: Final = [pytest.param(case, id=case.module) for case in CASES if _is_installed(case.module)]


@pytest.mark.parametrize("case", INSTALLED)
@pytest.mark.parametrize("way", [copy.copy, copy.deepcopy], ids=["copy", "deepcopy"])
def test_a_copy(
    simulator: TessSimulator, tess: dict[str, Any], case: Case, way: Callable[[Any], Any]
) -> None:
    """A copy of the model has the adapter; Instructor cannot be copied, whatever its client."""
    if not case.is_copied:
        with pytest.raises(RecursionError):
            way(case.make(**tess))
        return
    case.ask(way(case.make(**tess)))
    assert simulator.calls[-1].status == 200


@pytest.mark.parametrize("case", INSTALLED)
def test_a_pickle(
    simulator: TessSimulator, tess: dict[str, Any], case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the adapter, or it is refused: by the adapter, or by Tess, which misses the workspace."""
    monkeypatch.setenv("TESS_API_KEY", tess["api_key"])
    if case.pickled is None:
        case.ask(pickle.loads(pickle.dumps(case.make(**tess))))  # noqa: S301 - our own
        assert simulator.calls[-1].status == 200
        return
    with pytest.raises(case.pickled):
        case.ask(pickle.loads(pickle.dumps(case.make(**tess))))  # noqa: S301 - our own


@pytest.mark.parametrize("case", INSTALLED)
def test_a_model_that_is_read_back_is_refused_by_tess(tess: dict[str, Any], case: Case) -> None:
    """A dictionary holds no http client, so it names no workspace: no call succeeds untranslated."""
    if case.read_back is None:
        pytest.skip("this framework does not write its model to a dictionary")
    with pytest.raises(openai.UnprocessableEntityError, match="x-workspace-id"):
        case.ask(case.read_back(case.make(**tess)))
