"""Which requests the adapter of a client refuses by their headers, whatever their path."""

from __future__ import annotations

import json
from typing import Final

import pytest

from tess_openai.core.calls import Answer
from tess_openai.core.options import Options
from tess_openai.edge.adapter import Adapter
from tess_openai.edge.families import Family
from tess_openai.edge.origins import Origin

ROOT: Final = "https://tess.example/agents/42/openai"


@pytest.mark.parametrize("path", ["/chat/completions", "/models", "/anything"])
@pytest.mark.parametrize("key", ["Bearer sk-proj-abc", "bearer SK-abc"])
def test_a_key_of_openai_is_refused_on_every_path(family: Family, path: str, key: str) -> None:
    """A program that was switched to Tess with its old key must not send that key to another company."""
    adapter = Adapter(Origin("https", "tess.example", None, ""), Options())
    request = family.Request("POST", ROOT + path, headers={"Authorization": key})
    for _ in range(2):  # a refused key is not remembered as one that was sent before
        given, place = adapter.origin.to_api_request(request)
        assert place is not None
        answer = next(adapter.flow_for(given, place))
        assert isinstance(answer, Answer)
        error = json.loads(answer.body or b"")["error"]
        assert (answer.status, error["code"]) == (401, "foreign_key")
        assert "abc" not in error["message"]
