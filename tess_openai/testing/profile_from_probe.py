"""A simulator profile from a probe profile: the local Tess behaves as the probed one."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from tess_openai.core.probe_profile import TessProfile
from tess_openai.testing.simulator_profile import OPENAI_ONLY_PARAMETERS, ContentKind, OrderRule, Profile

_ROLES: Final = {"role.developer": "developer", "role.tool": "tool"}
_CONTENT: Final[dict[str, ContentKind]] = {
    "content.text_parts": "text parts",
    "content.image_parts": "other parts",
    "content.empty": "empty",
}
_ORDER: Final[dict[str, OrderRule]] = {
    "messages.neighbours": "paired",
    "messages.two_systems": "one system",
    "messages.system_later": "system first",
    "messages.assistant_last": "user last",
}


def to_simulator_profile(proven: TessProfile) -> Profile:
    """Return the strict profile with the answers of the probe."""
    strict = Profile.strict()
    fields = frozenset({"root_id", "file_ids", *OPENAI_ONLY_PARAMETERS})
    types = (proven.refuses("temperature.number"), proven.refuses("temperature.string"))
    missing, malformed = (proven.statuses.get(f"workspace.{case}") for case in ("missing", "malformed"))
    has_usage = "completion" in proven.shapes and "usage" in proven.shapes["completion"]
    return replace(
        strict,
        ignored_parameters=frozenset(name for name in fields if proven.accepts(name)),
        refused_parameters=frozenset(name for name in fields if proven.refuses(name)),
        roles=strict.roles | {role for name, role in _ROLES.items() if proven.accepts(name)},
        content=strict.content | {kind for name, kind in _CONTENT.items() if proven.accepts(name)},
        message_order=frozenset(rule for name, rule in _ORDER.items() if proven.refuses(name)),
        message_keys="ignored" if proven.accepts("messages.name") else strict.message_keys,
        nulls="absent" if proven.accepts("null") else strict.nulls,
        tools="ignored" if proven.accepts("tools.list") else strict.tools,
        temperature="free" if proven.accepts("temperature.between") else strict.temperature,
        temperature_types="strings" if types[0] else "numbers" if types[1] else strict.temperature_types,
        without_system="times out" if proven.statuses.get("messages.without_system") == 524 else "answered",
        workspace_header="optional" if missing == 200 else strict.workspace_header,
        malformed_workspace_status=400 if malformed == 400 else 422,
        auth_error="documented" if proven.statuses.get("key.wrong") == 403 else strict.auth_error,
        error_dialect="documented" if "messages" in proven.shapes.get("error", ()) else strict.error_dialect,
        completion_usage=has_usage,
        stream_usage="last chunk" if "usage" in proven.shapes.get("chunk", ()) else strict.stream_usage,
        completion="minimal" if _lacks_id(proven, "completion") else strict.completion,
        chunks="minimal" if _lacks_id(proven, "chunk") else strict.chunks,
    )


def _lacks_id(proven: TessProfile, shape: str) -> bool:
    return shape in proven.shapes and "id" not in proven.shapes[shape]
