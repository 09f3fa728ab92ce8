"""What the page on LangChain says of its choice of API is what the installed release does."""

from __future__ import annotations

from typing import Any

import langchain_responses
import pytest
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

CALL: dict[str, Any] = {"messages": []}


def chooses_responses(call: dict[str, Any] | None = None, **settings: Any) -> bool:
    """Whether a model with these settings makes this call by the Responses API."""
    model: Any = ChatOpenAI(api_key=SecretStr("made-up"), **settings)
    return bool(model._use_responses_api({**CALL, **(call or {})}))


@pytest.mark.parametrize(
    ("settings", "call"),
    [
        ({"model": "gpt-5-pro"}, {}),
        ({"model": "a-codex-model"}, {}),
        ({"model": "gpt-6-of-tomorrow"}, {"tools": [{"type": "function"}]}),
        ({"model": "tess-6"}, {"tools": [{"type": "web_search"}]}),
        ({"model": "tess-6"}, {"text": {}}),
        ({"model": "tess-6", "use_responses_api": True}, {}),
        ({"model": "tess-6", "output_version": "responses/v1"}, {}),
        ({"model": "tess-6", "use_previous_response_id": True}, {}),
        *[
            ({"model": "tess-6", name: value}, {})
            for name, value in {"include": [], "truncation": "auto"}.items()
        ],
    ],
)
def test_what_the_page_names_chooses_responses(settings: dict[str, Any], call: dict[str, Any]) -> None:
    """Each parameter in the table makes LangChain use the Responses API."""
    assert chooses_responses(call, **settings)
    assert not chooses_responses(call, **{**settings, "use_responses_api": False})


def test_nothing_else_does() -> None:
    """A model of Tess with functions of the caller's is asked by chat completions."""
    assert not chooses_responses({"tools": [{"type": "function"}], "seed": 1}, model="tess-6", temperature=0)


def test_a_release_that_decides_otherwise_is_an_error() -> None:
    """Its new condition has to be described before the table can be made."""
    source = langchain_responses.installed_source()
    changed = source.replace("self.truncation is not None", "self.new_setting")
    assert changed != source
    with pytest.raises(ValueError, match="describe them"):
        langchain_responses.table_of(changed, "9.9")
