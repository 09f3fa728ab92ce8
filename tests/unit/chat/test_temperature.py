"""A temperature becomes one of the agent's options, and a move is reported."""

from __future__ import annotations

import pytest

from tess_openai.core.changes import Change
from tess_openai.core.chat.temperature import to_temperature
from tess_openai.core.ledger import Ledger
from tess_openai.core.options import DOCUMENTED_TEMPERATURES
from tess_openai.core.policy import Policy
from tess_openai.core.refusals import Refused


@pytest.mark.parametrize(
    ("given", "sent"),
    [
        pytest.param(0, "0", id="zero"),
        pytest.param(-0.0, "0", id="minus zero"),
        pytest.param(1, "1", id="one, as the documentation prints it"),
        pytest.param(1.0, "1", id="one as a float"),
        pytest.param("1", "1", id="one as a string"),
        pytest.param("1.0", "1", id="one as a string of a float"),
        pytest.param("5e-1", "0.5", id="a half as a string with an exponent"),
        pytest.param(0.25, "0.25", id="a quarter"),
        pytest.param(0.75, "0.75", id="three quarters"),
    ],
)
def test_an_option_is_written_as_the_agent_spells_it(given: object, sent: str) -> None:
    """Nothing moved, so nothing is reported, under the strictest policy too."""
    ledger = Ledger(Policy("error"))
    assert to_temperature(given, DOCUMENTED_TEMPERATURES, ledger) == sent
    assert ledger.changes == ()


@pytest.mark.parametrize(
    ("given", "sent", "shown"),
    [
        pytest.param(0.7, "0.75", "0.7", id="LangChain's default"),
        pytest.param("0.7", "0.75", "0.7", id="the same as a string"),
        pytest.param(0.1, "0", "0.1", id="near zero"),
        pytest.param(0.125, "0", "0.125", id="the lower of two as near"),
        pytest.param(0.875, "0.75", "0.875", id="the lower of two as near, high up"),
        pytest.param(2, "1", "2", id="above all options"),
        pytest.param(-3, "0", "-3", id="below all options"),
        pytest.param(10**9, "1", "1000000000", id="a huge integer"),
    ],
)
def test_another_number_moves_to_the_nearest_option(given: object, sent: str, shown: str) -> None:
    """The warning shows the number and the options."""
    ledger = Ledger(Policy("warn"))
    assert to_temperature(given, DOCUMENTED_TEMPERATURES, ledger) == sent
    assert ledger.changes == (
        Change(
            "rewritten",
            "temperature",
            shown,
            sent,
            "the agent takes one of 0, 0.25, 0.5, 0.75, 1",
            "Use one of these, or name those of your agent: create_client(temperatures=[0, 0.5, 1]).",
            "request",
        ),
    )


@pytest.mark.parametrize(
    "given",
    [
        pytest.param(None, id="null"),
        pytest.param("warm", id="a word"),
        pytest.param("", id="the empty string"),
        pytest.param(True, id="true"),
        pytest.param([0.7], id="a list"),
        pytest.param({"a": 1}, id="an object"),
        pytest.param("nan", id="not a number"),
        pytest.param(float("inf"), id="infinity"),
        pytest.param(10**400, id="an integer beyond all floats"),
    ],
)
def test_what_is_no_number_is_sent_as_given(given: object) -> None:
    """Tess says itself what is wrong with it."""
    ledger = Ledger(Policy("error"))
    assert to_temperature(given, DOCUMENTED_TEMPERATURES, ledger) is given
    assert ledger.changes == ()


@pytest.mark.parametrize("options", [None, ()], ids=["any number is taken", "no option is known"])
def test_without_options_a_number_is_sent_as_given(options: tuple[str, ...] | None) -> None:
    """Some agents take any temperature."""
    ledger = Ledger(Policy("error"))
    assert to_temperature(0.7, options, ledger) == 0.7
    assert ledger.changes == ()


def test_options_need_no_order() -> None:
    """The nearest is found, and written as the agent writes it."""
    assert to_temperature(0.6, ("1.0", "0.50", "0"), Ledger(Policy())) == "0.50"


def test_error_refuses_and_forward_sends_the_number() -> None:
    """The policy has the last word over a move."""
    with pytest.raises(Refused, match="the agent takes one of 0, ") as caught:
        to_temperature(0.7, DOCUMENTED_TEMPERATURES, Ledger(Policy("error")))
    assert caught.value.param == "temperature"
    ledger = Ledger(Policy("forward"))
    assert to_temperature(0.7, DOCUMENTED_TEMPERATURES, ledger) == 0.7
    assert [change.action for change in ledger.changes] == ["forwarded"]


@pytest.mark.parametrize(
    ("given", "sent"), [pytest.param(1e300, "1", id="huge"), pytest.param(-1e300, "0", id="huge below zero")]
)
def test_beside_a_huge_number_the_nearest_option_is_still_the_nearest(given: float, sent: str) -> None:
    """As floats, all options are equally far from a huge number."""
    assert to_temperature(given, DOCUMENTED_TEMPERATURES, Ledger(Policy())) == sent
