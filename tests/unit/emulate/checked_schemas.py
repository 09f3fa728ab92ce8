"""Check values against schemas, as tests of the schema checker do."""

from __future__ import annotations

from typing import Any

from tess_openai.core.schemas.schema_checker import SchemaCache
from tess_openai.edge.patterns import compile_pattern

SCHEMAS = SchemaCache(compile_pattern)
DRAFT_4 = {"$schema": "http://json-schema.org/draft-04/schema#"}
DRAFT_7 = {"$schema": "http://json-schema.org/draft-07/schema#"}


def check_schema(schema: dict[str, Any], value: object) -> list[str]:
    """Return what is wrong with a value."""
    return SCHEMAS.checker().check(schema, value)


def unchecked_keywords(schema: dict[str, Any]) -> frozenset[str]:
    """Return the keywords of a schema that cannot be checked."""
    return SCHEMAS.compiled(schema).unchecked_keywords


INTEGER = {"type": "integer"}
