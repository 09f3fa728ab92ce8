"""Ask the questions one at a time, paced, and make a profile of the replies."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

import openai

from tess_openai.cli.error_messages import Exit, ProblemError
from tess_openai.cli.probe.probe_replies import Reply, read_reply
from tess_openai.cli.probe.questions import SYSTEM, USER, ProbeQuestion
from tess_openai.core.errors import parse_error
from tess_openai.core.jsons import JSONObject, dump_json
from tess_openai.core.probe_profile import ProbeVerdict, TessProfile

REFUSING: Final = (400, 413, 422)
_TRIES: Final = 4
_MOST_SECONDS: Final = 120.0


@dataclass(slots=True)
class Asker:
    """Sends requests without the adapter: the questions are about Tess itself.

    Attributes:
        url: The URL of the agent's chat route.
        headers: The headers with the key and the workspace.
        http: A client of the SDK's HTTP library.
        pause_seconds: The pause between two requests.
        fields: The fields that the agent requires.
        wait: Sleeps for a number of seconds.
        calls: The number of requests sent.
        answered: The number of answered, and therefore paid, requests.
        tokens: The sum of the token counts in the answers.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    http: Any = field(repr=False)
    pause_seconds: float
    fields: JSONObject = field(default_factory=dict[str, Any], repr=False)
    wait: Callable[[float], None] = time.sleep
    calls: int = 0
    answered: int = 0
    tokens: int = 0

    def ask(self, question: ProbeQuestion) -> Reply:
        """Ask one question; after a 429, wait and ask again.

        Raises:
            ProblemError: Tess cannot be reached, or keeps answering 429.
        """
        headers = {**self.headers, **question.headers}
        sent = {name: value for name, value in headers.items() if value is not None}
        body = dump_json({"messages": [SYSTEM, USER], **self.fields, **question.body})
        for _ in range(_TRIES):
            if self.calls:
                self.wait(self.pause_seconds)
            reply = self._send(sent, body)
            self.calls += 1
            if reply.status != 429:
                self.answered += reply.status == 200
                self.tokens += reply.tokens
                return reply
            self.wait(min(reply.retry_after_seconds, _MOST_SECONDS))
        raise ProblemError(
            "Tess keeps answering 429; try again later, the answers so far are kept", Exit.REFUSED
        )

    def _send(self, headers: Mapping[str, str], body: bytes) -> Reply:
        try:
            response = self.http.post(self.url, content=body, headers=headers, follow_redirects=False)
        except Exception as error:
            raise ProblemError(f"Tess cannot be reached: {error}", Exit.REFUSED) from error
        return read_reply(response.status_code, response.headers, response.content)


def open_asker(
    client: openai.OpenAI, agent_id: int, workspace: str | None, *, pause_seconds: float, timeout: float
) -> Asker:
    """Make an asker with the key of a client that `create_client` made."""
    root = str(client.base_url).rpartition("/agents/")[0]
    headers = {"authorization": f"Bearer {client.api_key}", "content-type": "application/json"}
    if workspace is not None:
        headers["x-workspace-id"] = workspace
    return Asker(
        url=f"{root}/agents/{agent_id}/openai/chat/completions",
        headers=headers,
        http=openai.DefaultHttpxClient(timeout=timeout),
        pause_seconds=pause_seconds,
    )


def learn(profile: TessProfile, question: ProbeQuestion, reply: Reply) -> TessProfile:
    """Return the profile with the result of a reply added; a server error adds nothing.

    Raises:
        ProblemError: Tess refused the key, the workspace or the plain call, so the probe cannot continue.
    """
    if question.case == "status":
        return replace(profile, statuses={**profile.statuses, question.name: reply.status})
    if reply.status in (401, 403, 404) or (question.name == "plain" and reply.status != 200):
        error = parse_error(
            reply.status,
            reply.headers,
            dump_json(reply.objects[0] if reply.objects else None),
            max_retry_wait_seconds=_MOST_SECONDS,
        )
        raise ProblemError(f"{error.message}; run tess-openai doctor for details", Exit.REFUSED)
    shapes = dict(profile.shapes)
    answer: ProbeVerdict
    if reply.status in REFUSING:
        answer = "refused"
        shapes["error"] = tuple(sorted({*shapes.get("error", ()), *reply.shape}))
    elif reply.status == 200:
        answer = "supported" if question.shows is not None and question.shows(reply) else "accepted"
        if question.name in ("plain", "stream"):
            shapes["chunk" if reply.is_stream else "completion"] = reply.shape
        shapes["headers"] = tuple(sorted({*shapes.get("headers", ()), *reply.telling_headers}))
    else:
        return profile
    return replace(profile, answers={**profile.answers, question.name: answer}, shapes=shapes)
