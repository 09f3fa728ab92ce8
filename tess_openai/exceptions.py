"""What this package raises and warns of.

    ValueError
      └─ TessConfigurationError          a mistake in the arguments or the environment, before any network

    UserWarning
      └─ TessWarning                     the public base: silence it to silence all
           ├─ TessParameterWarning       a parameter that Tess lacks was not sent
           ├─ TessTemperatureWarning     a temperature moved to one of the agent's options
           ├─ TessToolsWarning           functions or tools were not offered to the model
           ├─ TessMessagesWarning        part of a message was left out, or told in words
           ├─ TessAnswerWarning          Tess's answer is not what it seems
           ├─ TessWorkspaceWarning       no workspace was named
           └─ TessKeyWarning             the key, or the base URL, was mended or looks wrong

What Tess refuses comes as the exceptions of `openai` itself.
"""

from __future__ import annotations


class TessConfigurationError(ValueError):
    """A mistake in the arguments or the environment, found before any network."""


class TessWarning(UserWarning):
    """Base of all warnings of this package."""


class TessParameterWarning(TessWarning):
    """A parameter that Tess lacks was not sent."""


class TessTemperatureWarning(TessWarning):
    """A temperature moved to one of the agent's options."""


class TessToolsWarning(TessWarning):
    """Functions or tools were not offered to the model."""


class TessMessagesWarning(TessWarning):
    """Part of a message was left out, or told in words."""


class TessAnswerWarning(TessWarning):
    """Tess's answer is not what it seems."""


class TessWorkspaceWarning(TessWarning):
    """No workspace was named."""


class TessKeyWarning(TessWarning):
    """The key, or the base URL, was mended or looks wrong."""
