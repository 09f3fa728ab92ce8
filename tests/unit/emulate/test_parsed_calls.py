"""The calls of one answer: each is read and checked, and what is wrong with each is listed for the model."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from tess_openai.core.emulate.answer_parts import Block
from tess_openai.core.emulate.call_parsing import MAX_CALLS, ParsedCalls, contain_known_call, parse_calls
from tess_openai.core.emulate.offers import parse_offer
from tess_openai.core.emulate.outcomes import FunctionCall
from tess_openai.core.schemas.schema_checker import SchemaCache

PLACE = {"type": "object", "properties": {"at": {"type": "string"}}, "required": ["at"]}
TOOLS = [
    {"function": {"name": "look", "parameters": PLACE}},
    {"function": {"name": "keep"}},
    {"type": "custom", "custom": {"name": "run"}},
]
LOOK = '{"name": "look", "arguments": {"at": "x"}}'
FLY = '{"name": "fly", "arguments": {}}'
CHECKER = SchemaCache().checker()


def parse(*bodies: str | Block, is_truncated: bool = False, **request: Any) -> ParsedCalls:
    """Parse the texts of calls, numbered from one; a text is closed."""
    blocks = [body if isinstance(body, Block) else Block(body, is_closed=True) for body in bodies]
    numbers = itertools.count(1)
    offer = parse_offer({"tools": TOOLS, **request})
    return parse_calls(blocks, offer, CHECKER, lambda: str(next(numbers)), is_truncated=is_truncated)


def test_each_call_has_its_identifier_and_kind() -> None:
    """A custom tool takes the text as it is."""
    parsed = parse(LOOK, "run\nprint(1)\n", f"[{LOOK}]")
    assert parsed.problems == []
    assert parsed.valid == [
        FunctionCall("call_1", "look", '{"at":"x"}'),
        FunctionCall("call_2", "run", "print(1)", is_custom=True),
        FunctionCall("call_3", "look", '{"at":"x"}'),
    ]


def test_all_problems_are_listed_and_the_other_calls_are_kept() -> None:
    """The model is asked once for everything."""
    missing = '{"name": "look", "arguments": {}}'
    parsed = parse("{}", FLY, missing, FLY, '{"name": "keep", "arguments": [1]}', "[]", LOOK)
    assert [(call.id, call.name) for call in parsed.valid] == [("call_2", "look")]
    assert [call.id for call in parsed.usable] == ["call_1", "call_2"]
    assert parsed.unknown == 2
    unread, unknown = "it is not valid JSON", "there is no function 'fly'; there are"
    assert [problem.partition(": ")[0] for problem in parsed.problems] == [
        *(f"- {unread}", f"- {unread}", f"- {unknown}", "- look", f"- {unknown}", "- keep"),
    ]


def test_a_custom_tool_takes_no_json() -> None:
    """Its input could not be distinguished from the JSON around it."""
    (problem,) = parse('{"name": "run", "arguments": {"code": "1"}}').problems
    assert problem.startswith("- run: write its name in the first line of the block")


@pytest.mark.parametrize(
    "bodies",
    [
        pytest.param([LOOK, LOOK, LOOK], id="in blocks of their own"),
        pytest.param([f"[{LOOK}, {LOOK}, {LOOK}]"], id="in one block"),
        pytest.param([f"[{LOOK}, {LOOK}]", LOOK], id="in both"),
    ],
)
def test_where_one_call_may_be_made_the_others_are_counted(bodies: list[str]) -> None:
    """The caller learns how many were dropped."""
    parsed = parse(*bodies, parallel_tool_calls=False)
    assert (len(parsed.valid), parsed.surplus, parsed.problems) == (1, 2, [])


def test_nothing_is_read_after_a_call_that_cannot_be_read_and_has_no_end() -> None:
    """It may be a part of that call."""
    parsed = parse(Block("{'name': 'look'", is_closed=False), LOOK)
    assert (parsed.valid, len(parsed.problems)) == ([], 1)
    assert len(parse(Block(LOOK, is_closed=False), LOOK).valid) == 2


@pytest.mark.parametrize(("is_truncated", "reason"), [(True, "in the middle"), (False, "after its name")])
def test_the_model_learns_how_its_call_ended(*, is_truncated: bool, reason: str) -> None:
    """An answer that was cut is distinguished from one that the model ended itself."""
    (problem,) = parse(Block("look", is_closed=False), is_truncated=is_truncated).problems
    assert problem == f"- it is not valid JSON: it ends {reason}"


def test_as_many_calls_as_are_allowed_are_made() -> None:
    """They may have one block each or share one."""
    assert len(parse(*[LOOK] * MAX_CALLS).valid) == MAX_CALLS
    assert len(parse(f"[{', '.join([LOOK] * MAX_CALLS)}]").valid) == MAX_CALLS


@pytest.mark.parametrize(
    ("arguments", "key"),
    [
        pytest.param("look {'at': 'x'}", None, id="declared keys"),
        pytest.param("look {'at': 'x', 'z': 1}", "z", id="a key that is not declared"),
        pytest.param("look " + json.dumps({"at": "x", "z": 1}), None, id="the same in JSON"),
        pytest.param("keep {'at': 'x', 'z': 1}", None, id="keys of any name"),
        pytest.param('keep {"at": "x\ny", "z": 1}', "z", id="a second key after a text that was not escaped"),
    ],
)
def test_a_key_in_a_repaired_call_may_be_a_part_of_a_text(arguments: str, key: str | None) -> None:
    """The call is not made, and the model learns which key and why."""
    problem = f"{key!r} is not in the schema; a quote in a string may lack its backslash"
    parsed = parse(arguments)
    assert [each.partition(": ")[2] for each in parsed.problems] == ([] if key is None else [problem])
    assert bool(parsed.valid) == (key is None)


@pytest.mark.parametrize(
    ("text", "is_known"),
    [
        pytest.param(LOOK, True, id="a call"),
        pytest.param(f"Sure: {LOOK} and so on", True, id="a call in prose"),
        pytest.param(FLY, False, id="another function"),
        pytest.param("{'name': 'look', 'arguments': ", False, id="what cannot be read"),
        pytest.param("no call", False, id="prose"),
    ],
)
def test_a_call_of_a_known_function_is_recognised(text: str, *, is_known: bool) -> None:
    """It was written without marks, and is asked for again."""
    assert contain_known_call([Block(text, is_closed=True)], ["look"]) == is_known


@pytest.mark.parametrize(
    ("call", "arguments"),
    [
        pytest.param({"name": "look", "at": "x"}, {"at": "x"}, id="beside the name"),
        pytest.param({"name": "look", "At": "x", "strict": False}, {"at": "x"}, id="in another case"),
        pytest.param({"name": "look", "arguments": '{"at": "x"}'}, {"at": "x"}, id="in a string"),
        pytest.param({"name": "keep", "arguments": ""}, {}, id="an empty string"),
        pytest.param({"name": "keep", "arguments": []}, {}, id="an empty list"),
    ],
)
def test_arguments_are_read_where_the_model_wrote_them(call: dict[str, Any], arguments: object) -> None:
    """Copies of the description of the function are ignored."""
    (made,) = parse(json.dumps(call)).valid
    assert json.loads(made.arguments) == arguments


@pytest.mark.parametrize(
    ("call", "problem"),
    [
        pytest.param(
            {"name": "look", "arguments": {"at": "x"}, "strict": False, "unit": 1},
            "\"arguments\" cannot be used: 'unit' is beside them in the call; write each argument once, "
            "inside them",
            id="an unknown member",
        ),
        pytest.param(
            {"name": "look", "arguments": {"at": "x"}, "At": "y"},
            "\"arguments\" cannot be used: 'At' is beside them in the call; write each argument once, "
            "inside them",
            id="an argument that was written twice",
        ),
        pytest.param({"name": "keep", "arguments": "x"}, "'x' is not of type 'object'", id="a string"),
        pytest.param(
            {"name": "keep", "arguments": "{a: nan}"},
            '"arguments" cannot be used: nan is not JSON',
            id="a string that cannot be read",
        ),
        pytest.param(
            {"name": "look", "arguments": "{'at': 'x', 'z': 1}"},
            "'z' is not in the schema; a quote in a string may lack its backslash",
            id="a string with a key that is not declared",
        ),
        pytest.param(
            {"name": "keep", "arguments": "{'a': 'x\ny', 'z': 1}"},
            "'z' is not in the schema; a quote in a string may lack its backslash",
            id="a string with a second key after a text that was not escaped",
        ),
    ],
)
def test_the_model_learns_what_is_wrong_with_its_arguments(call: dict[str, Any], problem: str) -> None:
    """The call is not made with a part of them."""
    parsed = parse(json.dumps(call))
    assert parsed.valid == []
    assert [each.partition(": ")[2] for each in parsed.problems] == [problem]
