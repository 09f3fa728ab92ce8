"""The switches of the simulator: one field for each point that documentation and reports leave open."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypeAlias, cast, get_args, get_origin, get_type_hints

SIMULATOR_API_KEY: Final = "1|" + "SimulatedKeyOfNobody0123456789abcdefghijklmnopqr"
"""The key that the simulator accepts by default; it has the form of Tess's keys and is made up."""

SIMULATOR_WORKSPACE_ID: Final = 7001
"""The default workspace of the simulator's key."""

ContentKind: TypeAlias = Literal["text", "empty", "null", "text parts", "other parts"]
OrderRule: TypeAlias = Literal["paired", "one system", "system first", "user last"]

OPENAI_ONLY_PARAMETERS: Final = frozenset(
    {
        "audio",
        "frequency_penalty",
        "function_call",
        "functions",
        "logit_bias",
        "logprobs",
        "max_completion_tokens",
        "max_tokens",
        "metadata",
        "modalities",
        "moderation",
        "n",
        "parallel_tool_calls",
        "prediction",
        "presence_penalty",
        "prompt_cache_key",
        "prompt_cache_options",
        "prompt_cache_retention",
        "reasoning_effort",
        "response_format",
        "safety_identifier",
        "seed",
        "service_tier",
        "stop",
        "store",
        "stream_options",
        "tool_choice",
        "top_logprobs",
        "top_p",
        "user",
        "verbosity",
        "web_search_options",
    }
)
"""Parameters of OpenAI's chat API that Tess does not document. Source: OpenAI's API reference."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """One reading of how Tess behaves; the defaults refuse what is not documented to be accepted.

    Behaviour that was observed with some agents only is off: a rate limit, an order of messages, all required
    fields.

    The source of each choice is given in brackets: documented (in Tess's documentation), observed
    (by users), assumed (there is no source).

    Attributes:
        auth_error: A bad key gets 401 `{"message":"Unauthenticated."}` ("laravel", observed) or
            403 `{"error":"Invalid authentication"}` ("documented").
        error_dialect: A refused body gets 422 `{"message","errors"}` ("laravel", observed: every case
            users met) or 400 `{"error":"Validation failed","messages"}` ("documented"). The same
            choice words 404, 413 and 500.
        workspace_header: "required" since September 2026 (documented, by users' quotation), or
            "optional" as before (documented).
        malformed_workspace_status: For a header that is not an integer (400 or 422: assumed).
        workspace_ids: The workspaces the keys belong to; another one gets 403 (observed).
        selected_workspace_id: The workspace of a request without the header (documented).
        agent_types: Types that the chat route runs. "chat" is documented; "text" agents with their
            required fields are observed, though not certainly on this route.
        temperature: Must be one of the agent's "options" (observed), or is "free" between 0 and 2
            (documented for `/execute`).
        model: Must be one of the agent's "options" (assumed), or is "ignored".
        without_question: `temperature`, `model` or `tools` sent to an agent that has no such question
            (a fixed model is one without) is "refused" or "ignored" (assumed).
        tools: Must be a string of the agent's "options" (documented as an enum; refusing lists is
            assumed), or is "ignored".
        temperature_types: "either" compares as text, 1 and 1.0 as "1" (assumed; both spellings are
            documented), or only "strings", or only "numbers" match the options.
        required_questions: Questions marked required are enforced on "text agents" only (observed), on
            "custom fields" of every agent (assumed), on "all" agents and fields (one user's claim).
        nulls: A root field given as null is "refused" or treated as "absent" (assumed).
        openai_parameters: Parameters that only OpenAI has are "refused" (assumed, strict) or "ignored"
            (assumed, likelier). A field of the agent's own questions is always accepted.
        ignored_parameters: Exceptions to `openai_parameters`: accepted and ignored.
        refused_parameters: Root fields refused by name, custom ones such as `root_id` or `file_ids`
            included (both unknown on this route).
        roles: Accepted roles: system, user, assistant (documented); others assumed refused.
        message_keys: Keys of a message besides role and content are "refused" or "ignored" (assumed).
        ignored_message_keys: Exceptions to `message_keys`: accepted and ignored.
        content: Accepted kinds of content: "text" is documented, the others are assumed refused.
        message_order: Enforced rules: "paired" (neighbours of one role refused: documented for
            `/execute`, unknown here), "one system", "system first", "user last" (all unknown).
        without_system: Without a system message the call is "answered" (documented by examples) or
            "times out" with 524 (observed by one user on one agent).
        requests_per_second: Above it 429, per key; None for no limit. About 1 (observed).
        retry_after_seconds: The wait in the body of a 429; None for the actual wait, rounded up. 60 is the
            documented example.
        retry_after_header: Whether the wait is also in the header `retry-after` (unknown).
        completion: "full" as OpenAI documents, or "minimal", only the fields that users read (observed).
        chunks: "full" as OpenAI documents, or "minimal": without id, object, created and
            finish_reason (observed by one user).
        completion_usage: Whether a completion counts tokens (unknown).
        stream_usage: "absent", in the "last chunk", or in its "own chunk" without choices (unknown).
        body_limit_bytes: Above it 413, for JSON; None for no limit (unknown).
        upload_limit_bytes: Above it 413, for files; 32 MB (observed; 413 is documented).
    """

    auth_error: Literal["laravel", "documented"] = "laravel"
    error_dialect: Literal["laravel", "documented"] = "laravel"
    workspace_header: Literal["required", "optional"] = "required"
    malformed_workspace_status: Literal[400, 422] = 422
    workspace_ids: frozenset[int] = frozenset({SIMULATOR_WORKSPACE_ID})
    selected_workspace_id: int = SIMULATOR_WORKSPACE_ID
    agent_types: frozenset[Literal["chat", "text", "image", "video"]] = frozenset({"chat", "text"})
    temperature: Literal["options", "free"] = "options"
    model: Literal["options", "ignored"] = "options"
    without_question: Literal["refused", "ignored"] = "refused"
    tools: Literal["options", "ignored"] = "options"
    temperature_types: Literal["either", "strings", "numbers"] = "either"
    required_questions: Literal["text agents", "custom fields", "all"] = "custom fields"
    nulls: Literal["refused", "absent"] = "refused"
    openai_parameters: Literal["refused", "ignored"] = "refused"
    ignored_parameters: frozenset[str] = frozenset()
    refused_parameters: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset({"system", "user", "assistant"})
    message_keys: Literal["refused", "ignored"] = "refused"
    ignored_message_keys: frozenset[str] = frozenset()
    content: frozenset[ContentKind] = frozenset({"text"})
    message_order: frozenset[OrderRule] = frozenset()
    without_system: Literal["answered", "times out"] = "answered"
    requests_per_second: int | None = None
    retry_after_seconds: int | None = None
    retry_after_header: bool = False
    completion: Literal["full", "minimal"] = "full"
    chunks: Literal["full", "minimal"] = "full"
    completion_usage: bool = False
    stream_usage: Literal["absent", "last chunk", "own chunk"] = "absent"
    body_limit_bytes: int | None = None
    upload_limit_bytes: int | None = 32 * 1024 * 1024

    def __post_init__(self) -> None:
        hints = get_type_hints(Profile)
        for switch in fields(self):
            _check_choice(switch.name, getattr(self, switch.name), hints[switch.name])
        if self.requests_per_second is not None and self.requests_per_second < 1:
            raise ValueError(f"Profile.requests_per_second is 1 or more, not {self.requests_per_second}")

    @classmethod
    def strict(cls) -> Profile:
        """Return the strict reading: it refuses what Tess is not documented to accept."""
        return cls()

    @classmethod
    def documented(cls) -> Profile:
        """Return the strict reading with the error dialect of the documentation: 403, 400, chat agents only.

        The workspace header is required: the newest page about it documents that.
        """
        return cls(
            auth_error="documented",
            error_dialect="documented",
            malformed_workspace_status=400,
            agent_types=frozenset({"chat"}),
            retry_after_seconds=60,
            completion_usage=True,
        )

    @classmethod
    def lenient(cls) -> Profile:
        """Return a reading that accepts and ignores what the strict one refuses.

        Roles stay documented ones plus `developer`; temperatures, models and tools are not checked.
        """
        return replace(
            cls(),
            workspace_header="optional",
            temperature="free",
            model="ignored",
            without_question="ignored",
            tools="ignored",
            required_questions="text agents",
            nulls="absent",
            openai_parameters="ignored",
            roles=frozenset({"system", "user", "assistant", "developer"}),
            message_keys="ignored",
            content=frozenset(get_args(ContentKind)),
            completion_usage=True,
        )


def _check_choice(name: str, value: object, hint: Any) -> None:  # noqa: ANN401 - a type is any object
    """Refuse a value outside a closed set: a misspelt switch would silently select another one."""
    if get_origin(hint) is frozenset:
        (item_hint,) = get_args(hint)
        if not isinstance(value, frozenset):
            raise TypeError(f"Profile.{name} is a frozenset, not {value!r}")
        for item in cast("frozenset[object]", value):
            _check_choice(name, item, item_hint)
    elif get_origin(hint) is Literal and value not in get_args(hint):
        raise ValueError(f"Profile.{name} is one of {get_args(hint)!r}, not {value!r}")
