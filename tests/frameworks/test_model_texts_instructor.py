"""What models write, through Instructor, whose objects are the arguments of a call or JSON."""

from __future__ import annotations

from typing import Any

import instructor
import pytest
from instructor.core import InstructorRetryException
from model_texts import (
    BROKEN_ARGUMENTS,
    CALLS,
    GOOD_CALL,
    PLACE,
    TWICE,
    TWO_VALUES,
    UNREADABLE,
    Place,
    Row,
    model_writes,
    without_nonce,
)
from pydantic import BaseModel

from tess_openai import presets
from tess_openai.testing import TessSimulator

pytestmark = pytest.mark.filterwarnings("ignore::tess_openai.TessWarning")
HELLO: Any = [{"role": "user", "content": "Write it."}]


class write(BaseModel):  # noqa: N801 - the function's name in the table
    """Write a file."""

    path: str
    content: str
    size: int | None = None
    labels: list[int] | None = None


@pytest.fixture(params=[False, True], ids=["whole", "streamed"])
def streamed(request: pytest.FixtureRequest) -> bool:
    """Ask for a whole object, and for one that grows."""
    return bool(request.param)


def ask(client: Any, form: type[BaseModel], *, streamed: bool, **more: Any) -> dict[str, Any]:
    """Ask for an object; what was given of it."""
    wanted = {"model": "tess-6", "messages": HELLO, "response_model": form, **more}
    completions = client.chat.completions
    made = list(completions.create_partial(**wanted))[-1] if streamed else completions.create(**wanted)
    return {name: value for name, value in made.model_dump().items() if value is not None}


# A call that is demanded cannot be taken back: it is made, whatever follows it.
@pytest.mark.parametrize(
    "row", [row for row in CALLS if "taken back" not in row.kind], ids=lambda row: row.kind
)
def test_calls(simulator: TessSimulator, emulating: dict[str, Any], row: Row, *, streamed: bool) -> None:
    """The object is what the model means; a call is demanded, so an answer without one is asked about."""
    texts = row.answers if row.arguments is not None else (*row.answers, GOOD_CALL)
    name = "Partialwrite" if streamed else "write"  # Instructor's own for the parts of an object
    simulator.script(*(model_writes(text.replace("write", name)) for text in texts))
    client = presets.instructor(42, mode=instructor.Mode.TOOLS, **emulating)
    made = ask(client, write, streamed=streamed)
    expected = row.arguments or {"path": "C:\\new", "content": 'a "b"\nc'}
    assert {**made, "content": without_nonce(made["content"]).replace(name, "write")} == expected
    assert len(simulator.calls) == len(texts)


def test_arguments_that_break_the_schema_twice(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """Instructor validates them itself, and tells the model."""
    simulator.script(*map(model_writes, (BROKEN_ARGUMENTS, BROKEN_ARGUMENTS, GOOD_CALL)))
    client = presets.instructor(42, mode=instructor.Mode.TOOLS, **emulating)
    made = ask(client, write, streamed=False, max_retries=TWICE)
    assert made == {"path": "C:\\new", "content": 'a "b"\nc'}
    assert "size" in str(simulator.calls[2].json["messages"])


def test_values_that_differ(simulator: TessSimulator, emulating: dict[str, Any], *, streamed: bool) -> None:
    """The model is asked which one it means."""
    simulator.script(*TWO_VALUES)
    client = presets.instructor(42, mode=instructor.Mode.JSON_SCHEMA, **emulating)
    assert ask(client, Place, streamed=streamed) == PLACE.model_dump()
    assert len(simulator.calls) == len(TWO_VALUES)


def test_json_that_cannot_be_read(simulator: TessSimulator, emulating: dict[str, Any]) -> None:
    """Instructor asks again by its own means, since the answer is no refusal."""
    client = presets.instructor(42, mode=instructor.Mode.JSON_SCHEMA, **emulating)
    simulator.script(UNREADABLE, UNREADABLE, TWO_VALUES[1])
    assert ask(client, Place, streamed=False, max_retries=TWICE) == PLACE.model_dump()
    simulator.script(UNREADABLE, UNREADABLE)
    with pytest.raises(InstructorRetryException, match="Invalid JSON"):
        ask(client, Place, streamed=False, max_retries=1)
