"""A client with the profile of a probed agent acts on what was proven, on every SDK."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import openai
import pytest

from tess_openai import create_client
from tess_openai.core.probe_profile import TessProfile
from tess_openai.testing import Profile

if TYPE_CHECKING:
    from tests.wire.conftest import Driver


def ask(driver: Driver, profile: TessProfile, **arguments: Any) -> Any:
    """Make one call with a profile, and return the body that reached a Tess that accepts everything."""
    driver.simulator.profile = Profile.lenient()
    client = driver.client(profile=profile, unsupported="error")
    answer = driver.run(client.chat.completions.create(**{**driver.hello, **arguments}))
    if arguments.get("stream"):
        assert driver.items(answer)
    return driver.simulator.calls[-1].json


def proven(answers: dict[str, Any]) -> TessProfile:
    """Return a profile with these answers."""
    return TessProfile(agent_id=42, made="2026-11-23", answers=answers)


@pytest.mark.parametrize("stream", [False, True])
def test_what_works_is_forwarded(driver: Driver, stream: bool) -> None:
    """It is sent unchanged, without a warning, under any policy."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {}}}
    given: dict[str, Any] = {"stop": ["x"], "tools": [tool], "tool_choice": "auto"}
    if stream:
        given["stream_options"] = {"include_usage": True}
    works = proven(dict.fromkeys(("stop", "tools", "stream_options"), "supported"))
    body = ask(driver, works, **given, stream=stream)
    assert {name: body[name] for name in given} == given


@pytest.mark.parametrize("answer", ["accepted", "refused"])
def test_what_does_not_work_stays_as_it_was(answer: str, driver: Driver) -> None:
    """Taken and ignored is not supported: the policy decides."""
    with pytest.raises(openai.BadRequestError, match="stop"):
        ask(driver, proven({"stop": answer}), stop=["x"])


def test_what_is_refused_is_known_before_the_network(driver: Driver) -> None:
    """This holds for Tess's own fields too."""
    with pytest.raises(openai.BadRequestError, match="refused it when it was probed on 2026-11-23") as caught:
        ask(driver, proven({"root_id": "refused"}), extra_body={"root_id": 7})
    assert (caught.value.code, caught.value.param) == ("proven_refused", "root_id")
    assert driver.simulator.calls == []


def test_messages_go_as_the_agent_takes_them(driver: Driver) -> None:
    """Neighbours stay separate, developer messages keep their role, and images are sent."""
    picture = [{"type": "image_url", "image_url": {"url": "data:,"}}]
    messages = [
        {"role": "developer", "content": "Be brief."},
        {"role": "user", "content": "One"},
        {"role": "user", "content": picture},
    ]
    names = ("messages.neighbours", "role.developer", "content.image_parts")
    assert ask(driver, proven(dict.fromkeys(names, "supported")), messages=messages)["messages"] == messages


@pytest.mark.parametrize(
    ("answers", "given", "sent"),
    [
        ({}, 0.5, "0.5"),
        ({"temperature.string": "refused"}, 0.5, 0.5),
        ({"temperature.string": "refused"}, 1.0, 1),
        ({"temperature.between": "accepted"}, 0.37, 0.37),
    ],
)
def test_temperatures_go_as_the_agent_takes_them(
    answers: dict[str, Any], given: float, sent: object, driver: Driver
) -> None:
    """They are sent as numbers, or with values between the options."""
    body = ask(driver, proven(answers), temperature=given)
    assert body["temperature"] == sent
    assert isinstance(body["temperature"], str) is isinstance(sent, str)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read"),
        ("{}", "not a profile of version 1"),
        ('{"tess_openai_profile": 2}', "upgrade tess-openai"),
        ('{"tess_openai_profile": 1}', "names no agent"),
        (
            '{"tess_openai_profile": 1, "agent_id": 1, "made": "", "answers": {"n": "yes"}}',
            "none of supported",
        ),
    ],
)
def test_a_file_that_is_no_profile_is_explained(content: str | None, words: str, tmp_path: Path) -> None:
    """The factory raises the error."""
    file = tmp_path / "profile.json"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=words):
        create_client(42, api_key="1|abc", workspace_id=1, profile=file)
