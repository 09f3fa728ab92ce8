"""How users spell the public API, for the type checkers: it is read by both of them and never run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import openai
from typing_extensions import assert_type

from tess_openai import (
    Agent,
    Change,
    Prompts,
    TessOptions,
    async_get_agent,
    async_list_agents,
    changes_of,
    connection,
    create_async_client,
    create_client,
    get_agent,
    list_agents,
)

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

# The one changed line gives the SDK's own type, whatever is passed.
assert_type(create_client(), openai.OpenAI)
assert_type(create_client(8794, workspace_id=12, api_key=lambda: "key"), openai.OpenAI)
assert_type(create_async_client("8794", timeout=30.0, max_retries=0), openai.AsyncOpenAI)

# Type checkers see every option: the adapter's, the SDK's, and an unknown name.
create_client(8794, organization=None, timeout=openai.Timeout(5), default_headers={"x-trace": "1"})
create_client(8794, timeuot=5)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]
create_client(8794, http_client=None, max_retries="3")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
connection(8794, emulate=True, timeout=5)  # type: ignore[call-arg] # pyright: ignore[reportCallIssue]


def from_configuration(untyped: dict[str, Any], typed: TessOptions) -> None:
    """Read options from elsewhere."""
    create_client(8794, **untyped)
    create_async_client(8794, timeout=5, **typed)
    connection(8794, **typed)


# Agents are data, alone or in turn; "fetch" is the one word for looking the client's own up.
assert_type(get_agent(8794, api_key="1|x"), Agent)
assert_type(list_agents(q="support", type="chat"), Iterator[Agent])
create_client(8794, agent="fetch", agents={"support": 8794, "sales": "a-slug-AbC12d"}, requests_per_second=1)
create_client(others={"embeddings": openai.OpenAI(), "audio": openai.OpenAI()})
create_client(long_answers="stream", on_cut="continue", max_answer_seconds=900, attachments="upload")
create_client(long_answers="poll")
create_client(on_cut="guess")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
create_client(others={"embeddings": "sk-1"})  # type: ignore[dict-item] # pyright: ignore[reportArgumentType]
create_client(8794, pacing="sqlite:///line.sqlite", requests_per_second=1)
create_client(repeat_paid=True, max_answer_bytes=None)
create_client(emulate=True, max_repairs=2, prompts=Prompts(auto="Call one."), unsupported={"n": "warn"})
create_client(emulate="tools")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]
create_client(agent=get_agent(8794), models={"gpt-4o": "tess-6", "*": None})
create_client(agent="always")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


async def look(client: openai.AsyncOpenAI) -> None:
    """Look at agents through a client."""
    assert_type(await async_get_agent(client=client), Agent)
    async for agent in async_list_agents(client=client):
        assert_type(agent.models, tuple[str, ...])


# One word for all that Tess lacks, or a word for each; other words are an error.
create_client(unsupported="error", temperatures=["0", 1], tool_names={"my_search": "internet"})
create_client(unsupported={"seed": "ignore", "*": "error"})
create_client(unsupported="shout")  # type: ignore[arg-type] # pyright: ignore[reportArgumentType]


def note(change: Change) -> None:
    """Take what `on_change` is called with."""
    assert_type(change.param, str)


def ask(client: openai.OpenAI) -> ChatCompletion:
    """Call as before."""
    return client.chat.completions.create(model="tess-5", messages=[{"role": "user", "content": "Hi"}])


create_client(on_change=note)
create_client(on_change=print)
assert_type(changes_of(ask(create_client())), tuple[Change, ...])
assert_type(connection(8794)["base_url"], str)
