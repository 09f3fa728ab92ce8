"""Presets say what is missing, before anything else goes wrong."""

from __future__ import annotations

import copy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai
import pytest

from tess_openai import TessConfigurationError, presets
from tess_openai.presets.custom_llm import ProviderSource, to_arguments, to_source

MODULES = {
    "langchain": "langchain_openai",
    "llama_index": "llama_index.llms.openai_like",
    "openai_agents": "agents",
    "pydantic_ai": "pydantic_ai",
    "instructor": "instructor",
    "async_instructor": "instructor",
    "litellm": "litellm",
    "litellm_provider": "litellm",
    "crewai": "crewai",
}


@pytest.mark.parametrize(("preset", "module"), MODULES.items())
def test_a_missing_framework_is_named_with_its_remedy(
    preset: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is a `TessConfigurationError`, even if other things are missing too."""
    monkeypatch.setitem(sys.modules, module, None)
    make: Callable[..., object] = getattr(presets, preset)
    with pytest.raises(TessConfigurationError, match=r"is not installed.*pip install '[a-z]"):
        make(42, **({"model": "tess-6"} if preset in {"openai_agents", "pydantic_ai", "crewai"} else {}))


def test_what_a_framework_itself_lacks_is_reported_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An installed framework that cannot import something of its own is not called missing."""
    (tmp_path / "instructor.py").write_text("import something_of_its_own")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "instructor", raising=False)
    with pytest.raises(ModuleNotFoundError, match="something_of_its_own"):
        presets.instructor(42)


def test_every_preset_is_public() -> None:
    """Each module of presets is exported, and nothing else is."""
    assert set(presets.__all__) == {*MODULES, "openai_module"}


@pytest.mark.parametrize(
    ("model", "agent", "name"),
    [
        ("tess-6", None, "tess-6"),
        ("8794/tess-6", "8794", "tess-6"),
        ("8794", "8794", openai.NOT_GIVEN),
        ("meta/llama", None, "meta/llama"),
        ("8794/meta/llama", "8794", "meta/llama"),
    ],
)
def test_a_model_of_litellm_may_name_an_agent(model: str, agent: str | None, name: object) -> None:
    """The agent's number is the part before the first slash."""
    given: dict[str, Any] = {"messages": [], "optional_params": {}}
    assert (to_source(model, given).agent, to_arguments(model, given)["model"]) == (agent, name)


def test_parameters_of_litellm_reach_the_body() -> None:
    """Parameters that this SDK does not know are sent too, and so is the caller's `extra_body`."""
    parameters = {"seed": 3, "extra_body": {"root_id": 7}, "stream": True, "max_retries": 0}
    given = {"messages": [], "optional_params": parameters, "timeout": 5, "headers": {"a": "b"}}
    before = copy.deepcopy(given)
    arguments = to_arguments("tess-6", given)
    assert arguments["extra_body"] == {"seed": 3, "root_id": 7}
    assert (arguments["extra_headers"], arguments["timeout"]) == ({"a": "b"}, 5)
    assert given == before


def test_a_key_stays_out_of_sight() -> None:
    """Printing the keys of the cache of clients shows no API key."""
    assert "1|secret" not in repr(ProviderSource("42", "1|secret"))
