"""The keywords of JSON Schema that apply schemas to members and items.

Source: JSON Schema 2020-12, core, section 10.3 (documented).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.schemas.applicators import Applicator, Compiler, nodes_of
from tess_openai.core.schemas.evaluation import (
    MAX_PROBLEMS,
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
from tess_openai.core.schemas.keywords import UnusableError, is_number
from tess_openai.core.schemas.unevaluated import rest_verdict, unevaluated_check

NAMES_PER_STEP: Final = 8
"""How many names are looked up, or items are walked through, for one step of the budget."""


def _named_nodes(compiler: Compiler, argument: object) -> dict[str, Node]:
    if (schemas := to_object(argument)) is None:
        raise UnusableError
    return {name: compiler.node(schema) for name, schema in schemas.items()}


def _properties(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> None:
    if to_object(argument) is None:  # then it is unknown which members another keyword applies to
        node.patterns = (*node.patterns, (None, Node()))
    node.properties = _named_nodes(compiler, argument)


def _pattern_properties(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> None:
    # if the argument is no object, a pattern that cannot be compiled makes all members uncertain
    parts = {"(": Node()} if to_object(argument) is None else _named_nodes(compiler, argument)
    compiled = ((compiler.compile_pattern(text), part) for text, part in parts.items())
    node.patterns = (*node.patterns, *compiled)
    if any(pattern is None for pattern, _ in node.patterns):
        raise UnusableError


def _additional_properties(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> None:
    node.additional = compiler.node(argument)


def member_check(node: Node) -> Check:
    """Return the check of `properties`, `patternProperties` and `additionalProperties` together."""
    checks_other_members = bool(node.patterns) or node.additional is not None

    def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
        members = to_object(value) or {}
        named = VALID
        for name, part in node.properties.items():
            if name not in members:
                continue
            verdict = evaluation.evaluate_child(part, members[name], name)
            if verdict is not VALID:
                named = combine((named, verdict))
                if len(named.problems) >= MAX_PROBLEMS:
                    break
        return (
            combine((named, *_other_verdicts(evaluation, node, members))) if checks_other_members else named
        )

    return check


def _other_verdicts(evaluation: Evaluation, node: Node, members: JSONObject) -> Iterator[SchemaVerdict]:
    """Yield the verdicts on members that match a pattern, and on those that `additionalProperties` covers."""
    if not evaluation.budget.spend(len(members) // NAMES_PER_STEP):
        yield UNKNOWN
        return
    rest: list[str] = []
    for name, value in members.items():
        is_named = name in node.properties
        for pattern, part in node.patterns:
            is_match = evaluation.matches(pattern, name)
            if is_match is not False:
                is_named = True
                yield UNKNOWN if is_match is None else evaluation.evaluate_child(part, value, name)
        if not is_named:
            rest.append(name)
    if node.additional is not None:
        yield rest_verdict(evaluation, node.additional, members, rest, "Additional properties")


def _property_names(compiler: Compiler, argument: object, _: JSONObject, __: Node) -> Check:
    part = compiler.node(argument)
    return lambda evaluation, value: combine(
        evaluation.evaluate_child(part, name, name) for name in to_object(value) or {}
    )


def _prefix_items(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> None:
    node.prefix = nodes_of(compiler, argument)


def _items(compiler: Compiler, argument: object, schema: JSONObject, node: Node) -> None:
    if (items := to_list(argument)) is not None:  # as `prefixItems` was written until draft 2019-09
        node.prefix = nodes_of(compiler, items) if items else []
    elif not isinstance(schema.get("prefixItems", []), list):  # it is unknown where the other items begin
        raise UnusableError
    else:
        node.items = compiler.node(argument)


def _additional_items(compiler: Compiler, argument: object, schema: JSONObject, node: Node) -> None:
    if isinstance(schema.get("items"), list):
        node.items = compiler.node(argument)


def item_check(node: Node) -> Check:
    """Return the check of `prefixItems` and `items` together."""

    def verdicts(evaluation: Evaluation, items: list[object]) -> Iterator[SchemaVerdict]:
        if not evaluation.budget.spend(len(items) // NAMES_PER_STEP):
            yield UNKNOWN
            return
        for index, item in enumerate(items):
            part = node.prefix[index] if index < len(node.prefix) else node.items
            if part is None:
                return
            yield evaluation.evaluate_child(part, item, index)

    return lambda evaluation, value: combine(verdicts(evaluation, to_list(value) or []))


def _contains(compiler: Compiler, argument: object, schema: JSONObject, node: Node) -> Check | None:
    minimum, maximum = schema.get("minContains", 1), schema.get("maxContains", float("inf"))
    part = node.contains = compiler.node(argument)
    if not is_number(minimum) or not is_number(maximum):  # `_contains_bound` makes the verdict unknown
        return None

    def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
        items = to_list(value)
        if items is None:
            return VALID
        verdicts = [evaluation.evaluate(part, item) for item in items]
        valid = sum(verdict.is_valid for verdict in verdicts)
        possible = sum(not verdict.problems for verdict in verdicts)
        if possible < minimum or valid > maximum:
            amount = "few" if possible < minimum else "many"
            return fail(
                "contains", f"{shown(items)} has too {amount} items that match the schema of contains"
            )
        return VALID if valid >= minimum and possible <= maximum else UNKNOWN

    return check


def _contains_bound(_: Compiler, argument: object, __: JSONObject, ___: Node) -> None:
    if not is_number(argument):
        raise UnusableError


def _unevaluated(kind: type) -> Applicator:
    def apply(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> Check:
        node.evaluates_rest = True
        return unevaluated_check(node, compiler.node(argument), kind)

    return apply


CHILD_KEYWORDS: Final[dict[str, Applicator]] = {
    "properties": _properties,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "propertyNames": _property_names,
    "prefixItems": _prefix_items,
    "items": _items,
    "additionalItems": _additional_items,
    "contains": _contains,
    "minContains": _contains_bound,
    "maxContains": _contains_bound,
    "unevaluatedProperties": _unevaluated(dict),
    "unevaluatedItems": _unevaluated(list),
}
