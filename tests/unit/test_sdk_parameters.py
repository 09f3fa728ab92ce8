"""The parameters that this package knows are those of the SDK, whichever of its versions is installed."""

from __future__ import annotations

import importlib.metadata

import pytest

from tess_openai.core.chat.parameters import CHAT_PARAMETERS


def sdk_parameters() -> set[str]:
    """Return the body's parameters of the installed SDK's chat completions."""
    from openai.types.chat import completion_create_params

    shapes = (
        completion_create_params.CompletionCreateParamsStreaming,
        completion_create_params.CompletionCreateParamsNonStreaming,
    )
    return {name for shape in shapes for name in shape.__annotations__} | set(
        completion_create_params.CompletionCreateParamsBase.__annotations__
    )


def sdk_version() -> tuple[int, ...]:
    """Return major and minor version of the installed SDK."""
    return tuple(int(part) for part in importlib.metadata.version("openai").split(".")[:2])


def test_every_parameter_of_the_sdk_is_known() -> None:
    """No parameter of any supported SDK passes for a field of the agent's own."""
    assert sdk_parameters() <= CHAT_PARAMETERS


@pytest.mark.skipif(sdk_version() < (3, 54), reason="parameters are listed as of openai 3.54")
def test_no_parameter_is_known_that_the_newest_sdk_lacks() -> None:
    """A name that OpenAI never had would swallow an agent's own field."""
    assert set(CHAT_PARAMETERS) <= sdk_parameters()
