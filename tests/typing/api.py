"""How users spell the public API, for the type checkers: it is read by both of them and never run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import openai
from typing_extensions import assert_type

from tess_openai import Change, changes_of, connection, create_async_client, create_client

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

# The one changed line gives the SDK's own type, whatever is passed.
assert_type(create_client(), openai.OpenAI)
assert_type(create_client(8794, workspace_id=12, api_key=lambda: "key"), openai.OpenAI)
assert_type(create_async_client("8794", timeout=30.0, max_retries=0), openai.AsyncOpenAI)

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
