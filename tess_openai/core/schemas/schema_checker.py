"""Checks the values of one answer against JSON Schemas, and caches the compiled schemas."""

from __future__ import annotations

import functools
import json
from dataclasses import dataclass, field
from typing import Final

from tess_openai.core.jsons import JSONObject
from tess_openai.core.schemas.coercion import Coercion, root_types
from tess_openai.core.schemas.compilation import (
    UNCHECKED,
    CompiledSchema,
    PatternCompiler,
    compile_schema,
)
from tess_openai.core.schemas.evaluation import Budget, Evaluation

_MAX_SCHEMAS: Final = 64
_MAX_LENGTH: Final = 250_000
"""Characters of the longest schema that is checked."""


class SchemaCache:
    """Caches the compiled schemas of one client that were used most recently.

    Args:
        compile_pattern: Compiles a pattern; None when no library for that is installed.
    """

    def __init__(self, compile_pattern: PatternCompiler | None = None) -> None:
        self._compile_pattern = _no_pattern if compile_pattern is None else compile_pattern
        self.checks_patterns = compile_pattern is not None
        self._cached = functools.lru_cache(_MAX_SCHEMAS)(self._compile)

    def compiled(self, schema: JSONObject) -> CompiledSchema:
        """Return the compiled form of a schema."""
        try:
            text = json.dumps(schema)
        except RecursionError:
            return UNCHECKED
        return self._cached(text) if len(text) <= _MAX_LENGTH else UNCHECKED

    def checker(self) -> SchemaChecker:
        """Return a checker for one answer."""
        return SchemaChecker(self)

    def _compile(self, text: str) -> CompiledSchema:
        return compile_schema(json.loads(text), self._compile_pattern)


def _no_pattern(_: str) -> None:
    """Compile no pattern."""


@dataclass(slots=True)
class SchemaChecker:
    """Checks the values of one answer, within one budget for all checks.

    Attributes:
        is_incomplete: Whether the budget, or the call stack, ended before everything was checked.
    """

    _cache: SchemaCache
    _budget: Budget = field(default_factory=Budget)
    _compiled: dict[int, tuple[CompiledSchema, JSONObject]] = field(
        default_factory=dict[int, tuple[CompiledSchema, JSONObject]]
    )
    is_incomplete: bool = False

    def check(self, schema: JSONObject, value: object) -> list[str]:
        """Return the problems of a value, one clause each, at most five; empty when there is none."""
        return self._clauses(Evaluation(self._budget), self._schema(schema), value)

    def validate_and_coerce(self, schema: JSONObject, value: object) -> tuple[object, list[str]]:
        """Return the value, coerced where that is necessary and possible, and its remaining problems.

        If the budget ends meanwhile, return the value itself and its problems.
        """
        compiled, evaluation = self._schema(schema), Evaluation(self._budget)
        clauses = self._clauses(evaluation, compiled, value)
        if not clauses:
            return value, clauses
        try:
            coerced = Coercion(evaluation).coerce(compiled.root, value)
        except RecursionError:
            return value, clauses
        remaining = self._clauses(evaluation, compiled, coerced)
        return (value, clauses) if self.is_incomplete else (coerced, remaining)

    def root_types(self, schema: JSONObject) -> frozenset[str]:
        """Return the types of value that a schema allows; empty when it does not restrict them."""
        return root_types(self._schema(schema).root)

    def _schema(self, schema: JSONObject) -> CompiledSchema:
        if id(schema) not in self._compiled:
            self._compiled[id(schema)] = self._cache.compiled(schema), schema
        return self._compiled[id(schema)][0]

    def _clauses(self, evaluation: Evaluation, compiled: CompiledSchema, value: object) -> list[str]:
        try:
            verdict = evaluation.evaluate(compiled.root, value)
        except RecursionError:  # the caller's stack is deep already, or literals are nested very deeply
            self.is_incomplete = True
            return []
        self.is_incomplete |= self._budget.is_used_up
        if not verdict.problems:
            return []
        return list(dict.fromkeys(map(str, verdict.problems)))
