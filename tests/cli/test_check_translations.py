"""Bodies of calls as `tess-openai check` translates them: the names are those of the caller's API."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.cli.check.translations import Api, translate
from tess_openai.core.options import Options
from tess_openai.core.policy import Policy
from tess_openai.core.probe_profile import TessProfile
from tess_openai.core.refusals import Refused


@pytest.mark.parametrize(
    ("api", "body", "param"),
    [
        ("chat", {"messages": [{"role": "user", "content": "Hello"}]}, "messages"),
        ("responses", {"input": "Hello"}, "input"),
        ("completions", {"prompt": "Hello"}, "prompt"),
    ],
)
def test_a_refusal_names_the_callers_own_parameter(api: Api, body: dict[str, Any], param: str) -> None:
    """A reader who looks for it finds it in the program."""
    profile = TessProfile(agent_id=42, made="2026-11-23", answers={"messages": "refused"})
    with pytest.raises(Refused) as caught:
        translate(api, body, Options(policy=Policy("forward"), profile=profile))
    assert (caught.value.param, str(caught.value).partition(":")[0]) == (param, param)
