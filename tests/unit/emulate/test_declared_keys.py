"""A key that the schema does not declare is found, in each part of the schema that could declare it."""

from __future__ import annotations

from typing import Any

import pytest

from tess_openai.core.emulate.declared_keys import undeclared_key

TEXT = {"type": "string"}
POINT: dict[str, Any] = {"properties": {"x": {}, "y": {}}}


def taking(**properties: object) -> dict[str, Any]:
    """Return the schema of an object with these members."""
    return {"type": "object", "properties": properties}


@pytest.mark.parametrize(
    ("schema", "value", "found"),
    [
        pytest.param(POINT, {"x": 1, "y": 2}, None, id="declared keys"),
        pytest.param(POINT, {"X": 1, "z": 2}, "z", id="a declared key in another case, and another"),
        pytest.param(POINT, 5, None, id="no object"),
        pytest.param({}, {"x": {"z": 1}}, None, id="anything"),
        pytest.param(taking(a=POINT), {"a": {"z": 1}}, "z", id="within a member"),
        pytest.param({"items": POINT}, [{"x": 1}, {"z": 2}], "z", id="in an item"),
        pytest.param({"prefixItems": [POINT]}, [{"z": 2}], "z", id="in one of the first items"),
        pytest.param({"additionalProperties": POINT}, {"a": {"z": 1}}, "z", id="in a map"),
        pytest.param({"patternProperties": {"^a": POINT}}, {"a": {"z": 1}}, "z", id="in a map by pattern"),
        pytest.param({**POINT, "additionalProperties": True}, {"z": 1}, None, id="other keys are allowed"),
        pytest.param({**POINT, "additionalProperties": {}}, {"z": 1}, None, id="other keys of any value"),
        pytest.param({**POINT, "additionalProperties": False}, {"z": 1}, "z", id="other keys are forbidden"),
        pytest.param({"allOf": [POINT, taking(z={})]}, {"x": 1, "z": 2}, None, id="declared in both of all"),
        pytest.param(
            {"allOf": [True, POINT]}, {"z": 2}, "z", id="declared in what follows a schema of anything"
        ),
        pytest.param({"anyOf": [POINT, taking(z={})]}, {"z": 2, "q": 3}, "q", id="declared in no branch"),
        pytest.param({"oneOf": [{"oneOf": [POINT]}]}, {"z": 2}, "z", id="in branches of a branch"),
        pytest.param({**POINT, "if": taking(z={})}, {"z": 2}, None, id="declared in a condition"),
        pytest.param({**POINT, "then": taking(z={})}, {"z": 2}, None, id="declared for when it is met"),
        pytest.param({**POINT, "else": taking(z={})}, {"z": 2}, None, id="declared for when it is not met"),
        pytest.param(
            {"$ref": "#/$defs/a~1b~0c", "$defs": {"a/b~c": POINT}}, {"z": 1}, "z", id="by reference"
        ),
        pytest.param(taking(a={"$ref": "#"}), {"a": {"a": {"z": 1}}}, "z", id="by reference to the whole"),
        pytest.param(taking(a={"$ref": "#/b"}), {"a": {"z": 1}}, None, id="by a reference to nothing"),
        pytest.param(taking(a={"$ref": "b.json"}), {"a": {"z": 1}}, None, id="by a reference to a file"),
    ],
)
def test_a_key_that_is_not_declared_is_found(
    schema: dict[str, Any], value: object, found: str | None
) -> None:
    """A schema that declares no key allows every key."""
    assert undeclared_key(schema, value, holds_raw_text=False) == found


@pytest.mark.parametrize(
    ("schema", "value", "found"),
    [
        pytest.param({}, {"a": 1, "b": 2}, "b", id="anything"),
        pytest.param({}, {"a": [{"b": 1, "c": 2}]}, "c", id="anything, within it"),
        pytest.param({"additionalProperties": TEXT}, {"a": "1", "b": "2"}, "b", id="a map"),
        pytest.param({**POINT, "additionalProperties": TEXT}, {"x": 1, "y": 2}, None, id="declared keys"),
    ],
)
def test_after_a_string_that_was_not_escaped_a_second_key_may_be_a_part_of_it(
    schema: dict[str, Any], value: object, found: str | None
) -> None:
    """Where the schema allows every key, only the first is certain."""
    assert undeclared_key(schema, value, holds_raw_text=True) == found


def test_the_search_ends() -> None:
    """Schemas that refer to themselves, and deep values, take bounded time."""
    loop: dict[str, Any] = {"$ref": "#", "allOf": [{"$ref": "#"}, {"$ref": "#"}], "items": {"$ref": "#"}}
    value: object = {"z": 1}
    for _ in range(500):
        value = [value, value]
    assert undeclared_key(loop, value, holds_raw_text=False) is None
