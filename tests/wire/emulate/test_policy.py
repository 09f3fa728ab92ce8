"""What is emulated is what the caller asked to be: for a client, for a parameter, for a call."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import Prompts, TessConfigurationError, TessRequestWarning, changes_of

if TYPE_CHECKING:
    from tests.wire.conftest import Driver
    from tests.wire.emulate.conftest import Model

JSON_OBJECT = {"type": "json_object"}


def test_one_parameter_only(driver: Driver, model: Model, tools: list[Any]) -> None:
    """The others are warned of as ever."""
    client = driver.client(unsupported={"stop": "emulate"})
    model.simulator.script("one ### two")
    with pytest.warns(TessRequestWarning) as caught:
        answer = driver.ask(client, stop="###", tools=tools)
    assert answer.choices[0].message.content == "one "
    assert len(caught) == 1
    assert model.received[-1]["tools"] == "no-tools"
    assert [message["role"] for message in model.received[-1]["messages"]] == ["user"]


def test_what_cannot_be_emulated_is_warned_of(driver: Driver, model: Model) -> None:
    """The word `emulate` promises nothing that cannot be kept."""
    client = driver.client(unsupported="emulate")
    with pytest.warns(TessRequestWarning, match="seed"):
        driver.ask(client, seed=1, stop="###")


def test_a_call_may_ask_for_it(driver: Driver, model: Model) -> None:
    """In `extra_body`, also where the client does not."""
    client = driver.client()
    model.simulator.script("```json\n{}\n```")
    extra = {"tess_openai": {"unsupported": {"response_format": "emulate"}}}
    assert driver.text(client, response_format=JSON_OBJECT, extra_body=extra) == "{}"
    assert "tess_openai" not in model.received[-1]


def test_a_call_may_do_without(driver: Driver, model: Model) -> None:
    """One word for all of it."""
    client = driver.client(emulate=True)
    model.simulator.script("one ### two")
    extra = {"tess_openai": {"unsupported": "ignore"}}
    assert driver.text(client, stop="###", extra_body=extra) == "one ### two"


def test_an_ordinary_call_is_left_alone(driver: Driver, model: Model) -> None:
    """It goes as it came, and nothing is told."""
    client = driver.client(emulate=True)
    answer = driver.ask(client, n=1, tools=[], stop=None, response_format={"type": "text"})
    assert answer.choices[0].message.content == driver.answer
    assert changes_of(answer) == ()
    assert model.received[-1] == driver.hello


def test_without_the_extra_a_call_is_refused(
    driver: Driver, model: Model, tools: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What needs no check of schemas works all the same."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    client = driver.client()
    extra = {"tess_openai": {"unsupported": "emulate"}}
    for given in ({"tools": tools}, {"response_format": JSON_OBJECT}):
        error = driver.fails(client, extra_body=extra, **given)
        assert isinstance(error, openai.BadRequestError)
        assert (error.code, error.param) == ("emulation_not_installed", *given)
        assert 'pip install "tess-openai[emulate]"' in str(error)
    assert model.received == []
    model.simulator.script("one ### two")
    assert driver.text(client, stop="###", extra_body=extra) == "one "


@pytest.mark.parametrize(
    ("words", "is_needed"),
    [
        ({"stop": "emulate", "n": "emulate", "max_tokens": "emulate"}, False),
        ({"tools": "emulate"}, True),
        ({"response_format": "emulate"}, True),
        ("emulate", True),
    ],
)
def test_the_extra_is_needed_for_what_checks_schemas(
    driver: Driver,
    monkeypatch: pytest.MonkeyPatch,
    words: str | dict[str, str],
    is_needed: bool,  # noqa: FBT001
) -> None:
    """Where it is, that is said when the client is made."""
    monkeypatch.setitem(sys.modules, "jsonschema", None)
    if is_needed:
        with pytest.raises(TessConfigurationError, match=r"tess-openai\[emulate\]"):
            driver.client(unsupported=words)
        return
    assert driver.text(driver.client(unsupported=words), stop="###") == driver.answer


def test_the_prompts_can_be_replaced(driver: Driver, model: Model) -> None:
    """Each on its own."""
    client = driver.client(emulate=True, prompts=Prompts(json_object="Só JSON, por favor."))
    model.simulator.script("{}")
    driver.ask(client, response_format=JSON_OBJECT)
    assert model.instructions == "Só JSON, por favor."
