"""What holds for the room as a whole: its imports, its plugin, its records, its profiles."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tess_openai.testing
from tess_openai.testing import Profile, RecordedRequest, TessSimulator
from tess_openai.testing.wire import WireRequest, json_response

HOME = str(Path(tess_openai.testing.__file__).parents[2])


def modules_after(statement: str) -> set[str]:
    """Name the modules that a fresh interpreter holds after a statement."""
    program = f"{statement}; import sys; print(*sys.modules)"
    shown = subprocess.run(
        [sys.executable, "-c", program], cwd=HOME, capture_output=True, text=True, check=True
    )
    return set(shown.stdout.split())


def test_the_simulator_shares_no_rule_with_the_adapter() -> None:
    """Otherwise both would make the same mistake; the shared `jsons` only narrows types."""
    loaded = modules_after("import tess_openai.testing, tess_openai.testing.__main__")
    ours = {name for name in loaded if name.startswith("tess_openai.")}
    assert {name for name in ours if not name.startswith("tess_openai.testing")} == {
        "tess_openai.core",
        "tess_openai.core.jsons",
    }


@pytest.mark.parametrize("module", ["tess_openai.testing", "tess_openai.testing.pytest_plugin"])
def test_an_import_loads_no_http_library(module: str) -> None:
    """It does not load the SDK either, since every run of pytest loads the plugin."""
    loaded = modules_after(f"import {module}")
    assert not loaded & {"openai", "httpx", "httpx2", "anyio", "pydantic"}


def test_the_plugin_loads_the_simulator_only_when_asked() -> None:
    """A project that never uses the fixture pays nothing."""
    loaded = modules_after("import tess_openai.testing.pytest_plugin")
    assert "tess_openai.testing.simulator" not in loaded


def test_the_fixture_serves_a_fresh_simulator(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each test has its own, with the profile of its module."""
    pytester.makepyfile(
        """
        import pytest
        from tess_openai.testing import Profile

        @pytest.fixture
        def tess_simulator_profile():
            return Profile.documented()

        def test_one(tess_simulator):
            assert tess_simulator.base_url.startswith("http://127.0.0.1:")
            assert tess_simulator.profile == Profile.documented()
            tess_simulator.script("left over")

        def test_two(tess_simulator):
            from tess_openai.testing.answer_scripts import AnswerScripts
            assert tess_simulator._scripts == AnswerScripts()

        def test_three(tess_environment, tess_simulator):
            import os
            assert tess_environment is tess_simulator
            assert os.environ["TESS_BASE_URL"] == tess_simulator.base_url
            assert os.environ["TESS_API_KEY"] in tess_simulator.api_keys
            assert int(os.environ["TESS_AGENT_ID"]) in tess_simulator.agents
            assert int(os.environ["TESS_WORKSPACE_ID"]) in tess_simulator.profile.workspace_ids
        """
    )
    plugin = ["-p", "no:tess_openai", "-p", "tess_openai.testing.pytest_plugin"]
    monkeypatch.setenv("PYTHONPATH", HOME)
    pytester.runpytest_subprocess(*plugin).assert_outcomes(passed=3)


def test_every_public_name_is_there() -> None:
    """Names are loaded when they are first used, and there are no others."""
    for name in tess_openai.testing.__all__:
        assert getattr(tess_openai.testing, name) is not None
        assert name in dir(tess_openai.testing)
    with pytest.raises(AttributeError, match="has no attribute 'Simulator'"):
        _ = tess_openai.testing.Simulator  # type: ignore[attr-defined] # what must not exist


def test_nothing_secret_is_shown() -> None:
    """The repr of a request and of its record has neither key, workspace nor body."""
    headers = {"authorization": "Bearer 1|secret", "x-workspace-id": "7001"}
    request = WireRequest("POST", "/agents/42", headers, b"a secret prompt")
    shown = repr(request) + repr(RecordedRequest.of(request, json_response(200, {}), fault=""))
    assert "POST" in shown
    assert "secret" not in shown
    assert "7001" not in shown


def test_records_separate_chat_calls_from_others(simulator: TessSimulator) -> None:
    """`requests` are all, `calls` the chats; a record is found by path without the query."""
    for target in ("/agents?page=1", "/agents/42/openai/chat/completions?x=1"):
        simulator.answer(WireRequest("POST", target, {}, b"\xff"))
    assert [each.path for each in simulator.requests] == ["/agents", "/agents/42/openai/chat/completions"]
    assert [each.target for each in simulator.calls] == ["/agents/42/openai/chat/completions?x=1"]
    assert simulator.calls[0].json is None


@pytest.mark.parametrize(
    ("switches", "error", "words"),
    [
        ({"auth_error": "none"}, ValueError, "Profile.auth_error is one of"),
        ({"content": frozenset({"text", "video"})}, ValueError, "not 'video'"),
        ({"roles": {"user"}}, TypeError, "Profile.roles is a frozenset"),
        ({"requests_per_second": 0}, ValueError, "1 or more, not 0"),
    ],
)
def test_a_misspelt_switch_is_an_error(switches: dict[str, Any], error: type[Exception], words: str) -> None:
    """It would otherwise mean another reading, silently."""
    with pytest.raises(error, match=words):
        Profile(**switches)


def test_the_strict_profile_is_the_default() -> None:
    """Both a profile and a simulator are strict without arguments."""
    assert Profile() == Profile.strict() == TessSimulator().profile
