"""`unevaluatedProperties` and `unevaluatedItems`, for members and items that no other keyword evaluates.

Source: JSON Schema 2020-12, core, section 11 (documented).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

from tess_openai.core.jsons import JSONObject
from tess_openai.core.schemas.evaluation import (
    UNKNOWN,
    VALID,
    Check,
    Evaluation,
    Node,
    SchemaVerdict,
    combine,
    fail,
    shown,
)

_MAX_DEPTH: Final = 50
"""The deepest nesting of schemas that apply to the same value."""
_Container: TypeAlias = "JSONObject | list[Any]"


def rest_verdict(
    evaluation: Evaluation, part: Node, given: _Container, rest: Sequence[Any], subject: str
) -> SchemaVerdict:
    """Return the verdict on the members or items of `given` whose keys or indices are in `rest`."""
    if rest and part.is_false:
        listed = ", ".join(map(shown, rest[:3])) + ", ..." * (len(rest) > 3)
        were = "was" if len(rest) == 1 else "were"
        return fail("additionalProperties", f"{subject} are not allowed ({listed} {were} unexpected)")
    return combine(evaluation.evaluate_child(part, given[step], step) for step in rest)


def unevaluated_check(node: Node, part: Node, kind: type) -> Check:
    """Return the check of the members or items that no other keyword has evaluated."""
    subject = "Unevaluated properties" if kind is dict else "Unevaluated items"

    def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
        if not isinstance(value, kind):
            return VALID
        given: _Container = value  # type: ignore[assignment]  # a dict or a list, by its kind
        evaluated, is_sure = _evaluated(evaluation, node, given)
        rest = [step for step in _keys_or_indices(given) if step not in evaluated]
        verdict = rest_verdict(evaluation, part, given, rest, subject)
        return verdict if is_sure else combine((verdict, UNKNOWN))

    return check


def _keys_or_indices(given: _Container) -> list[Any]:
    return list(given if isinstance(given, dict) else range(len(given)))


def _evaluated(
    evaluation: Evaluation, node: Node, given: _Container, depth: int = 0
) -> tuple[set[Any], bool]:
    """Return the keys or indices that a schema has evaluated, and whether this is certain."""
    everything = set(_keys_or_indices(given))
    if not evaluation.budget.spend(1 + len(everything) // 8) or depth > _MAX_DEPTH or node.is_partial:
        return everything, False
    if (node.additional if isinstance(given, dict) else node.items) is not None:
        return everything, True
    if node.evaluates_rest and depth:  # at depth 0 it is the keyword that is being checked
        return everything, True
    if isinstance(given, dict):
        evaluated, is_sure = _evaluated_members(evaluation, node, given)
    else:
        evaluated, is_sure = _evaluated_items(evaluation, node, given)
    for part, verdict in _applied(evaluation, node, given):
        if not verdict.problems:
            more, is_sure_of_more = _evaluated(evaluation, part, given, depth + 1)
            evaluated |= more
            is_sure &= is_sure_of_more and verdict.is_sure
    return evaluated, is_sure


def _evaluated_members(evaluation: Evaluation, node: Node, given: JSONObject) -> tuple[set[Any], bool]:
    matches = [(name, evaluation.matches(pattern, name)) for pattern, _ in node.patterns for name in given]
    matched = {name for name, is_match in matches if is_match is not False}
    return matched | (given.keys() & node.properties.keys()), all(match is not None for _, match in matches)


def _evaluated_items(evaluation: Evaluation, node: Node, given: list[Any]) -> tuple[set[Any], bool]:
    evaluated = set(range(min(len(node.prefix), len(given))))
    if node.contains is None:
        return evaluated, True
    verdicts = [evaluation.evaluate(node.contains, item) for item in given]
    matched = {index for index, verdict in enumerate(verdicts) if not verdict.problems}
    return evaluated | matched, all(verdict.is_sure or verdict.problems for verdict in verdicts)


def _applied(evaluation: Evaluation, node: Node, given: object) -> Iterator[tuple[Node, SchemaVerdict]]:
    """Yield the schemas for the same value, each with the verdict that decides whether it applies."""
    for part in node.parts:
        yield part, VALID
    for part in (branch for branches in node.alternatives for branch in branches):
        yield part, evaluation.evaluate(part, given)
    for decide, part in node.conditional:
        yield part, decide(evaluation, given)
