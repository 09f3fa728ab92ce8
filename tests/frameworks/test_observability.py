"""Tracers that wrap the client, the SDK or its http client go on seeing what they saw."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from typing import Any, Final, Literal

import openai
import pytest
from langsmith import Client as LangSmith
from langsmith.run_helpers import tracing_context
from langsmith.wrappers import wrap_openai
from opentelemetry.instrumentation.httpx import HTTPX2ClientInstrumentor, HTTPXClientInstrumentor
from opentelemetry.instrumentation.openai_v2 import OpenAIInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tess_openai import changes_of, connection, create_async_client, create_client
from tess_openai.testing import TessSimulator

INSTRUMENTORS: Final[dict[str, Any]] = {
    "httpx": HTTPXClientInstrumentor,
    "httpx2": HTTPX2ClientInstrumentor,
}
HELLO: Any = {"model": "tess-6", "messages": [{"role": "user", "content": "hello"}]}


@pytest.fixture
def spans() -> InMemorySpanExporter:
    """What OpenTelemetry recorded."""
    return InMemorySpanExporter()


@pytest.fixture
def tracer(spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """A provider that keeps its spans here."""
    monkeypatch.setenv("OTEL_SDK_DISABLED", "false")
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(spans))
    return provider


@pytest.fixture
def instrumented_sdk(tracer: TracerProvider) -> Iterator[None]:
    """OpenTelemetry's instrumentation of the SDK."""
    instrumentor = OpenAIInstrumentor()
    instrumentor.instrument(tracer_provider=tracer)
    yield
    instrumentor.uninstrument()


def test_langsmith_wraps_the_client(tess: dict[str, Any]) -> None:
    """The wrapped client is the same object; runs have their messages, their answer and their tokens."""
    runs: list[Any] = []

    class Kept(LangSmith):
        """A client that sends nothing."""

        def create_run(self, *_: Any, **kwargs: Any) -> None:
            runs.append(kwargs)

        def update_run(self, *_: Any, **kwargs: Any) -> None:
            runs.append(kwargs)

    client = create_client(42, **tess)
    kept = Kept(api_url="http://127.0.0.1:9", api_key="none", auto_batch_tracing=False)
    wrapped = wrap_openai(client)
    assert wrapped is client
    assert type(wrapped) is openai.OpenAI
    with tracing_context(enabled=True, client=kept):
        answer = wrapped.chat.completions.create(**HELLO)
        text = "".join(
            chunk.choices[0].delta.content or ""
            for chunk in wrapped.chat.completions.create(**HELLO, stream=True)
        )
    assert answer.choices[0].message.content == text
    outputs = [run["outputs"] for run in runs if run.get("outputs")]
    assert len(outputs) == 2
    assert all(output["usage_metadata"]["output_tokens"] > 0 for output in outputs[:1])


def test_langfuse_patches_the_sdk(
    tess: dict[str, Any], spans: InMemorySpanExporter, tracer: TracerProvider
) -> None:
    """`langfuse.openai` traces calls of clients made here, and the ledger is on their answers as ever."""
    import langfuse.openai  # noqa: F401 - patches the SDK when it is imported
    from langfuse import Langfuse

    langfuse_client = Langfuse(
        public_key="pk", secret_key="sk", base_url="http://127.0.0.1:9", span_exporter=spans
    )
    client = create_client(42, **tess, unsupported="ignore")
    answer = client.chat.completions.create(**HELLO, seed=3)
    assert [change.param for change in changes_of(answer)] == ["seed"]
    langfuse_client.flush()
    (span,) = spans.get_finished_spans()
    assert span.attributes is not None
    assert "tess-6" in span.attributes.values()
    langfuse_client.shutdown()


@pytest.mark.usefixtures("instrumented_sdk")
async def test_opentelemetry_of_the_sdk(tess: dict[str, Any], spans: InMemorySpanExporter) -> None:
    """Sync, async and streams, with the model and the estimated token counts; of a stream where asked for."""
    counted: Any = {**HELLO, "stream": True, "stream_options": {"include_usage": True}}
    with create_client(42, **tess) as client:
        client.chat.completions.create(**HELLO)
        list(client.chat.completions.create(**counted))
        list(client.chat.completions.create(**HELLO, stream=True))
    async with create_async_client(42, **tess) as client_of_async:
        await client_of_async.chat.completions.create(**HELLO)
        async for _ in await client_of_async.chat.completions.create(**counted):
            pass
    finished = spans.get_finished_spans()
    assert [span.name for span in finished] == ["chat tess-6"] * 5
    tokens = [(span.attributes or {}).get("gen_ai.usage.output_tokens") for span in finished]
    assert [bool(count) for count in tokens] == [True, True, False, True, True]


@pytest.mark.parametrize("family", ["httpx", "httpx2"])
def test_opentelemetry_of_one_http_client(
    family: Literal["httpx", "httpx2"],
    tess: dict[str, Any],
    spans: InMemorySpanExporter,
    tracer: TracerProvider,
    simulator: TessSimulator,
) -> None:
    """A client instrumented before it is handed over: one span for each request that really goes out."""
    own = importlib.import_module(family).Client()
    INSTRUMENTORS[family].instrument_client(own, tracer_provider=tracer)
    client = create_client(42, **tess, http_client=own, unsupported="ignore")
    client.chat.completions.create(**HELLO, seed=3)
    with pytest.raises(openai.NotFoundError):
        client.embeddings.create(model="x", input="x")
    assert [span.name for span in spans.get_finished_spans()] == ["POST"]
    assert len(simulator.calls) == 1


@pytest.mark.parametrize("family", ["httpx", "httpx2"])
def test_opentelemetry_of_all_http_clients(
    family: Literal["httpx", "httpx2"],
    tess: dict[str, Any],
    spans: InMemorySpanExporter,
    tracer: TracerProvider,
) -> None:
    """The instrumentation of the whole library finds the transport below the adapter."""
    instrumentor = INSTRUMENTORS[family]()
    instrumentor.instrument(tracer_provider=tracer)
    try:
        client = openai.OpenAI(
            base_url=f"{tess['base_url']}/agents/42/openai",
            api_key=tess["api_key"],
            http_client=connection(42, family=family, **tess)["http_client"],
        )
        client.chat.completions.create(**HELLO)
    finally:
        instrumentor.uninstrument()
    assert [span.name for span in spans.get_finished_spans()] == ["POST"]
