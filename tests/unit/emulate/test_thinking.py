"""What a model wrote while thinking is found by its tags, and a tag in a text of a call begins nothing."""

from __future__ import annotations

import pytest

from tess_openai.core.emulate.thinking import thinking_spans, without_thinking

CHANNEL = "<|channel|>analysis<|message|>"


@pytest.mark.parametrize(
    ("text", "thoughts"),
    [
        pytest.param("No tag.", [], id="no tag"),
        pytest.param("<think>a</think>b", ["<think>a</think>"], id="at the beginning"),
        pytest.param("a</think>b", ["a</think>"], id="without an opening tag"),
        pytest.param(
            "<think>a</think>b</think>c", ["<think>a</think>", "b</think>"], id="a second closing tag"
        ),
        pytest.param("a<think>b", ["<think>b"], id="without a closing tag"),
        pytest.param(
            "<think>a</think>b<think>c</think>", ["<think>a</think>", "<think>c</think>"], id="twice"
        ),
        pytest.param(f"{CHANNEL}a<|end|>b", [f"{CHANNEL}a"], id="a channel, up to the mark of its end"),
        pytest.param(f"{CHANNEL}a</think>b", [f"{CHANNEL}a</think>"], id="a channel that a tag ends"),
        pytest.param('a "b <think>c</think>', ["<think>c</think>"], id="after a quote in prose"),
        pytest.param('{"a": "<think>b</think>"}', [], id="in a JSON string"),
        pytest.param('{"a": "\\"<think>b</think>"}', [], id="in a JSON string after an escaped quote"),
        pytest.param(
            '{"a": "</think>"} <think>b</think>', ["<think>b</think>"], id="in a JSON string and after it"
        ),
        pytest.param(
            '<think>{"a</think> b <think>c</think>',
            ['<think>{"a</think>', "<think>c</think>"],
            id="after a JSON string that was not ended while thinking",
        ),
    ],
)
def test_what_was_written_while_thinking_is_found(text: str, thoughts: list[str]) -> None:
    """Each part includes its tags; blanks replace it, so that all positions stay valid."""
    assert [text[start:end] for start, end in thinking_spans(text)] == thoughts
    blank = text
    for thought in thoughts:
        blank = blank.replace(thought, " " * len(thought), 1)
    assert without_thinking(text) == blank


@pytest.mark.parametrize(
    ("block", "thoughts"),
    [
        pytest.param("<think>b</think>", ["<think>c</think>"], id="the first"),
        pytest.param("<think>b</think>-", ["<think>c</think>"], id="the first and more"),
        pytest.param("a", ["<think>b</think>", "<think>c</think>"], id="the text before the first"),
        pytest.param("-<think>c</think>", ["<think>b</think>"], id="the second"),
    ],
)
def test_a_tag_in_a_block_is_text(block: str, thoughts: list[str]) -> None:
    """The block of a call may hold a text about tags."""
    text = "a<think>b</think>-<think>c</think>"
    start = text.index(block)
    spans = thinking_spans(text, [(start, start + len(block))])
    assert [text[start:end] for start, end in spans] == thoughts
