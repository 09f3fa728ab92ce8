"""The exception and the warnings of this package.

    ValueError
      └─ TessConfigurationError            a mistake in the arguments or the environment; nothing is sent

    UserWarning
      └─ TessWarning                       the public base: silence it to silence all
           ├─ TessConfigurationWarning     an argument or a variable looks wrong, and was used nevertheless
           ├─ TessRequestWarning           part of a request was changed or not sent
           └─ TessAnswerWarning            something in an answer needs attention

There is one category for each decision of a user. The option `unsupported` decides about single parameters.
Errors that Tess answers are raised as the exceptions of `openai` itself.
"""

from __future__ import annotations


class TessConfigurationError(ValueError):
    """A mistake in the arguments or the environment.

    It is raised when a client is made, before anything is sent. Its text names the argument and its value,
    why it cannot work, and what to pass instead; a key is never shown.
    """


class TessWarning(UserWarning):
    """Base of all warnings of this package: a filter for it applies to all of them.

    A warning is given at the line of the program that made the call, once for each line and parameter.
    """


class TessConfigurationWarning(TessWarning):
    """The key, the base URL or the workspace looks wrong, and is used nevertheless."""


class TessRequestWarning(TessWarning):
    """A parameter of a request was changed or not sent.

    Its text names the parameter, what was done, why, and what to do instead. The option `unsupported` decides
    for each parameter whether there is a warning.
    """


class TessAnswerWarning(TessWarning):
    """Something in an answer needs attention, such as a success without text."""
