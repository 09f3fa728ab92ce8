"""A part of a function's description that the model copied into a call is no argument."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.emulate.offers import OfferedFunction
from tess_openai.core.emulate.schema_copies import copied_schema, copies_description

PARAMETERS: dict[str, Any] = {
    "title": "LookArgs",
    "type": "object",
    "properties": {"at": {"title": "At", "type": "string"}},
}
COMPACT: dict[str, Any] = {"type": "object", "properties": {"at": {"type": "string"}}}
LOOK = OfferedFunction("look", "Looks.\n\n    At a place.", PARAMETERS, is_strict=True)


@pytest.mark.parametrize(
    ("key", "value", "is_copy"),
    [
        pytest.param("description", LOOK.description, True, id="the description"),
        pytest.param("Description", "Looks.\n\nAt a place.", True, id="the description as it was shown"),
        pytest.param("description", "A place.", False, id="another description"),
        pytest.param("parameters", PARAMETERS, True, id="the schema"),
        pytest.param("parameters", COMPACT, True, id="the schema as it was shown"),
        pytest.param("input_schema", COMPACT, True, id="the schema under Anthropic's name"),
        pytest.param("schema", COMPACT, True, id="the schema under a short name"),
        pytest.param("schema", {"type": "string"}, False, id="another schema"),
        pytest.param("strict", True, True, id="whether it is strict"),
        pytest.param("strict", False, False, id="that it is not strict"),
        pytest.param("exact", True, False, id="another key"),
    ],
)
def test_a_copied_member_is_recognised(key: str, value: object, *, is_copy: bool) -> None:
    """A member that differs from the description may be an argument."""
    assert copies_description(key, value, LOOK) == is_copy


OBJECT: dict[str, Any] = {"type": "object"}


def taking(**properties: object) -> dict[str, Any]:
    """Return the schema of a function with these parameters."""
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("arguments", "schema", "copied"),
    [
        pytest.param({"at": "x"}, PARAMETERS, None, id="values"),
        pytest.param(["type"], PARAMETERS, None, id="no object"),
        pytest.param(PARAMETERS, PARAMETERS, '"arguments"', id="the schema"),
        pytest.param(COMPACT, PARAMETERS, '"arguments"', id="the schema as it was shown"),
        pytest.param({"type": "object", "properties": {}}, OBJECT, '"arguments"', id="a similar schema"),
        pytest.param({"type": "object", "at": "x"}, PARAMETERS, "'type'", id="a keyword beside a value"),
        pytest.param({"type": "string"}, taking(type={}), None, id="a parameter that is called type"),
        pytest.param({"type": "circle"}, OBJECT, None, id="a type that no schema has"),
        pytest.param({"type": "object", "radius": 3}, OBJECT, None, id="a key that no schema has"),
        pytest.param({"const": 5}, OBJECT, None, id="a keyword alone"),
        pytest.param(
            {"at": {"type": "string"}}, taking(at={"type": "string"}), "'at'", id="the schema of a text"
        ),
        pytest.param(
            {"at": {"type": "string", "description": "Where."}},
            taking(at={"type": "string"}),
            "'at'",
            id="a similar schema of a text",
        ),
        pytest.param(
            {"schema": {"type": "string"}},
            taking(schema={"description": "Any schema."}),
            None,
            id="a schema for a parameter without a type",
        ),
        pytest.param(
            {"schema": {"type": "string"}}, taking(schema=OBJECT), None, id="a schema for any object"
        ),
        pytest.param(
            {"schema": OBJECT},
            taking(schema={"title": "Schema", "type": "object"}),
            "'schema'",
            id="its own schema for any object",
        ),
    ],
)
def test_a_schema_instead_of_a_value_is_recognised(
    arguments: object, schema: dict[str, Any], copied: str | None
) -> None:
    """The model learns which of its arguments is one; a function that takes schemas may be given them."""
    assert copied_schema(arguments, schema) == copied
