"""Drive a flow of `/responses` or `/completions` by hand, Tess's answers given as bytes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from tess_openai.core.calls import Call, Outgoing
from tess_openai.core.options import Options
from tess_openai.edge.response_stores import MemoryResponseStore, access_store
from tests.flows import JSON, Carried, TessAnswer, carry_call

AS_JSON = {"content-type": "application/json"}
AS_EVENTS = {"content-type": "text/event-stream"}


def drive(
    body: JSON | None,
    pieces: Sequence[bytes],
    *,
    method: str = "POST",
    path: str = "/responses",
    query: str = "",
    status: int = 200,
    options: Options | None = None,
    store: MemoryResponseStore | None = None,
) -> Carried:
    """Carry out a call; Tess answers each of its chats with the same pieces, as a stream if it was asked."""
    kept = MemoryResponseStore() if store is None else store
    data = b"" if body is None else json.dumps(body).encode()
    call = Call(method, path, {}, data, 0, lambda: 1, lambda: "0" * 24, agent="42", query=query)

    def tess(step: Outgoing) -> TessAnswer:
        is_stream = json.loads(step.body or data).get("stream")
        return TessAnswer(status, AS_EVENTS if is_stream else AS_JSON, pieces)

    return carry_call(
        call,
        Options() if options is None else options,
        tess=tess,
        store=lambda access: access_store(kept, access),
    )
