"""The keywords of JSON Schema that apply further schemas to the value itself, not to its members or items.

Each function compiles the argument of its keyword and returns the check.

Source: JSON Schema 2020-12, core, section 10.2 (documented).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, Protocol, TypeAlias

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.schemas.evaluation import (
    UNKNOWN,
    VALID,
    Check,
    Evaluation,
    Node,
    Pattern,
    Problem,
    SchemaVerdict,
    combine,
    fail,
    shown,
)
from tess_openai.core.schemas.keywords import UnusableError, names_of, require_members

_MAX_MESSAGES: Final = 3
_MAX_MESSAGE_LENGTH: Final = 300


class Compiler(Protocol):
    """The methods of the compiler that the functions of this module use."""

    def node(self, schema: object) -> Node:
        """Return the compiled form of a value that should be a schema."""
        ...

    def target(self, keyword: str, reference: object, schema: JSONObject) -> Node:
        """Return the compiled schema that a reference points to.

        Raises:
            UnusableError: There is no such schema, or it depends on the schemas that were evaluated before.
        """
        ...

    def compile_pattern(self, text: str, /) -> Pattern | None:
        """Compile a pattern; None when it cannot be checked."""
        ...


Applicator: TypeAlias = Callable[[Compiler, Any, JSONObject, Node], "Check | None"]
"""Compiles a keyword, given its argument, the schema that contains it, and the node to fill.

It returns the check of the keyword, or None when another check reads what it put into the node.
"""


def nodes_of(compiler: Compiler, argument: object) -> list[Node]:
    """Return the compiled schemas of a list that must not be empty.

    Raises:
        UnusableError: It is not a list, or it is empty.
    """
    if not (schemas := to_list(argument)):
        raise UnusableError
    return [compiler.node(schema) for schema in schemas]


def _reference(keyword: str) -> Applicator:
    def apply(compiler: Compiler, argument: object, schema: JSONObject, node: Node) -> Check:
        target = compiler.target(keyword, argument, schema)
        node.parts = (*node.parts, target)
        return lambda evaluation, value: evaluation.evaluate(target, value)

    return apply


def _all_of(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> Check:
    parts = nodes_of(compiler, argument)
    node.parts = (*node.parts, *parts)
    return lambda evaluation, value: combine(evaluation.evaluate(part, value) for part in parts)


def _any_of(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> Check:
    branches = nodes_of(compiler, argument)
    node.alternatives = (*node.alternatives, branches)

    def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
        verdicts: list[SchemaVerdict] = []
        for branch in branches:
            verdicts.append(evaluation.evaluate(branch, value))
            if verdicts[-1].is_valid:
                return VALID
        return _no_branch_is_valid(evaluation, "anyOf", value, verdicts)

    return check


def _one_of(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> Check:
    branches = nodes_of(compiler, argument)
    node.alternatives = (*node.alternatives, branches)

    def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
        verdicts = [evaluation.evaluate(branch, value) for branch in branches]
        valid = sum(verdict.is_valid for verdict in verdicts)
        if valid > 1:
            return fail("oneOf", f"{shown(value)} is valid under {valid} of the schemas of oneOf, not one")
        if valid == 1:
            return VALID if all(each.is_valid or each.problems for each in verdicts) else UNKNOWN
        return _no_branch_is_valid(evaluation, "oneOf", value, verdicts)

    return check


def _no_branch_is_valid(
    evaluation: Evaluation, keyword: str, value: object, verdicts: list[SchemaVerdict]
) -> SchemaVerdict:
    """Return the verdict when no branch is certainly valid.

    It has the problems of the branch that the value seems to belong to, or one problem that lists several
    branches.
    """
    if not evaluation.budget.spend(len(verdicts)) or not all(verdict.problems for verdict in verdicts):
        return UNKNOWN
    likely = [verdict for verdict in verdicts if not any(map(_shows_other_branch, verdict.problems))]
    if len(likely) == 1:
        return likely[0]
    messages = list(dict.fromkeys(str(verdict.problems[0]) for verdict in likely or verdicts))
    listed = "; or ".join(messages[:_MAX_MESSAGES]) + "; ..." * (len(messages) > _MAX_MESSAGES)
    return fail(
        keyword,
        f"{shown(value)} is valid under none of the schemas of {keyword}: {listed[:_MAX_MESSAGE_LENGTH]}",
    )


def _shows_other_branch(problem: Problem) -> bool:
    """Whether a problem, a wrong type or constant, shows that the value does not belong to this branch."""
    return (problem.keyword == "type" and not problem.path) or (
        problem.keyword == "const" and len(problem.path) < 2
    )


def _not(compiler: Compiler, argument: object, _: JSONObject, __: Node) -> Check:
    return _fails(compiler.node(argument))


def _fails(part: Node) -> Check:
    def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
        verdict = evaluation.evaluate(part, value)
        if verdict.is_valid:
            return fail("not", f"{shown(value)} is what the schema of not forbids")
        return VALID if verdict.problems else UNKNOWN

    return check


def _if(compiler: Compiler, argument: object, schema: JSONObject, node: Node) -> Check:
    condition = compiler.node(argument)
    then, otherwise = (compiler.node(schema.get(key, True)) for key in ("then", "else"))

    def holds(evaluation: Evaluation, value: object) -> SchemaVerdict:
        return evaluation.evaluate(condition, value)

    branches = ((holds, condition), (holds, then), (_fails(condition), otherwise))
    node.conditional = (*node.conditional, *branches)

    def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
        verdict = evaluation.evaluate(condition, value)
        if not verdict.is_valid and not verdict.problems:
            return UNKNOWN
        return evaluation.evaluate(then if verdict.is_valid else otherwise, value)

    return check


def _dependencies(compiler: Compiler, argument: object, _: JSONObject, node: Node) -> Check:
    """Compile `dependentSchemas`, `dependentRequired`, or `dependencies`, which was both until draft 7."""
    if (dependents := to_object(argument)) is None:
        raise UnusableError
    names = {key: names_of(each) for key, each in dependents.items() if to_list(each) is not None}
    parts = {key: compiler.node(each) for key, each in dependents.items() if key not in names}

    def has(name: str) -> Check:
        return lambda _, value: VALID if name in (to_object(value) or {}) else fail("dependencies", "absent")

    node.conditional = (*node.conditional, *((has(name), part) for name, part in parts.items()))
    node.cost += len(dependents)

    def verdicts(evaluation: Evaluation, members: JSONObject) -> Iterator[SchemaVerdict]:
        for name in dependents.keys() & members.keys():
            if name in names:
                yield require_members(members, names[name], f"is required with {name!r}")
            else:
                yield evaluation.evaluate(parts[name], members)

    return lambda evaluation, value: combine(verdicts(evaluation, to_object(value) or {}))


APPLICATORS: Final[dict[str, Applicator]] = {
    "$ref": _reference("$ref"),
    "$dynamicRef": _reference("$dynamicRef"),
    "$recursiveRef": _reference("$recursiveRef"),
    "allOf": _all_of,
    "anyOf": _any_of,
    "oneOf": _one_of,
    "not": _not,
    "if": _if,
    "dependentSchemas": _dependencies,
    "dependentRequired": _dependencies,
    "dependencies": _dependencies,
}
