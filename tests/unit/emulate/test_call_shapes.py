"""Text that begins a call in another form is held back, and is a call where it names an offered function."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.call_shapes import CallShapes, is_substantial

SHAPES = CallShapes(["get_time", "look"])


@pytest.mark.parametrize(
    ("shown", "held"),
    [
        pytest.param("a", " {", id="a bracket of JSON"),
        pytest.param("", "{", id="a bracket of JSON alone"),
        pytest.param("a ", "{{", id="two brackets"),
        pytest.param("a\n ", '[ {"na', id="a list of JSON and the beginning of a key"),
        pytest.param('a {"foo', "", id="another key"),
        pytest.param("a ", "[", id="a bracket"),
        pytest.param("a ", "[TOO", id="a bracket and the beginning of a word"),
        pytest.param("a [note", "", id="a bracket and another word"),
        pytest.param("a ", "<tool", id="a tag"),
        pytest.param("a <b>", "", id="a tag that has ended"),
        pytest.param("a ", "```tool_c", id="a code block for calls"),
        pytest.param("a ```py", "", id="a code block"),
        pytest.param("a ", "t", id="the first letter of a recipient"),
        pytest.param("a ", "to=functions.lo", id="a recipient"),
        pytest.param("ato", "", id="the end of another word"),
        pytest.param("", "Act", id="a label"),
        pytest.param("**", "Tool", id="a label in bold"),
        pytest.param("**", "Tool:**", id="a label in bold and its colon"),
        pytest.param("a\nTo be", "", id="another word"),
        pytest.param("", "loo", id="the beginning of a name"),
        pytest.param("", "functions.lo", id="a module and the beginning of a name"),
        pytest.param("", "fun", id="the beginning of a module"),
        pytest.param("a\n", "print(", id="a statement that prints"),
        pytest.param("a\npr (", "", id="another statement"),
        pytest.param("a\n", "look\n", id="a name before its arguments"),
        pytest.param("look at it.\n", "look\n", id="a name that occurred before"),
        pytest.param("**", "look**\n{", id="a name in bold before a bracket"),
        pytest.param("a look", " {", id="a name in prose before a bracket"),
        pytest.param("x\n" * 80, "Acti", id="a label after a long text"),
        pytest.param("x" * 150, " {", id="a bracket after a long text"),
        pytest.param("lo\nok", "", id="a name that is divided"),
    ],
)
def test_text_that_may_begin_a_call_is_held(shown: str, held: str) -> None:
    """All before it can be shown, and without functions all can."""
    assert SHAPES.undecided_from(shown + held) == len(shown)
    assert CallShapes([]).undecided_from(shown + held) == len(shown + held)


def test_the_text_before_belongs_to_the_line() -> None:
    """What was shown already decides whether a label or a statement begins the line."""
    assert SHAPES.undecided_from("ool", after="T") == 0
    assert SHAPES.undecided_from("ool", after="a T") == 3
    assert SHAPES.find("ool: x", after="T") == 0
    assert SHAPES.find("ool: x", after="a T") is None
    assert SHAPES.find("a\nlook(1)", after="So, ") == 2


@pytest.mark.parametrize(
    ("text", "at", "is_named"),
    [
        pytest.param("a <tool_call>", 2, False, id="a tag"),
        pytest.param("a <tool_call>look</tool_call>", 2, True, id="a tag and a name"),
        pytest.param("[TOOL_CALLS]", 0, False, id="a token"),
        pytest.param('a {"name": "fly"}', 2, False, id="JSON"),
        pytest.param('a {"name": "look"}', 2, True, id="JSON that ends the text"),
        pytest.param('a {"name": "look"} is an example', 2, False, id="JSON within a sentence"),
        pytest.param('a\n{"name": "look"} is it', 2, True, id="JSON that begins a line"),
        pytest.param('a [{"name": "functions.look:0"}]', 2, True, id="JSON with a number after the name"),
        pytest.param('a [{"name": "look"}] is an example', 2, False, id="a list of JSON within a sentence"),
        pytest.param('a {"name": "look"} is it\nend', 2, False, id="JSON within the first sentence"),
        pytest.param('a\nb\n{"name": "look"} is it', 4, True, id="JSON that begins the third line"),
        pytest.param('a\nb{"name": "look"} is it', 3, False, id="JSON within the second line"),
        pytest.param('> {"name": "look"} is it', 2, True, id="JSON that begins a quotation"),
        pytest.param('a {"name": "look", "x": {}, "y": 1}', 2, True, id="JSON with an object before a key"),
        pytest.param('a {"name": "look"}s', 2, False, id="JSON in a word"),
        pytest.param('a {"name": "look1"}', 2, True, id="JSON with a number in the name"),
        pytest.param('a {"name": "look.run"}', 2, True, id="JSON with a method of the function"),
        pytest.param('a {"name": "my.own.look"}', 2, True, id="JSON with modules before the name"),
        pytest.param("Action: look", 0, True, id="a label and a name"),
        pytest.param("Action: look\nSo be it.", 0, True, id="a label and a name in the first line"),
        pytest.param("Action: fly", 0, False, id="a label"),
        pytest.param("a Action: look", None, False, id="a label within a line"),
        pytest.param("look(1)", 0, True, id="a statement"),
        pytest.param("a look(1)", None, False, id="a statement within a line"),
        pytest.param("print(look(1))", 0, True, id="a statement that prints"),
        pytest.param("fly(1)", None, False, id="a statement with another function"),
        pytest.param('a\nlook {"a', 2, True, id="a name before JSON"),
        pytest.param('{"look": {', 0, True, id="a name as a key"),
        pytest.param("a <look>", 2, True, id="a name as a tag"),
        pytest.param("to=look", 0, True, id="a recipient"),
        pytest.param("to=fly", None, False, id="another recipient"),
        pytest.param("I will look at it.", None, False, id="a name in prose"),
    ],
)
def test_a_call_in_another_form_is_found_by_its_form_and_its_name(
    text: str, at: int | None, *, is_named: bool
) -> None:
    """The form alone stops the text from being shown; only with a name is the model asked again."""
    assert (SHAPES.find(text), SHAPES.contains_named_call(text)) == (at, is_named)
    nothing = CallShapes([])
    assert (nothing.find(text), nothing.contains_named_call(text)) == (None, False)


@pytest.mark.parametrize(
    ("prose", "is_long"),
    [
        pytest.param("", False, id="nothing"),
        pytest.param("Ok, done.", False, id="two words"),
        pytest.param("<think></think><br>", False, id="tags"),
        pytest.param("Let me see it", True, id="a sentence"),
        pytest.param("あいうえ", False, id="four letters that are not ASCII"),
        pytest.param("あいうえお", True, id="five letters that are not ASCII"),
        pytest.param("Wait", True, id="a word of doubt"),
        pytest.param("Sure?", True, id="a question"),
        pytest.param("knot", False, id="a word that contains one of doubt"),
    ],
)
def test_prose_after_a_call_may_change_its_meaning(prose: str, *, is_long: bool) -> None:
    """A few letters do not, unless they doubt it."""
    assert is_substantial(prose) == is_long
