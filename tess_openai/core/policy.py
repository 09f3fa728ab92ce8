"""The policy of a client or call: what to do with each parameter that Tess does not support."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast, get_args

from tess_openai.core.changes import quoted

PolicyAction: TypeAlias = Literal["warn", "ignore", "error", "forward", "emulate"]
"""`warn`: strip and warn. `ignore`: strip and record in the ledger only. `error`: refuse as OpenAI does.
`forward`: send as given. `emulate`: do it in the adapter where that is possible, else warn."""
Unsupported: TypeAlias = PolicyAction | Mapping[str, PolicyAction]

POLICY_ACTIONS: Final[tuple[PolicyAction, ...]] = get_args(PolicyAction)
NO_ACTIONS: Final[Mapping[str, PolicyAction]] = {}
CHAT_NAMES_OF_RESPONSES: Final[Mapping[str, tuple[str, ...]]] = {
    "input": ("messages",),
    "input.function_call": ("messages.tool_calls",),
    "max_output_tokens": ("max_completion_tokens",),
    "reasoning": ("reasoning", "reasoning_effort", "reasoning.summary"),
    "reasoning.effort": ("reasoning_effort",),
    "text": ("text", "response_format", "verbosity"),
    "text.format": ("response_format",),
    "text.verbosity": ("verbosity",),
}
"""Parameter of the Responses API -> the names under which a policy has it: those of chat, and its own."""


@dataclass(frozen=True, slots=True)
class Policy:
    """An action per parameter: its own, else its parent's (`messages.name`: `messages`), or the default."""

    default: PolicyAction = "warn"
    by_param: Mapping[str, PolicyAction] = field(default_factory=lambda: NO_ACTIONS)

    @property
    def emulates(self) -> bool:
        """Whether anything is emulated."""
        return self.default == "emulate" or "emulate" in self.by_param.values()

    def has_own(self, param: str) -> bool:
        """Whether the policy names this parameter itself."""
        return param in self.by_param

    def action_for(self, param: str, *, parent: str | None = None) -> PolicyAction:
        """Return the action for a parameter, such as `"messages.content"` or `"top_p"`.

        Args:
            param: Its name.
            parent: The parameter it is a part of; by default the name before its dot.
        """
        if not self.by_param:
            return self.default
        found = self.by_param.get(param)
        if found is None and parent is not None:
            return self.action_for(parent)
        if found is None and "." in param:
            found = self.by_param.get(param.partition(".")[0])
        return self.default if found is None else found

    def overridden_by(self, other: Unsupported | None) -> Policy:
        """Return this policy changed by that of a call.

        A mapping extends it. An action replaces the whole policy, also the actions of single parameters.
        """
        if other is None:
            return self
        if isinstance(other, str):
            return Policy(other)
        actions: dict[str, PolicyAction] = {**self.by_param, **other}
        default = actions.pop("*", self.default)
        return Policy(default, actions)


def parse_unsupported(value: object, known: frozenset[str]) -> Unsupported:
    """Narrow `unsupported=` to an action, or a mapping of parameter names (and `"*"`) to actions.

    Args:
        value: The caller's value, such as `"warn"` or `{"seed": "ignore", "*": "error"}`.
        known: The names that it may contain, besides those of the Responses API.

    Returns:
        The action, or the mapping with names of the Responses API replaced by those that a policy uses.

    Raises:
        ValueError: It contains another value, or a parameter that OpenAI does not have; names the closest.
    """
    if isinstance(value, str):
        return _parse_action(value, "unsupported")
    if not isinstance(value, Mapping):
        raise ValueError(
            f"unsupported must be one of {_listed(POLICY_ACTIONS)}, or a mapping of parameters to these"
        )
    actions: dict[str, PolicyAction] = {}
    for param, action in cast("Mapping[object, object]", value).items():
        if not isinstance(param, str) or (
            param != "*" and param not in known | CHAT_NAMES_OF_RESPONSES.keys()
        ):
            near = difflib.get_close_matches(str(param), known | CHAT_NAMES_OF_RESPONSES.keys(), n=1)
            hint = f"; did you mean {near[0]!r}?" if near else '; "*" means all that are not named'
            raise ValueError(
                f"unsupported= contains {quoted(param)}, which is no parameter of OpenAI's APIs{hint}"
            )
        for name in CHAT_NAMES_OF_RESPONSES.get(param, (param,)):
            actions[name] = _parse_action(action, f"unsupported[{param!r}]")
    return actions


def _parse_action(value: object, where: str) -> PolicyAction:
    if isinstance(value, str) and value in POLICY_ACTIONS:
        return value
    raise ValueError(f"{where} is {quoted(value)}; it must be one of {_listed(POLICY_ACTIONS)}")


def _listed(actions: tuple[str, ...]) -> str:
    return ", ".join(map(repr, actions))
