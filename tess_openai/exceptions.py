"""The exception and the warnings of this package.

    ValueError
      └─ TessConfigurationError            a mistake in the arguments or the environment, before any network

    UserWarning
      └─ TessWarning                       the public base: silence it to silence all
           ├─ TessConfigurationWarning     an argument or a variable looks wrong, and was used all the same
           ├─ TessRequestWarning           part of a request was changed or not sent
           └─ TessAnswerWarning            Tess's answer is not what it seems

There is one category for each decision of a user. What becomes of a single parameter is the decision of
`unsupported=`. What Tess refuses is raised as the exceptions of `openai` itself.
"""

from __future__ import annotations


class TessConfigurationError(ValueError):
    """A mistake in the arguments or the environment, found before any network."""


class TessWarning(UserWarning):
    """Base of all warnings of this package."""


class TessConfigurationWarning(TessWarning):
    """The key, the base URL or the workspace looks wrong, and was used all the same."""


class TessRequestWarning(TessWarning):
    """Part of a request was changed or not sent."""


class TessAnswerWarning(TessWarning):
    """Tess's answer is not what it seems."""
