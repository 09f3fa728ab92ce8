"""Options of the adapter that send more than the call itself, for callers of the gateway."""

from __future__ import annotations

import base64
from typing import Any

import httpx2
import openai

from tess_openai.testing import TessSimulator, faults
from tests.gateway.running import HELLO, Start

PIXEL = f"data:image/png;base64,{base64.b64encode(bytes(range(40))).decode()}"


def test_files_in_messages_are_uploaded(start: Start, simulator: TessSimulator) -> None:
    """Equal files are uploaded once for all callers, over chat and the Responses API."""
    picture: Any = [{"type": "image_url", "image_url": {"url": PIXEL}}]
    item: Any = {"role": "user", "content": [{"type": "input_image", "image_url": PIXEL}]}
    with start(attachments="upload") as gateway, gateway.sdk() as client:
        client.chat.completions.create(model="tess-6", messages=[{"role": "user", "content": picture}])
        client.responses.create(model="tess-6", input=[item])
    assert [each.path for each in simulator.requests].count("/files") == 1
    bodies: list[Any] = [call.json for call in simulator.calls]
    assert [body["file_ids"] for body in bodies] == [[901], [901]]


def test_a_whole_answer_goes_as_a_stream(start: Start, simulator: TessSimulator) -> None:
    """The caller gets one object; where the stream breaks, what was written until then is returned."""
    with start(long_answers="stream", on_cut="return") as gateway, gateway.sdk() as client:
        whole = client.chat.completions.create(**HELLO)
        simulator.fault(faults.breaks_off(after_events=3))
        cut = client.chat.completions.create(**HELLO)
    bodies: list[Any] = [call.json for call in simulator.calls]
    assert [body["stream"] for body in bodies] == [True, True]
    assert whole.choices[0].finish_reason == "stop"
    assert cut.choices[0].finish_reason == "length"
    assert (whole.choices[0].message.content or "").startswith(cut.choices[0].message.content or "?")


def test_another_client_answers_what_tess_lacks(start: Start, simulator: TessSimulator) -> None:
    """It uses its own key, and answers callers that know only the gateway's key."""
    seen: list[httpx2.Request] = []

    def embed(request: httpx2.Request) -> httpx2.Response:
        seen.append(request)
        return httpx2.Response(
            200,
            json={
                "object": "list",
                "model": "small",
                "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
                "usage": {"prompt_tokens": 1, "total_tokens": 1},
            },
        )

    other = openai.AsyncOpenAI(
        api_key="other",
        base_url="http://127.0.0.1:9/v1",
        http_client=httpx2.AsyncClient(transport=httpx2.MockTransport(embed)),
    )
    with start(others={"embeddings": other}) as gateway, gateway.sdk() as client:
        made = client.embeddings.create(model="small", input="hello", encoding_format="float")
    assert made.data[0].embedding == [0.5, 0.25]
    assert [request.headers["authorization"] for request in seen] == ["Bearer other"]
    assert simulator.requests == []
