"""Errors of the gateway name what its callers and its file have, not arguments of Python."""

from __future__ import annotations

import logging
from pathlib import Path

import openai
import pytest

from tess_openai.core.chat.parameters import EMULATE_REMEDY
from tess_openai.core.error_hints import KEY_HINT, RATE_HINT, TIMEOUT_HINT
from tess_openai.gateway.config import read_config
from tess_openai.gateway.file_wording import reword
from tess_openai.testing import TessSimulator, faults
from tests.gateway.running import HELLO, Start


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (
            'Accept this: create_client(unsupported={"seed": "ignore"}).',
            'Accept this: unsupported = { seed = "ignore" } in the gateway\'s file.',
        ),
        (
            'create_client(models={"*": None, "gpt-4.1": "tess-6"})',
            'models = { "*" = "", "gpt-4.1" = "tess-6" } in the gateway\'s file',
        ),
        ("create_client(temperatures=[0, 0.5])", "temperatures = [0, 0.5] in the gateway's file"),
        (EMULATE_REMEDY, "It can be emulated: emulate = true in the gateway's file."),
        (
            "create_client(responses_store=SQLiteResponseStore(path))",
            'responses_store = "sqlite:///responses.sqlite" in the gateway\'s file',
        ),
        ("Pass a key with api_key= or TESS_API_KEY.", "Pass a key with TESS_API_KEY."),
        ("create_client(8794), create_client(models={1: ...}), create_client(", None),
        ("create_client((((((((((", None),
        ("the model 'create_client(' * 100)", None),
    ],
)
def test_options_are_written_as_in_the_file(message: str, expected: str | None) -> None:
    """What cannot be a line of the file stays as it is."""
    assert reword(message) == (message if expected is None else expected)


@pytest.mark.parametrize("hint", [RATE_HINT, TIMEOUT_HINT, KEY_HINT, EMULATE_REMEDY])
def test_no_hint_names_an_argument_of_python(hint: str) -> None:
    """Each hint of the adapter is reworded completely."""
    assert "create_client" not in reword(hint)
    assert "_key=" not in reword(hint)


@pytest.mark.parametrize(
    "option",
    [
        'unsupported={"seed": "ignore", "*": "error"}',
        'models={"*": None, "gpt-4.1": "tess-6"}',
        "requests_per_second=1",
        'long_answers="poll"',
        "emulate=True",
        "responses_store=SQLiteResponseStore(path)",
    ],
)
def test_a_line_is_accepted_by_the_file(option: str, tmp_path: Path) -> None:
    """It is TOML, and the gateway finds no problem in it."""
    path = tmp_path / "gateway.toml"
    path.write_text(reword(f"create_client({option})").removesuffix(" in the gateway's file"))
    assert read_config(path).problems == ()


def test_a_caller_sees_the_option_of_the_file(start: Start, simulator: TessSimulator) -> None:
    """Errors name the option of the configuration file, for a rate limit and for a missing endpoint."""
    simulator.fault(faults.rate_limited(retry_after_seconds=1))
    with start() as gateway, gateway.sdk() as client:
        with pytest.raises(openai.RateLimitError) as limited:
            client.chat.completions.create(**HELLO)
        with pytest.raises(openai.NotFoundError) as missing:
            client.embeddings.create(model="tess-6", input="hello")
    assert "requests_per_second = 1 in the gateway's file" in str(limited.value)
    assert "others=" not in str(missing.value)
    assert "files." in str(missing.value)


def test_a_list_of_models_is_logged(start: Start, caplog: pytest.LogCaptureFixture) -> None:
    """The log has its status and its time, as for every other call."""
    caplog.set_level(logging.INFO)
    with start() as gateway, gateway.sdk() as client:
        client.models.list()
    assert "- GET models 200 in " in caplog.text
