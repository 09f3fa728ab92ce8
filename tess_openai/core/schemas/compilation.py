"""Compiles JSON Schemas; keywords that cannot be checked are left out, and all others are checked.

Schemas come from generators, from tool servers and from people: with patterns in another language's syntax,
keywords of an older draft, references without a target. One such mistake must not switch off the check of a
function that, for example, makes a payment.

Source: JSON Schema 2020-12, core and validation, and the earlier drafts where they differ; OpenAPI 3.0 for
`nullable` (documented).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from tess_openai.core.jsons import JSONObject, to_list, to_object
from tess_openai.core.schemas.applicators import APPLICATORS
from tess_openai.core.schemas.child_keywords import CHILD_KEYWORDS, NAMES_PER_STEP, item_check, member_check
from tess_openai.core.schemas.evaluation import (
    MAX_STEPS,
    UNKNOWN,
    VALID,
    Check,
    Evaluation,
    Node,
    Pattern,
    SchemaVerdict,
    fail,
    shown,
    type_names,
)
from tess_openai.core.schemas.keywords import (
    RULES,
    UnusableError,
    is_number,
    names_of,
    require_members,
    rule_check,
    unique_items,
    weight,
)
from tess_openai.core.schemas.references import References

PatternCompiler: TypeAlias = Callable[[str], "Pattern | None"]

_TOO_LARGE: Final = "parts of a schema that is too large"
_MAX_DEPTH: Final = 100
_MAX_NODES: Final = 2_000
"""Compiling one node takes some twenty microseconds."""
_DRAFT: Final = re.compile(r"draft-0([3-7])/")
_TYPE_KEYWORDS: Final = frozenset({"type", "enum", "const", "$ref", "allOf", "anyOf", "oneOf", "not", "if"})
_APPLICATORS: Final = {**APPLICATORS, **CHILD_KEYWORDS}
_NEEDED_FOR_UNEVALUATED: Final = frozenset(_APPLICATORS) - {"not", "propertyNames", "dependentRequired"}
"""If one of these keywords cannot be checked, it is unknown which members and items the schema evaluates."""


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A schema that values can be checked against.

    Attributes:
        root: The schema itself.
        unchecked_keywords: The keywords that cannot be checked, such as `"pattern"`, and descriptions of
            other parts that cannot be checked.
    """

    root: Node
    unchecked_keywords: frozenset[str]


def _unknown(_: Evaluation, __: object) -> SchemaVerdict:
    return UNKNOWN


UNCHECKED: Final = CompiledSchema(Node((_unknown,), is_partial=True), frozenset({_TOO_LARGE}))
"""A schema of which nothing is checked."""


def compile_schema(schema: JSONObject, compile_pattern: PatternCompiler) -> CompiledSchema:
    """Compile a schema; `$schema` is read at the root only.

    No dict may be used at two places of the schema, since its parts are distinguished by their identity.
    """
    draft = schema.get("$schema")
    found = _DRAFT.search(draft) if isinstance(draft, str) else None
    compiler = _SchemaCompiler(schema, compile_pattern, 8 if found is None else int(found[1]))
    root = compiler.node(schema)
    return CompiledSchema(root, frozenset(compiler.unchecked_keywords))


@dataclass(slots=True)
class _SchemaCompiler:
    """Compiles the parts of one schema.

    Attributes:
        draft: 3 to 7; 8 for all later drafts.
    """

    root: JSONObject
    compile_pattern: PatternCompiler
    draft: int
    unchecked_keywords: set[str] = field(default_factory=set[str])
    nodes: dict[int, Node] = field(default_factory=dict[int, Node])
    depth: int = 0
    references: References | None = None

    def node(self, schema: object) -> Node:
        """Return the compiled form of a value that should be a schema."""
        members = to_object(schema)
        if members is None:
            if isinstance(schema, bool):
                return Node() if schema else Node((_false,), is_false=True)
            self.unchecked_keywords.add("a part that is no schema")
            return UNCHECKED.root
        if (known := self.nodes.get(id(members))) is not None:
            return known
        if self.depth > _MAX_DEPTH or len(self.nodes) >= _MAX_NODES:
            self.unchecked_keywords.add(_TOO_LARGE)
            return UNCHECKED.root
        node = self.nodes[id(members)] = Node(allows_null=_allows_null(members))
        self.depth += 1
        checks: list[Check] = []
        for keyword, argument in self._keywords(members).items():
            try:
                check = self._check(keyword, argument, members, node)
            except UnusableError:
                self.unchecked_keywords.add(keyword)
                node.is_partial |= keyword in _NEEDED_FOR_UNEVALUATED
                check = _unknown
            if check is not None:
                checks.append(check)
        self.depth -= 1
        if node.properties or node.patterns or node.additional is not None:
            node.cost += len(node.properties) // NAMES_PER_STEP
            checks.append(member_check(node))
        if node.prefix or node.items is not None:
            checks.append(item_check(node))
        node.checks = tuple(checks)
        return node

    def target(self, keyword: str, reference: object, schema: JSONObject) -> Node:
        """Return the compiled schema that a reference points to."""
        if not isinstance(reference, str):
            raise UnusableError
        if self.references is None:
            self.references = References(self.root, self.draft)
        target = self.references.target(reference, schema)
        is_known = keyword == "$ref" or not self.references.is_dynamic(keyword, reference)
        if not is_known or not (isinstance(target, bool) or to_object(target) is not None):
            raise UnusableError
        return self.node(target)

    def _keywords(self, schema: JSONObject) -> JSONObject:
        """Return the keywords that apply, with exclusive bounds in the form of draft 2020-12."""
        if self.draft <= 7 and isinstance(schema.get("$ref"), str):  # these drafts ignore all other keywords
            return {"$ref": schema["$ref"]}
        keywords = schema
        for bound, exclusive in ("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum"):
            is_exclusive = schema.get(exclusive)  # a boolean in draft 4 and OpenAPI 3.0
            if isinstance(is_exclusive, bool) and is_number(schema.get(bound)):
                keywords = {key: each for key, each in keywords.items() if key not in {bound, exclusive}}
                keywords[exclusive if is_exclusive else bound] = schema[bound]
        return keywords

    def _check(self, keyword: str, argument: object, schema: JSONObject, node: Node) -> Check | None:
        if (apply := _APPLICATORS.get(keyword)) is not None:
            return apply(self, argument, schema, node)
        if keyword in RULES:
            _keep_for_coercion(node, keyword, argument)
            return rule_check(keyword, argument)
        if keyword == "required":
            names = names_of(argument)
            node.required = frozenset(names)
            node.cost += len(names) // NAMES_PER_STEP
            return lambda _, value: require_members(value, names, "is a required property")
        if keyword == "pattern":
            return self._pattern_check(argument)
        if keyword == "$id" and not isinstance(argument, str):
            raise UnusableError
        return unique_items if keyword == "uniqueItems" and argument is True else None

    def _pattern_check(self, argument: object) -> Check:
        pattern = self.compile_pattern(argument) if isinstance(argument, str) else None
        if pattern is None:
            raise UnusableError

        def check(evaluation: Evaluation, value: object) -> SchemaVerdict:
            matches = not isinstance(value, str) or evaluation.matches(pattern, value)
            if matches is None:
                return UNKNOWN
            return VALID if matches else fail("pattern", f"{shown(value)} does not match {shown(argument)}")

        return check


def _keep_for_coercion(node: Node, keyword: str, argument: object) -> None:
    """Keep the argument of a keyword that coercion needs."""
    if keyword == "type":
        node.types = type_names(argument)
    elif keyword == "const":
        node.choices = [argument]
    elif keyword == "enum":
        node.choices = to_list(argument)
        node.cost += weight(argument, MAX_STEPS) // NAMES_PER_STEP


def _allows_null(schema: JSONObject) -> bool:
    """Whether a schema is nullable, itself or in a part of `allOf` that does not restrict types.

    Source: OpenAPI 3.0, `nullable` (documented); Swagger 2, the extension `x-nullable` (observed).
    """
    parts = [part for part in map(to_object, to_list(schema.get("allOf")) or []) if part is not None]
    untyped = [schema, *(part for part in parts if _TYPE_KEYWORDS.isdisjoint(part))]
    return any(whole.get(key) is True for whole in untyped for key in ("nullable", "x-nullable"))


def _false(_: Evaluation, value: object) -> SchemaVerdict:
    return fail("false", f"{shown(value)} is not allowed here")
