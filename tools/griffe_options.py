"""Shows the type of an option in the API reference without the check that follows it in `Annotated[...]`."""

from __future__ import annotations

from typing import Any

import griffe


class PlainAnnotations(griffe.Extension):
    """Replaces `Annotated[int | None, ...]` by `int | None`."""

    def on_attribute_instance(self, *, attr: griffe.Attribute, **_: Any) -> None:  # noqa: ANN401 - griffe's own
        """Simplify the annotation of an attribute when griffe has read it."""
        written = attr.annotation
        if isinstance(written, griffe.ExprSubscript) and str(written.left) == "Annotated":
            inner = written.slice
            attr.annotation = inner.elements[0] if isinstance(inner, griffe.ExprTuple) else inner
