"""What is emulated is what the caller asked to be: for a client, for a parameter, for a call."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from tess_openai import Prompts, TessRequestWarning, changes_of

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
    """The policy `emulate` promises nothing that cannot be kept."""
    client = driver.client(unsupported="emulate")
    with pytest.warns(TessRequestWarning, match="seed"):
        driver.ask(client, seed=1, stop="###")


def test_a_call_may_ask_for_it(driver: Driver, model: Model) -> None:
    """`extra_body` turns emulation on for a call even if the client does not emulate."""
    client = driver.client()
    model.simulator.script("```json\n{}\n```")
    extra = {"tess_openai": {"unsupported": {"response_format": "emulate"}}}
    assert driver.text(client, response_format=JSON_OBJECT, extra_body=extra) == "{}"
    assert "tess_openai" not in model.received[-1]


def test_a_call_may_do_without(driver: Driver, model: Model) -> None:
    """One value turns all emulation off for a call."""
    client = driver.client(emulate=True)
    model.simulator.script("one ### two")
    extra = {"tess_openai": {"unsupported": "ignore"}}
    assert driver.text(client, stop="###", extra_body=extra) == "one ### two"


def test_an_ordinary_call_is_left_alone(driver: Driver, model: Model) -> None:
    """The request is sent unchanged, and nothing is reported."""
    client = driver.client(emulate=True)
    answer = driver.ask(client, n=1, tools=[], stop=None, response_format={"type": "text"})
    assert answer.choices[0].message.content == driver.answer
    assert changes_of(answer) == ()
    assert model.received[-1] == driver.hello


def test_without_the_extra_the_ledger_names_what_is_not_checked(
    driver: Driver, model: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pattern is passed over, the rest of the schema is checked."""
    monkeypatch.setitem(sys.modules, "re2", None)
    schema = {"type": "object", "properties": {"code": {"type": "string", "pattern": "^[A-Z]+$"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "code", "schema": schema}}
    client = driver.client(emulate=True)
    model.simulator.script('{"code": "a"}')
    answer = driver.ask(client, response_format=wanted)
    assert answer.choices[0].message.content == '{"code": "a"}'
    [noticed] = [change for change in changes_of(answer) if change.action == "noticed"]
    assert (noticed.param, noticed.given) == ("response_format", "pattern")
    assert 'pip install "tess-openai[emulate]"' in noticed.why


def test_the_ledger_states_that_a_check_was_not_finished(driver: Driver, model: Model) -> None:
    """A thousand items under a thousand schemas would take long; what is left unchecked counts as right."""
    schema = {"type": "array", "items": {"anyOf": [{"const": number} for number in range(1000)]}}
    wanted = {"type": "json_schema", "json_schema": {"name": "numbers", "schema": schema}}
    answer = str([*range(1000)])
    model.simulator.script(answer)
    completion = driver.ask(driver.client(emulate=True), response_format=wanted)
    assert completion.choices[0].message.content == answer
    [noticed] = [change for change in changes_of(completion) if change.action == "noticed"]
    assert (noticed.param, noticed.given) == ("response_format", "a part of the answer")


def test_null_is_kept_where_nullable_allows_it(driver: Driver, model: Model) -> None:
    """Required or not, as OpenAPI writes it."""
    place = {"allOf": [{"type": "object"}], "nullable": True}
    properties = {"name": {"type": "string", "nullable": True}, "place": place}
    schema = {"type": "object", "properties": properties, "required": ["name"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "person", "schema": schema}}
    model.simulator.script('{"name": null, "place": null}')
    completion = driver.ask(driver.client(emulate=True), response_format=wanted)
    assert completion.choices[0].message.content == '{"name": null, "place": null}'


def test_the_prompts_can_be_replaced(driver: Driver, model: Model) -> None:
    """Each text can be replaced on its own."""
    client = driver.client(emulate=True, prompts=Prompts(json_object="Só JSON, por favor."))
    model.simulator.script("{}")
    driver.ask(client, response_format=JSON_OBJECT)
    assert model.instructions == "Só JSON, por favor."
