"""A statement or a label that ends an answer is a call; one in an explanation or in a program is not."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.call_endings import ends_with_call

LINES = "It is late.\n"


@pytest.mark.parametrize(
    ("text", "is_call"),
    [
        pytest.param("look(1)", True, id="a statement alone"),
        pytest.param("I will call the function look(at=1).", True, id="a sentence that makes a call"),
        pytest.param("look(1)\nend", True, id="a statement in a short answer"),
        pytest.param(f"{LINES * 4}look(1)\nend", True, id="a statement in an answer of six lines"),
        pytest.param(f"{LINES * 5}look(1)\nend", False, id="a statement in an answer of seven lines"),
        pytest.param(f"{LINES * 9}look(1)", True, id="a statement at the end of a long answer"),
        pytest.param(f"{'late ' * 399}\nlook(1)\nend", False, id="a statement in an answer of long lines"),
        pytest.param("You may use look(1) for it.", False, id="a statement in a sentence"),
        pytest.param("fly(1)", False, id="another function"),
        pytest.param("def look():\nlook(1)", False, id="a program"),
        pytest.param(f"{LINES}```\nlook(1)\n```", True, id="a statement in the last code block"),
        pytest.param(f"{LINES}```py\nimport os\nlook(1)\n```", False, id="a program in the last code block"),
        pytest.param("```\n" + "n = 1\n" * 5 + "look(1)\n```", True, id="six lines of code"),
        pytest.param("```\n" + "n = 1\n" * 6 + "look(1)\n```", False, id="seven lines of code"),
        pytest.param("```\nlook(1)\n```\nThat is how.", False, id="a code block before a sentence"),
        pytest.param(f"{LINES}Tool: look", True, id="a label in the last line"),
        pytest.param("Tools used: look", True, id="a label that begins the answer"),
        pytest.param(f"{LINES}Tools used: look", False, id="a label that only an answer may begin with"),
        pytest.param(f"Tool: look\n{LINES}", False, id="a label in another line"),
    ],
)
def test_the_end_of_an_answer_decides_whether_it_calls(text: str, is_call: bool) -> None:
    """What is shown as an example is repeated in the middle of an answer, or defines something."""
    assert ends_with_call(text, ["leap", "look"]) == is_call
