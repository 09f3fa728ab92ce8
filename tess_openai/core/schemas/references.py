"""Resolves the references within one JSON Schema; nothing is ever fetched."""

from __future__ import annotations

import re
from collections import Counter
from typing import Final
from urllib.parse import unquote, urljoin

from tess_openai.core.jsons import JSONObject, to_list, to_object

_LITERALS: Final = frozenset({"enum", "const", "default", "examples"})
_MAX_POINTER_PARTS: Final = 100
_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,8}")


class References:
    """Finds the parts of one schema to which references point: by JSON pointer, `$id` or anchor.

    Args:
        root: The whole schema, in which no dict is used at two places.
        draft: 3 to 7; 8 for all later drafts.
    """

    def __init__(self, root: JSONObject, draft: int) -> None:
        self._draft = draft
        self._dynamic: Counter[str] = Counter()
        self._documents: dict[str, JSONObject] = {"": root}
        self._anchors: dict[tuple[str, str], JSONObject] = {}
        self._bases: dict[int, str] = {}
        pending: list[tuple[object, str]] = [(root, "")]
        while pending:
            part, base = pending.pop()
            members = to_object(part)
            if members is None:
                pending.extend((item, base) for item in to_list(part) or [])
                continue
            inner_base = self._register(members, base)
            self._bases[id(members)] = inner_base
            pending.extend((member, inner_base) for key, member in members.items() if key not in _LITERALS)

    def _register(self, schema: JSONObject, base: str) -> str:
        """Register the names of a part; return the base URL for the references in it."""
        if self._draft <= 7 and isinstance(schema.get("$ref"), str):
            return base  # in these drafts, other keywords next to a reference are ignored
        identifier: object = schema.get("id" if self._draft <= 4 else "$id")
        dynamic: object = schema.get("$dynamicAnchor")
        anchors: list[object] = [schema.get("$anchor"), dynamic]
        self._dynamic.update([dynamic] if isinstance(dynamic, str) else [])
        if isinstance(identifier, str):
            document, _, anchor = identifier.partition("#")
            anchors.append(anchor)
            if document:
                base = _resolve_url(base, document)
                self._documents[base] = schema
        for name in anchors:
            if isinstance(name, str) and name:
                self._anchors[base, name] = schema
        return base

    def is_dynamic(self, keyword: str, reference: str) -> bool:
        """Whether the target of a reference may depend on the schemas that were evaluated before it."""
        if keyword == "$recursiveRef":
            return len(set(map(id, self._documents.values()))) > 1
        return self._dynamic[reference.rpartition("#")[2]] > 1 or reference.startswith("#/")

    def target(self, reference: str, schema: JSONObject) -> object:
        """Return the part to which a reference in a schema points; None when there is no such part."""
        base = self._bases.get(id(schema), "")
        if reference.startswith("#"):
            document, place = base, reference[1:]
        else:
            document, _, place = _resolve_url(base, reference).partition("#")
        place = unquote(place)
        if place and not place.startswith("/"):
            return self._anchors.get((document, place))
        return _part_at(self._documents.get(document), place.split("/")[1:])


def _resolve_url(base: str, reference: str) -> str:
    try:
        return urljoin(base, reference) or reference
    except ValueError:  # brackets without a valid address
        return reference


def _part_at(whole: object, steps: list[str]) -> object:
    """Return the part at the end of a JSON pointer; None when there is none, or the pointer is too long."""
    if len(steps) > _MAX_POINTER_PARTS:
        return None
    for step in steps:
        items = to_list(whole)
        if items is None:
            whole = (to_object(whole) or {}).get(step.replace("~1", "/").replace("~0", "~"))
        else:
            is_there = _INDEX.fullmatch(step) is not None and int(step) < len(items)
            whole = items[int(step)] if is_there else None
    return whole
