"""What a probe of Tess proved about one agent.

A profile contains no key, no workspace and no text. A parameter that the probe found supported is forwarded.
One that it found refused is refused without a request where it would be forwarded. All others are treated as
without a profile.

Source: observed by `tess-openai probe`, on the day and for the agent that the profile names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast, get_args

from tess_openai.core.jsons import JSONObject, to_list, to_object

ProbeVerdict: TypeAlias = Literal["supported", "accepted", "refused"]
"""`supported`: it had an effect. `accepted`: it had no effect, but was not refused. `refused`: 400 or 422."""

VERSION: Final = 1
VERSION_FIELD: Final = "tess_openai_profile"


@dataclass(frozen=True, slots=True, kw_only=True)
class TessProfile:
    """What a probe found about one agent.

    Attributes:
        agent_id: The agent that was probed.
        made: The day of the probe, `"2026-11-23"`.
        answers: What the probe tested -> the verdict, `{"top_p": "accepted", "role.developer": "refused"}`.
        shapes: Names of fields and headers that answers had, `{"completion": ["id", "choices"]}`.
        statuses: Case -> HTTP status, `{"workspace.missing": 422}`.
    """

    agent_id: int
    made: str
    answers: Mapping[str, ProbeVerdict] = field(default_factory=dict[str, ProbeVerdict])
    shapes: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    statuses: Mapping[str, int] = field(default_factory=dict[str, int])

    def supports(self, question: str) -> bool:
        """Whether the probe observed that what it tested under this name had an effect."""
        return self.answers.get(question) == "supported"

    def accepts(self, question: str) -> bool:
        """Whether Tess did not refuse it, with or without an effect."""
        return self.answers.get(question) in ("supported", "accepted")

    def refuses(self, question: str) -> bool:
        """Whether Tess refused it."""
        return self.answers.get(question) == "refused"

    def to_json(self) -> JSONObject:
        """Return the profile as a file holds it."""
        return {
            VERSION_FIELD: VERSION,
            "agent_id": self.agent_id,
            "made": self.made,
            "answers": dict(self.answers),
            "shapes": {name: list(words) for name, words in self.shapes.items()},
            "statuses": dict(self.statuses),
        }


NOTHING_PROVEN: Final = TessProfile(agent_id=0, made="")
"""The profile of an agent that was not probed."""


def parse_profile(value: object) -> TessProfile:
    """Read a profile from JSON.

    Raises:
        ValueError: It is not a profile, has an unknown verdict, or is of a version unknown to this release.
    """
    fields = to_object(value) or {}
    version = fields.get(VERSION_FIELD)
    if version != VERSION:
        raise ValueError(
            f"it is not a profile of version {VERSION}"
            + (f" but of version {version}; upgrade tess-openai" if isinstance(version, int) else "")
        )
    agent_id, made = fields.get("agent_id"), fields.get("made")
    if not isinstance(agent_id, int) or not isinstance(made, str):
        raise ValueError("it names no agent or no day")
    answers: dict[str, ProbeVerdict] = {}
    for name, answer in (to_object(fields.get("answers")) or {}).items():
        if answer not in get_args(ProbeVerdict):
            raise ValueError(f"its answer to {name!r} is none of {', '.join(get_args(ProbeVerdict))}")
        answers[name] = cast("ProbeVerdict", answer)
    shapes = to_object(fields.get("shapes")) or {}
    statuses = to_object(fields.get("statuses")) or {}
    return TessProfile(
        agent_id=agent_id,
        made=made,
        answers=answers,
        shapes={name: tuple(map(str, to_list(words) or [])) for name, words in shapes.items()},
        statuses={name: status for name, status in statuses.items() if isinstance(status, int)},
    )
