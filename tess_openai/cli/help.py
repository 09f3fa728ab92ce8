"""The texts of `--help`."""

from __future__ import annotations

from collections.abc import Mapping


def worded(
    summary: str, *paragraphs: str, examples: Mapping[str, str] | None = None, epilogue: str = ""
) -> str:
    """Return a help text.

    Args:
        summary: One line.
        paragraphs: Further paragraphs.
        examples: Command line -> its purpose; shown one a line.
        epilogue: The last paragraph.
    """
    parts = [summary, *paragraphs]
    if examples:
        width = max(map(len, examples))
        lines = [f"  {command:<{width}}  {purpose}" for command, purpose in examples.items()]
        parts.append("\b\n" + "\n".join(["Examples:", *lines]))
    return "\n\n".join([*parts, epilogue] if epilogue else parts)
