"""How deep the field errors in an error body are looked for, and how many of them are kept."""

from __future__ import annotations

import pytest

from tess_openai.core.field_errors import FieldError, field_errors_of


@pytest.mark.parametrize("in_objects", [False, True], ids=["lists", "objects"])
def test_field_errors_are_found_to_the_sixth_level(*, in_objects: bool) -> None:
    """What is deeper is no list of errors."""

    def nested(levels: int) -> object:
        value: object = "No."
        for _ in range(levels):
            value = {"a": value} if in_objects else [value]
        return value

    field = "a.a.a.a.a.a" if in_objects else ""
    assert field_errors_of({"errors": nested(6)}) == [FieldError(field, "No.")]
    assert field_errors_of({"errors": nested(7)}) == []


def test_objects_in_lists_count_as_levels() -> None:
    """Each object and each list is one."""
    value: object = {"a": ["No."]}
    for _ in range(4):
        value = [value]
    assert field_errors_of({"errors": value}) == [FieldError("a", "No.")]
    assert field_errors_of({"errors": [value]}) == []


def test_the_first_fifty_field_errors_are_kept() -> None:
    """A hostile body may contain any number."""
    errors = field_errors_of({"errors": {str(number): "No." for number in range(60)}})
    assert [error.field for error in errors] == [str(number) for number in range(50)]
