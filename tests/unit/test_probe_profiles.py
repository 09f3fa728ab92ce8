"""What a profile of an agent says, how its file is read, and what follows for a request."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.chat.parameters import TOOL_PARAMETERS
from tess_openai.core.chat.probe_rules import format_temperature, native_tools, refuse_disproven
from tess_openai.core.chat.tools import TessTools
from tess_openai.core.policy import Policy, parse_unsupported
from tess_openai.core.policy_parameters import POLICY_PARAMETERS
from tess_openai.core.probe_profile import TessProfile, parse_profile
from tess_openai.core.refusals import Refused

FILE: dict[str, Any] = {
    "tess_openai_profile": 1,
    "agent_id": 42,
    "made": "2026-11-23",
    "answers": {"tools": "supported", "top_p": "accepted", "seed": "refused", "user": "refused"},
    "shapes": {"completion": ["id", "choices"]},
    "statuses": {"workspace.missing": 422},
}
PROFILE = parse_profile(FILE)


def test_a_profile_is_written_as_it_was_read() -> None:
    """Its file holds everything."""
    assert PROFILE.to_json() == FILE
    assert (
        TessProfile(
            agent_id=42,
            made="2026-11-23",
            answers=FILE["answers"],
            shapes={"completion": ("id", "choices")},
            statuses={"workspace.missing": 422},
        )
        == PROFILE
    )


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("tools", (True, True, False)),
        ("top_p", (False, True, False)),
        ("seed", (False, False, True)),
        ("stop", (False, False, False)),
    ],
)
def test_an_answer_says_what_was_observed(question: str, expected: tuple[bool, bool, bool]) -> None:
    """A question that was not asked is neither supported, nor accepted, nor refused."""
    assert (PROFILE.supports(question), PROFILE.accepts(question), PROFILE.refuses(question)) == expected


def test_a_profile_needs_its_agent_and_its_day_only() -> None:
    """Other parts may be missing, and a status that is not a number is left out."""
    least = {"tess_openai_profile": 1, "agent_id": 42, "made": "2026-11-23"}
    assert parse_profile(least) == TessProfile(agent_id=42, made="2026-11-23")
    odd = {**least, "answers": 7, "shapes": {"a": 7, "b": ["c", 1]}, "statuses": {"d": "422", "e": 200}}
    assert parse_profile(odd) == TessProfile(
        agent_id=42, made="2026-11-23", shapes={"a": (), "b": ("c", "1")}, statuses={"e": 200}
    )


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"tess_openai_profile": None}, "it is not a profile of version 1"),
        (
            {"tess_openai_profile": 2},
            "it is not a profile of version 1 but of version 2; upgrade tess-openai",
        ),
        ({"agent_id": "42"}, "it names no agent or no day"),
        ({"made": None}, "it names no agent or no day"),
        (
            {"answers": {"seed": "maybe"}},
            "its answer to 'seed' is none of supported, accepted, refused",
        ),
    ],
)
def test_what_is_not_a_profile_is_refused(changed: dict[str, object], message: str) -> None:
    """The reason says what is wrong."""
    with pytest.raises(ValueError, match="it") as caught:
        parse_profile({**FILE, **changed})
    assert str(caught.value) == message


def test_a_list_is_not_a_profile() -> None:
    """A file may hold any JSON."""
    with pytest.raises(ValueError, match="not a profile of version 1"):
        parse_profile([])


def test_a_field_that_tess_refused_is_not_sent() -> None:
    """The error names the agent and the day, so that the caller can probe again."""
    profile = parse_profile({**FILE, "answers": {"role.developer": "refused"}})
    with pytest.raises(Refused) as caught:
        refuse_disproven("role.developer", profile, Policy())
    assert (caught.value.param, caught.value.code) == ("role.developer", "proven_refused")
    assert "role.developer: agent 42 refused it when it was probed on 2026-11-23" in caught.value.message


@pytest.mark.parametrize("action", ["warn", "forward"])
def test_a_parameter_that_tess_refused_is_refused_where_the_policy_would_send_it(action: str) -> None:
    """The policy removes it otherwise, which needs no refusal."""
    policy = Policy().overridden_by(parse_unsupported({"seed": action}, POLICY_PARAMETERS))
    if action == "warn":
        refuse_disproven("seed", PROFILE, policy)
        return
    with pytest.raises(Refused):
        refuse_disproven("seed", PROFILE, policy)


def test_a_field_that_was_not_probed_is_sent() -> None:
    """Nothing is known about it."""
    refuse_disproven("role.developer", PROFILE, Policy())


def test_tools_are_sent_unchanged_where_the_probe_proved_calls() -> None:
    """A request without tools, and an agent without the proof, are treated as without a profile."""
    expected = TessTools(None, kept=TOOL_PARAMETERS)
    assert native_tools({"tools": [{"type": "function"}]}, PROFILE) == expected
    assert native_tools({"tools": []}, PROFILE) is None
    assert native_tools({}, PROFILE) is None
    assert native_tools({"tools": [{}]}, TessProfile(agent_id=42, made="")) is None


@pytest.mark.parametrize(
    ("sent", "answer", "expected"),
    [
        ("0.5", "refused", 0.5),
        ("1.0", "refused", 1),
        ("0", "refused", 0),
        ("warm", "refused", "warm"),
        ("0.5", "accepted", "0.5"),
        (0.5, "refused", 0.5),
        (None, "refused", None),
    ],
)
def test_a_temperature_is_a_number_where_tess_refuses_strings(
    sent: object, answer: str, expected: object
) -> None:
    """A whole number is written without a point."""
    profile = parse_profile({**FILE, "answers": {"temperature.string": answer}})
    given = format_temperature(sent, profile)
    assert (given, type(given)) == (expected, type(expected))
