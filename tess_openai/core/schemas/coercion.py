"""Converts values to the types that a schema asks for, where only one reading is possible.

A value that follows its schema is never coerced. For a value that does not, each possible reading is tried,
and the value is replaced only if exactly one reading follows the schema. Coercion changes the form of a value
and never its meaning: `"5"` becomes `5` where a number is required, and nothing is invented.

A part that cannot be checked, for example because the budget is spent, has no known problem: such a value
counts as one that follows its schema, and is not coerced; such a reading counts as possible.

One thing is removed: an optional member that is null where its schema forbids null. Models write null for a
member that they leave out, as OpenAI's strict mode makes them do.

A key that differs only in case or punctuation from one missing property is renamed to it, where the schema
forbids the key or requires the property.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.lenient_json import read_leniently
from tess_openai.core.name_matching import bare_name, bare_names
from tess_openai.core.schemas.evaluation import Evaluation, Node, fits_types
from tess_openai.core.schemas.keywords import are_equal
from tess_openai.core.strict_json import UnreadableError, parse_number

_MAX_DEPTH: Final = 64
_STEPS_PER_VALUE: Final = 3
_CHARACTERS_PER_STEP: Final = 5
"""They are read in less than the time of a step: a character takes 0.02 to 0.15 microseconds (measured)."""
_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,19})(?:\.0{1,9})?")
_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,19})(?:\.[0-9]{1,40})?(?:[eE][+-]?[0-9]{1,2})?")
_BETWEEN_WORDS: Final = re.compile(r"(?<=[^\W\d_])[\s_-]+(?=[^\W_])")
"""White space, hyphens and underscores between two words, but not the sign of a number."""
_NOT_ONE_ITEM: Final = re.compile(
    r"[,;|\n\u3001\uff0c\uff1b]|\s(?:and|or|&|\+)\s|\A\s*(?:[\[{]|\Z)", re.IGNORECASE
)
"""What shows that a text may not be one item of a list: it may be several values, or none."""
_MAX_CHOICE_LENGTH: Final = 200
_MAX_BITS: Final = 300
"""The bits of the longest number that is converted to text, in time quadratic in its digits."""
_NULL_WORDS: Final = frozenset({"null", "none"})
_BOOLEANS: Final = {"true": True, "false": False}
_SCALARS: Final = frozenset({"integer", "number", "boolean", "null"})


@dataclass(slots=True)
class Coercion:
    """Coerces one value; its checks use the budget of the evaluation."""

    evaluation: Evaluation
    _known: dict[tuple[int, int], tuple[object, object]] = field(
        default_factory=dict[tuple[int, int], tuple[object, object]]
    )

    def coerce(self, node: Node, value: object, depth: int = 0) -> object:
        """Return the value converted to the schema; the value itself if no reading, or several, follow it."""
        key = (id(node), id(value))
        if (known := self._known.get(key)) is not None:
            return known[0]
        if (
            not self.evaluation.budget.spend(_STEPS_PER_VALUE)
            or depth > _MAX_DEPTH
            or self._has_no_known_problem(node, value)
        ):
            return value
        self._known[key] = value, value  # a schema that refers to itself for the same value changes nothing
        coerced = self._coerced(node, value, depth)
        self._known[key] = coerced, value
        return coerced

    def _coerced(self, node: Node, value: object, depth: int) -> object:
        for part in node.parts:
            value = self.coerce(part, value, depth + 1)
        for applies, part in node.conditional:
            if applies(self.evaluation, value).is_valid:
                value = self.coerce(part, value, depth + 1)
        for branches in node.alternatives:
            value = _only_reading(value, self._readings_of_branches(branches, value, depth))
        if node.choices is not None and self.evaluation.budget.spend(len(node.choices)):
            value = _only_reading(
                value, [choice for choice in node.choices if _differs_in_form_only(choice, value)]
            )
        types = node.types | {"null"} if node.types and node.allows_null else node.types
        if types and not fits_types(value, types) and self.evaluation.budget.spend(_reading_steps(value)):
            value = _only_reading(value, self._possible_readings(node, _readings(types, value), depth))
        if (members := to_object(value)) is not None:
            return self._coerce_members(node, members, depth)
        if (items := to_list(value)) is not None:
            return self._coerce_items(node, items, depth)
        return value

    def _has_no_known_problem(self, node: Node, value: object) -> bool:
        """Whether the check finds no problem with a value, or cannot tell."""
        return not self.evaluation.evaluate(node, value).problems

    def _possible_readings(self, node: Node, readings: Iterable[object], depth: int) -> Iterator[object]:
        """Coerce the readings, and yield those that then have no known problem."""
        for reading in readings:
            coerced = self.coerce(node, reading, depth + 1)
            if self._has_no_known_problem(node, coerced):
                yield coerced

    def _readings_of_branches(self, branches: Iterable[Node], value: object, depth: int) -> Iterator[object]:
        for branch in branches:
            yield from self._possible_readings(branch, [value], depth)

    def _coerce_members(self, node: Node, members: JSONObject, depth: int) -> JSONObject:
        if not self.evaluation.budget.spend(len(members)):
            return members
        coerced: JSONObject = {}
        for key, member in self._renamed(node, members).items():
            value = member
            for part in self._parts_for(node, key):
                value = self.coerce(part, value, depth + 1)
            is_optional = key in node.properties and key not in node.required
            # In OpenAI's strict mode all members are required, so models write null for one they leave out.
            if value is not None or not is_optional or self._has_no_known_problem(node.properties[key], None):
                coerced[key] = value
        return coerced

    def _parts_for(self, node: Node, key: str) -> list[Node]:
        """Return the schemas that apply to a member."""
        parts = [node.properties[key]] if key in node.properties else []
        parts += [part for pattern, part in node.patterns if self.evaluation.matches(pattern, key)]
        return parts or ([] if node.additional is None else [node.additional])

    def _coerce_items(self, node: Node, items: list[object], depth: int) -> list[object]:
        if not self.evaluation.budget.spend(len(items)):
            return items
        parts = [*node.prefix, *[node.items] * (len(items) - len(node.prefix))]
        coerced = [
            item if part is None else self.coerce(part, item, depth + 1)
            for item, part in zip(items, parts, strict=False)
        ]
        # For a list of lists, [1, 2] may be [[1], [2]] or [[1, 2]], and so may ["1", "2"].
        wrapped = [self.coerce(part, items, depth + 1) if part is not None else items for part in parts[:1]]
        is_unambiguous = not self._has_no_known_problem(node, wrapped) or are_equal(wrapped, coerced)
        return coerced if is_unambiguous else items

    def _renamed(self, node: Node, members: JSONObject) -> JSONObject:
        """Rename keys that differ only in case or punctuation from one missing property.

        A key is renamed where the schema forbids it, or where no part of the schema applies to it and the
        property is required.
        """
        missing = bare_names(key for key in node.properties if key not in members)
        if not missing or not self.evaluation.budget.spend(len(members) + len(node.properties)):
            return members
        corrected: dict[str, str] = {}
        for key in members:
            name = missing.get(bare_name(key))
            parts = self._parts_for(node, key)
            is_forbidden = any(part.is_false for part in parts) or (not parts and name in node.required)
            if name is not None and is_forbidden:
                corrected[key] = name
        counts = Counter(corrected.values())
        return {
            corrected[key] if counts[corrected.get(key, "")] == 1 else key: value
            for key, value in members.items()
        }


def root_types(node: Node, depth: int = 0) -> frozenset[str]:
    """Return the types of value that a schema allows; empty when it does not restrict them."""
    if node.types or depth > _MAX_DEPTH:
        return node.types
    for branches in ([part] for part in node.parts), node.alternatives:
        for choices in branches:
            types = [root_types(choice, depth + 1) for choice in choices]
            if all(types):
                return frozenset[str]().union(*types)
    return frozenset()


def _only_reading(value: object, readings: Iterable[object]) -> object:
    """Return the only distinct reading of a value; the value itself where there is none or more than one."""
    distinct: list[object] = []
    for reading in readings:
        if not any(are_equal(reading, other) for other in distinct):
            distinct.append(reading)
    return distinct[0] if len(distinct) == 1 else value


def _reading_steps(value: object) -> int:
    """Return how many steps it costs to try the readings of a value."""
    return len(value) // _CHARACTERS_PER_STEP if isinstance(value, str) else 0


def _readings(types: frozenset[str], value: object) -> list[object]:
    """Return the possible readings of a value as one of the types."""
    if value is None:
        return []
    if not isinstance(value, str):
        is_whole = isinstance(value, int) and not isinstance(value, bool) and value.bit_length() <= _MAX_BITS
        as_string: list[object] = [str(value)] if is_whole and "string" in types else []
        return [*as_string, [value]] if "array" in types else as_string
    readings = [*_scalar_readings(types, value.strip())]
    readings += _parsed_string(value.strip(), types)
    if "array" in types and value.strip().lower() not in _NULL_WORDS and not _NOT_ONE_ITEM.search(value):
        readings.append([value])
    return readings


def _scalar_readings(types: frozenset[str], text: str) -> Iterator[object]:
    """Yield the numbers, booleans and null that a text may stand for."""
    if {"integer", "number"} & types and _INTEGER.fullmatch(text):
        yield int(text.partition(".")[0])
    elif "number" in types and _NUMBER.fullmatch(text):
        yield parse_number(text)
    if "boolean" in types and text.lower() in _BOOLEANS:
        yield _BOOLEANS[text.lower()]
    if "null" in types and text.lower() in _NULL_WORDS:
        yield None


def _parsed_string(text: str, types: frozenset[str]) -> list[object]:
    """Return the object or array that was written as a string, if the text is one."""
    containers = types & {"object", "array"}
    if not containers or not text.startswith(("{", "[")):
        return []
    try:
        parsed = read_leniently(text)
    except UnreadableError:
        return []
    is_clear = parsed.is_whole and not parsed.holds_raw_text and not text[parsed.end :].strip()
    return [parsed.value] * (is_clear and fits_types(parsed.value, containers))


def _differs_in_form_only(choice: object, value: object) -> bool:
    """Whether a value differs from a choice of `enum` or `const` only in its form."""
    if isinstance(value, str):
        if isinstance(choice, str):
            return _normalised(choice) == _normalised(value)
        return any(are_equal(choice, each) for each in _scalar_readings(_SCALARS, value.strip()))
    if isinstance(choice, str) and isinstance(value, int) and value.bit_length() <= _MAX_BITS:
        return choice == (str(value) if not isinstance(value, bool) else str(value).lower())
    return False


def _normalised(text: str) -> str:
    """Return a text in lower case, with one space between its words; a long text is not changed."""
    return (
        " ".join(_BETWEEN_WORDS.sub(" ", text.casefold()).split())
        if len(text) <= _MAX_CHOICE_LENGTH
        else text
    )
